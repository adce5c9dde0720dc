import { normal, zeros } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { addEncoder, encoderSizes } from './encoder.js';
import { TensorList } from './tensor-list.js';
import type { ModelDescription, Preset } from './types.js';

/** BERT as transformers 5 has it: every matrix N(0, initializer_range²), the padding token's row 0. */
export const bert: Preset = {
  id: 'hf5/bert',
  modelType: 'bert',
  architectures: [
    'BertForPreTraining',
    'BertForMaskedLM',
    'BertForSequenceClassification',
    'BertForTokenClassification',
    'BertForQuestionAnswering',
    'BertModel',
  ],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const sizes = encoderSizes(config);
  const { hidden, layers, vocabulary } = sizes;
  const init = normal({ std: config.range() });
  const architecture = config.architecture(bert.architectures);
  const prefix = architecture === 'BertModel' ? '' : 'bert.';
  const padding = config.row('pad_token_id', vocabulary, 0);
  const list = new TensorList();
  const embeddings = `${prefix}embeddings`;
  list.embedding(`${embeddings}.word_embeddings`, vocabulary, hidden, {
    init,
    role: 'tokenEmbedding',
    ...(padding === undefined ? {} : { zeroRows: [padding] }),
  });
  const positions = config.size('max_position_embeddings', 512);
  list.embedding(`${embeddings}.position_embeddings`, positions, hidden, { init, role: 'positionEmbedding' });
  const types = config.size('type_vocab_size', 2);
  list.embedding(`${embeddings}.token_type_embeddings`, types, hidden, { init, role: 'typeEmbedding' });
  list.norm(`${embeddings}.LayerNorm`, hidden, { bias: true });
  addEncoder(list, `${prefix}encoder`, sizes, init);
  // These heads look at all tokens, and not at the first one's summary.
  if (!/MaskedLM|TokenClassification|QuestionAnswering/.test(architecture)) {
    list.linear(`${prefix}pooler.dense`, hidden, hidden, { init, bias: true, role: 'dense' });
  }
  const predicts = architecture === 'BertForPreTraining' || architecture === 'BertForMaskedLM';
  if (predicts) {
    list.add({
      name: 'cls.predictions.bias',
      shape: [vocabulary],
      init: zeros(),
      role: 'head',
      part: 'bias',
      fanIn: hidden,
    });
    list.linear('cls.predictions.transform.dense', hidden, hidden, { init, bias: true, role: 'dense' });
    list.norm('cls.predictions.transform.LayerNorm', hidden, { bias: true });
  }
  const tied = config.flag('tie_word_embeddings', true);
  if (predicts && !tied) {
    list.linear('cls.predictions.decoder', vocabulary, hidden, { init, bias: true, role: 'head' });
  }
  if (architecture === 'BertForPreTraining') {
    list.linear('cls.seq_relationship', 2, hidden, { init, bias: true, role: 'head' });
  }
  if (/Classification$/.test(architecture)) {
    list.linear('classifier', config.labels(), hidden, { init, bias: true, role: 'head' });
  }
  if (/QuestionAnswering$/.test(architecture)) {
    list.linear('qa_outputs', config.labels(), hidden, { init, bias: true, role: 'head' });
  }
  return {
    modelType: 'bert',
    family: 'encoder',
    hidden,
    layers: new Map([['', layers]]),
    tensors: list.tensors,
    ties:
      predicts && tied
        ? [
            { name: 'cls.predictions.decoder.weight', to: 'bert.embeddings.word_embeddings.weight' },
            { name: 'cls.predictions.decoder.bias', to: 'cls.predictions.bias' },
          ]
        : [],
  };
}
