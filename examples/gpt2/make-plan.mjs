// Writes plan.json from config.json: every tensor of GPT-2 by the name, shape and law that it has on disk in the
// Hugging Face layout.
//
//   node examples/gpt2/make-plan.mjs > examples/gpt2/plan.json
//
// Laws (Radford et al., 2019, §2.3, and the published code): weights N(0, 0.02); the two projections that end on the
// residual stream are scaled by 1/√(2·layers), because that many of them are added up; norms start as the identity;
// biases are 0. The output layer shares the token embedding, so it is not stored.
import { readFileSync } from 'node:fs';

/** The plan of a GPT-2 of any size. */
export function gpt2Plan({ vocab_size, n_positions, n_embd, n_layer, initializer_range }) {
  const weight = { kind: 'normal', std: initializer_range };
  const residual = { kind: 'normal', std: initializer_range / Math.sqrt(2 * n_layer) };
  const zeros = { kind: 'zeros' };
  const ones = { kind: 'ones' };

  const embedding = (name, rows) => [{ name: `${name}.weight`, shape: [rows, n_embd], init: weight }];
  const norm = (name) => [
    { name: `${name}.weight`, shape: [n_embd], init: ones },
    { name: `${name}.bias`, shape: [n_embd], init: zeros },
  ];
  // GPT-2 stores the weights of its dense layers input-first.
  const dense = (name, inputs, outputs, init) => [
    { name: `${name}.weight`, shape: [inputs, outputs], layout: 'IO', init },
    { name: `${name}.bias`, shape: [outputs], init: zeros },
  ];
  const block = (name) => [
    ...norm(`${name}.ln_1`),
    ...dense(`${name}.attn.c_attn`, n_embd, 3 * n_embd, weight),
    ...dense(`${name}.attn.c_proj`, n_embd, n_embd, residual),
    ...norm(`${name}.ln_2`),
    ...dense(`${name}.mlp.c_fc`, n_embd, 4 * n_embd, weight),
    ...dense(`${name}.mlp.c_proj`, 4 * n_embd, n_embd, residual),
  ];

  return {
    $schema: '../../src/model/plan.schema.json',
    dtype: 'float32',
    tensors: [
      ...embedding('transformer.wte', vocab_size),
      ...embedding('transformer.wpe', n_positions),
      ...Array.from({ length: n_layer }, (_, layer) => block(`transformer.h.${layer}`)).flat(),
      ...norm('transformer.ln_f'),
    ],
  };
}

/** One tensor a line: short, and a change shows as the lines that it changes. */
export function formatPlan({ tensors, ...rest }) {
  const fields = Object.entries(rest).map(
    ([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`,
  );
  const lines = tensors.map((tensor) => `    ${JSON.stringify(tensor)}`);
  return `{\n${fields.join('')}  "tensors": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

if (process.argv[1] === import.meta.filename) {
  const config = JSON.parse(readFileSync(new URL('config.json', import.meta.url), 'utf8'));
  process.stdout.write(formatPlan(gpt2Plan(config)));
}
