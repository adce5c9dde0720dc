import { normal, zeros } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { addEncoder, encoderSizes } from './encoder.js';
import { TensorList } from './tensor-list.js';
import type { ModelDescription, Preset } from './types.js';

/** RoBERTa as transformers 5 has it: BERT whose positions are counted from the padding token's row on, which is 0 too. */
export const roberta: Preset = {
  id: 'hf5/roberta',
  modelType: 'roberta',
  architectures: [
    'RobertaForMaskedLM',
    'RobertaForSequenceClassification',
    'RobertaForTokenClassification',
    'RobertaForQuestionAnswering',
    'RobertaModel',
  ],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const sizes = encoderSizes(config);
  const { hidden, layers, vocabulary } = sizes;
  const init = normal({ std: config.range() });
  const architecture = config.architecture(roberta.architectures);
  const prefix = architecture === 'RobertaModel' ? '' : 'roberta.';
  const positions = config.size('max_position_embeddings', 512);
  // A row of each of two tables, which may count negative ones from different ends.
  const padding = (rows: number): { readonly zeroRows?: readonly number[] } => {
    const row = config.row('pad_token_id', rows, 1);
    return row === undefined ? {} : { zeroRows: [row] };
  };
  const list = new TensorList();
  const embeddings = `${prefix}embeddings`;
  list.embedding(`${embeddings}.word_embeddings`, vocabulary, hidden, {
    init,
    role: 'tokenEmbedding',
    ...padding(vocabulary),
  });
  const types = config.size('type_vocab_size', 2);
  list.embedding(`${embeddings}.token_type_embeddings`, types, hidden, { init, role: 'typeEmbedding' });
  list.norm(`${embeddings}.LayerNorm`, hidden, { bias: true });
  list.embedding(`${embeddings}.position_embeddings`, positions, hidden, {
    init,
    role: 'positionEmbedding',
    ...padding(positions),
  });
  addEncoder(list, `${prefix}encoder`, sizes, init);
  if (architecture === 'RobertaModel') {
    list.linear('pooler.dense', hidden, hidden, { init, bias: true, role: 'dense' });
  }
  const tied = config.flag('tie_word_embeddings', true);
  const predicts = architecture === 'RobertaForMaskedLM';
  if (predicts) {
    list.add({
      name: 'lm_head.bias',
      shape: [vocabulary],
      init: zeros(),
      role: 'head',
      part: 'bias',
      fanIn: hidden,
    });
    list.linear('lm_head.dense', hidden, hidden, { init, bias: true, role: 'dense' });
    list.norm('lm_head.layer_norm', hidden, { bias: true });
    if (!tied) list.linear('lm_head.decoder', vocabulary, hidden, { init, bias: true, role: 'head' });
  }
  if (architecture === 'RobertaForSequenceClassification') {
    list.linear('classifier.dense', hidden, hidden, { init, bias: true, role: 'dense' });
    list.linear('classifier.out_proj', config.labels(), hidden, { init, bias: true, role: 'head' });
  }
  if (architecture === 'RobertaForTokenClassification') {
    list.linear('classifier', config.labels(), hidden, { init, bias: true, role: 'head' });
  }
  if (architecture === 'RobertaForQuestionAnswering') {
    list.linear('qa_outputs', config.labels(), hidden, { init, bias: true, role: 'head' });
  }
  return {
    modelType: 'roberta',
    family: 'encoder',
    hidden,
    layers: new Map([['', layers]]),
    tensors: list.tensors,
    ties:
      predicts && tied
        ? [
            { name: 'lm_head.decoder.weight', to: 'roberta.embeddings.word_embeddings.weight' },
            { name: 'lm_head.decoder.bias', to: 'lm_head.bias' },
          ]
        : [],
  };
}
