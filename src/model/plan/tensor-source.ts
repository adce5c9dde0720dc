import type { FillRequest } from '../../job.js';

/** What makes the bytes of one tensor, once its turn has come. */
export type TensorSource =
  /** A backend computes it: the request's output from element `first` on, which is 0 where it is left out. */
  | { readonly kind: 'fill'; readonly request: FillRequest; readonly first?: number }
  /** `read` puts its bytes from `begin` on into all of `target`: integers, and what is copied from another file. */
  | { readonly kind: 'bytes'; read(target: Uint8Array, begin: number): void | Promise<void> };
