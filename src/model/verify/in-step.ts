/**
 * What two streams of pieces yield, pair by pair, until one of them ends. However the loop over the pairs ends, both
 * streams are ended too: one that is left in the middle would keep its file open.
 */
export async function* inStep<T>(
  a: AsyncGenerator<T>,
  b: AsyncGenerator<T>,
): AsyncGenerator<readonly [T, T], void, void> {
  try {
    for (;;) {
      const [x, y] = await Promise.all([a.next(), b.next()]);
      if (x.done === true || y.done === true) return;
      yield [x.value, y.value];
    }
  } finally {
    await Promise.allSettled([a.return(undefined), b.return(undefined)]);
  }
}
