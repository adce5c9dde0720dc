#!/usr/bin/env node
// Makes the function that holds a plan against src/model/plan.schema.json, once: compiling the schema takes a fifth of a second
// at every start, the function none.  node tools/generate-plan-validator.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';

const SCHEMA = new URL('../src/model/plan.schema.json', import.meta.url);
const TARGET = new URL('../src/model/plan/plan-validator.ts', import.meta.url);

const ajv = new Ajv({ discriminator: true, allowUnionTypes: true, code: { source: true, esm: true } });
const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));
const code = standalone
  .default(ajv, validate)
  .replace(/^"use strict";/, '')
  // The one function of Ajv's that it uses: how many code points a text has.
  .replace(/require\("ajv\/dist\/runtime\/ucs2length"\)\.default/g, 'codePoints')
  .replace(
    /export const validate = (\w+);export default \1;/,
    'export const validatePlan: PlanValidator = $1;',
  );
if (/\brequire\b|\bexport default\b/.test(code))
  throw new Error('the code needs more of Ajv than is known here');

const text = `// @ts-nocheck
// Made by tools/generate-plan-validator.mjs from plan.schema.json; do not edit.
/** What is wrong, as Ajv says it. */
export interface ErrorObject {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, any>>;
  readonly message?: string;
}

/** Whether a plan fits the schema; \`errors\` then says where not. */
export interface PlanValidator {
  (plan: unknown): boolean;
  readonly errors?: readonly ErrorObject[] | null;
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

${code}
`;

if (process.argv.includes('--check')) {
  if (readFileSync(TARGET, 'utf8') !== text) {
    console.error('src/model/plan/plan-validator.ts is not what the schema gives; run: npm run generate');
    process.exit(1);
  }
} else {
  writeFileSync(TARGET, text);
}
