/** Fewer would make a median of what a shared machine did at that moment. */
const LEAST = 3;

/**
 * How many turns a contender takes.
 * @param {number} budget milliseconds for all of them
 * @param {number} milliseconds of its first
 * @param {number} most
 */
export function turnsWithin(budget, milliseconds, most) {
  return Math.min(most, Math.max(LEAST, Math.floor(budget / milliseconds)));
}
