import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { describe, shorten } from '../../errors.js';

/** Where a plan breaks the schema, as a JSON pointer (RFC 6901), and how. */
export interface SchemaViolation {
  readonly pointer: string;
  readonly message: string;
}

let validator: ValidateFunction | undefined;

/** The first way in which `plan` breaks plan.schema.json; `undefined` when it does not. */
export function findViolation(plan: unknown): SchemaViolation | undefined {
  validator ??= compile();
  if (validator(plan)) return undefined;
  const error = validator.errors![0]!;
  const { instancePath: pointer } = error;
  return {
    pointer,
    message: explain(error, pointer === '' ? 'the plan' : shorten(pointer), valueAt(plan, pointer)),
  };
}

function compile(): ValidateFunction {
  // Read, not imported: import attributes differ between the Node versions supported.
  const text = readFileSync(new URL('../plan.schema.json', import.meta.url), 'utf8');
  return new Ajv({ discriminator: true, allowUnionTypes: true }).compile(JSON.parse(text));
}

function explain({ keyword, params, message }: ErrorObject, where: string, value: unknown): string {
  switch (keyword) {
    case 'required':
      return `expected a key "${params['missingProperty']}" in ${where}, but it is missing`;
    case 'minItems':
      return `expected at least ${params['limit']} entries for ${where} but received ${describe(value)}`;
    case 'maxItems':
      return `expected at most ${params['limit']} entries for ${where} but received ${(value as unknown[]).length}`;
    case 'type':
      return `expected ${[params['type']].flat().join(' or ')} for ${where} but received ${describe(value)}`;
    case 'enum':
      return `expected one of ${(params['allowedValues'] as unknown[]).join(', ')} for ${where} but received ${describe(value)}`;
    default:
      return `${where} ${message}, but is ${describe(value)}`;
  }
}

function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    value = (value as Record<string, unknown> | null | undefined)?.[key];
  }
  return value;
}
