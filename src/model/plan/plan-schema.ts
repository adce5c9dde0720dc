import { describe, shorten } from '../../errors.js';
import { type ErrorObject, validatePlan } from './plan-validator.js';

/** Where a plan breaks the schema, as a JSON pointer (RFC 6901), and how. */
export interface SchemaViolation {
  readonly pointer: string;
  readonly message: string;
}

/** The first way in which `plan` breaks plan.schema.json; `undefined` when it does not. */
export function findViolation(plan: unknown): SchemaViolation | undefined {
  if (validatePlan(plan)) return undefined;
  const error = validatePlan.errors![0]!;
  const { instancePath: pointer } = error;
  return {
    pointer,
    message: explain(error, pointer === '' ? 'the plan' : shorten(pointer), valueAt(plan, pointer)),
  };
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
