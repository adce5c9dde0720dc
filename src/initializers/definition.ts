import type { Law } from '../law.js';
import { checkKeys } from '../options.js';

/** What an initializer may know of the tensor it is for. Never more: no element, no dtype, no shard. */
export interface TensorInfo {
  readonly name: string;
  /** The whole tensor's shape, validated. */
  readonly shape: readonly number[];
  /** See `parseLayout`. */
  readonly layout?: string | undefined;
  /** Groups of a grouped convolution. */
  readonly groups?: number | undefined;
}

/** One kind of initializer: how its options are read, and which law it means. */
export interface Definition<T extends { readonly kind: string }> {
  readonly kind: T['kind'];
  /** Names of its options. */
  readonly options: readonly string[];
  /**
   * The initializer with all defaults filled in, `kind` first. `options` holds known keys only, none `undefined`;
   * `where` is what messages call the initializer.
   */
  parse(options: Readonly<Record<string, unknown>>, where: string): T;
  /** Pure; float64 arithmetic with `+ − × ÷ sqrt` alone, so that every engine gets the same bits. */
  law(initializer: T, tensor: TensorInfo): Law;
}

/** What a factory does: `options` as the caller gave them → a frozen initializer. */
export function make<T extends { readonly kind: string }>(definition: Definition<T>, options: unknown): T {
  const checked = checkKeys(options, definition.options, definition.kind);
  return Object.freeze(definition.parse(checked, definition.kind));
}
