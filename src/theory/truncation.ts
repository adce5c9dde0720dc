import { IsometryError } from '../errors.js';
import { truncatedStd } from '../lower.js';
import { boundsOption } from '../options.js';

/**
 * Standard deviation c of the standard normal law truncated to [lower, upper]: what `truncatedNormal({ std, sigmas })`
 * multiplies std by, and what `rescale: true` and the initializers of Glorot, He and LeCun divide by.
 *
 * c² = 1 + (a·φ(a) − b·φ(b)) / Z − ((φ(a) − φ(b)) / Z)² with Z = Φ(b) − Φ(a) (Johnson, Kotz, Balakrishnan 1994,
 * "Continuous Univariate Distributions" 1, section 10.1), by a quadrature that does not cancel in far tails and narrow
 * windows: relative error below 1e-13. c(−2, 2) = 0.8796256610342398.
 *
 * @param lower - in standard deviations; `null` or −Infinity leaves the side open.
 * @param upper - greater than `lower`; `null` or Infinity leaves the side open.
 * @returns a number in (0, 1], the same on every platform.
 * @throws IsometryError `INVALID_OPTION` for other bounds, or ones so far out or so close that c underflows.
 */
export function truncationConstant(lower: number | null, upper: number | null): number {
  const [a, b] = boundsOption([lower, upper], 'the bounds');
  const std = truncatedStd(a ?? Number.NEGATIVE_INFINITY, b ?? Number.POSITIVE_INFINITY);
  if (std > 0) return Math.min(1, std);
  throw new IsometryError(
    'INVALID_OPTION',
    `expected bounds with a normal law between them but [${lower}, ${upper}] standard deviations are too close or ` +
      'too far out to compute with; use wider bounds',
  );
}
