import type { FillRequest } from '../job.js';

/** What makes the bytes of one tensor, once its turn has come. */
export type TensorSource =
  /** A backend computes it. */
  | { readonly kind: 'fill'; readonly request: FillRequest }
  /** `read` puts its bytes from `begin` on into all of `target`: integers, and what is copied from another file. */
  | { readonly kind: 'bytes'; read(target: Uint8Array, begin: number): void | Promise<void> };
