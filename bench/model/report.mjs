// Tables of bench/model.
import { alignedTable, median, ratioOf } from '../table.mjs';

/** What we hold ourselves to: times as fast as transformers without its imports, and the share of dd's rate. */
const GOALS = { transformers: { must: 8, aim: 15 }, dd: { must: 0.85, aim: 0.95 } };

/** @param {{ bytes: number, parameters: number, seconds: Map<string, number[]> }} result */
export function caseTable({ bytes, parameters, seconds }) {
  const rows = [...seconds].map(([name, turns]) => {
    const middle = median(turns);
    const ours = seconds.get(name.endsWith(', process') ? 'isometry, process' : 'isometry');
    const ratio = /, (construct|save)$/.test(name) ? '' : `${ratioOf(turns, ours).toFixed(2)}×`;
    const spread = `${Math.min(...turns).toFixed(2)} – ${Math.max(...turns).toFixed(2)}`;
    const rate = /, (construct|process)$/.test(name) ? '' : (bytes / middle / 1e6).toFixed(0);
    return [name, middle.toFixed(2), spread, rate, ratio];
  });
  const size = `${parameters} parameters, ${bytes} bytes`;
  return `${size}\n\n${alignedTable(['contender', 's', 'min – max', 'MB/s', 'ours is'], rows)}`;
}

/** The goals: speed against transformers everywhere, against dd where there is a disk. */
export function goalTable(results) {
  const rows = results.flatMap(({ title, place, seconds }) => {
    const ours = seconds.get('isometry');
    const row = (name, value, goal) => [
      title,
      name,
      `${value.toFixed(2)}×`,
      `${goal.must}×`,
      `${goal.aim}×`,
      value < goal.must ? 'MISSED' : value < goal.aim ? 'must met' : 'aim met',
    ];
    return [
      row('as fast as transformers', ratioOf(seconds.get('transformers'), ours), GOALS.transformers),
      ...(place === 'disk' ? [row('of the rate of dd', ratioOf(seconds.get('dd'), ours), GOALS.dd)] : []),
    ];
  });
  return alignedTable(['work', 'what', 'ours is', 'must', 'aim', ''], rows, 2);
}
