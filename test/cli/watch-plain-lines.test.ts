import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlainLines, type PlainLinesOptions } from '../../lib/cli/watch/plain-lines.js';
import type { ChangeView } from '../../lib/cli/watch/view.js';
import { START } from './watch-snapshots.js';

const CHANGES: ChangeView[] = [
  { id: 1, at: START, about: 'dns', address: null, text: 'answer: 1 address', tone: 'neutral', routine: true },
  { id: 2, at: START + 20, about: 'pod', address: '10.1.0.1:1', text: 'bad\n\x1b[2Jnews', tone: 'bad', routine: false },
];

function lines(options: Partial<PlainLinesOptions> = {}): string {
  let text = '';
  const plain = new PlainLines(
    (written) => {
      text += written;
    },
    { json: false, changesOnly: false, ...options },
  );
  plain.write(CHANGES);
  plain.write([]);
  return text;
}

test('each change is one line that begins with its time, and control characters are taken out', () => {
  assert.equal(
    lines(),
    '2026-05-04T10:20:00.000Z dns     answer: 1 address\n2026-05-04T10:20:00.020Z pod     10.1.0.1:1 bad  [2Jnews\n',
  );
});

test('--changes leaves out answers that changed nothing', () => {
  assert.doesNotMatch(lines({ changesOnly: true }), /answer/);
});

test('--json writes one object a line', () => {
  const objects = lines({ json: true })
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  assert.deepEqual(objects[0], {
    time: '2026-05-04T10:20:00.000Z',
    about: 'dns',
    address: null,
    text: 'answer: 1 address',
    tone: 'neutral',
  });
  assert.equal(objects.length, 2);
});
