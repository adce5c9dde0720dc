import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { describeProgress, progressBar, stageBar } from '../../../src/cli/progress.js';

const at = (tensor: string, shardsTotal = 1) => ({ tensor, shardsDone: 0, shardsTotal });

test('share, bytes, shards, rate, time left and tensor', () => {
  expect(describeProgress('##--', 250e6, 1e9, 500, at('h.0.weight'))).toBe(
    '##--  25%  250 MB of 1.00 GB  500 MB/s  1.5 s left  h.0.weight',
  );
  expect(describeProgress('##--', 250e6, 1e9, 500, at('w', 4))).toContain('of 1.00 GB  0 of 4 shards  500');
  expect(describeProgress('', 0, 1e9, 0, at('w'))).toBe('   0%  0 B of 1.00 GB  0 B/s  ? left  w');
  expect(describeProgress('', 0, 0, 10, at('w'))).toContain('100%');
});

test('names are escaped and cut', () => {
  expect(describeProgress('', 1, 1, 1, at('\u001b[2J'))).toContain('\\u{1b}[2J');
  expect(describeProgress('', 1, 1, 1, at('x'.repeat(100))).endsWith(` …${'x'.repeat(39)}`)).toBe(true);
});

const PROGRESS = {
  tensor: 'w',
  tensorsDone: 0,
  tensorsTotal: 1,
  bytesDone: 5,
  bytesTotal: 10,
  file: 'model.safetensors',
  fileBytesDone: 5,
  fileBytesTotal: 10,
  shardsDone: 0,
  shardsTotal: 1,
};

function stream(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  let text = '';
  const sink = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  return {
    stream: Object.assign(sink, { isTTY, columns: 200 }) as unknown as NodeJS.WriteStream,
    text: () => text,
  };
}

test('on a terminal there is a bar, and the cursor comes back', async () => {
  const terminal = stream(true);
  const bar = progressBar(terminal.stream);
  bar.update(PROGRESS);
  await new Promise((resolve) => setTimeout(resolve, 250));
  bar.stop();
  expect(terminal.text()).toContain(' 50%  5 B of 10 B');
  expect(terminal.text()).toContain('\u001b[?25l');
  expect(terminal.text().lastIndexOf('\u001b[?25h')).toBeGreaterThan(
    terminal.text().lastIndexOf('\u001b[?25l'),
  );
});

test('elsewhere there is nothing', () => {
  const file = stream(false);
  const bar = progressBar(file.stream);
  bar.update(PROGRESS);
  bar.stop();
  expect(file.text()).toBe('');
});

test('work that is counted in tensors, in stages', async () => {
  const terminal = stream(true);
  const bar = stageBar(terminal.stream);
  bar.update('comparing', 1, 4, 'a');
  bar.update('looking', 1000, 2000, '\u001b[2J');
  await new Promise((resolve) => setTimeout(resolve, 250));
  bar.stop();
  bar.stop();
  expect(terminal.text()).toContain(' 50%  looking  1,000 of 2,000 tensors  \\u{1b}[2J');
});
