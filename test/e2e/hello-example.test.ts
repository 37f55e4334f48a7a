import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { leakCheck } from '../support/leak-check.js';

const main = fileURLToPath(new URL('../../examples/hello/main.ts', import.meta.url));

test('"npm run hello" shows that every pod of the example is called, and ends well', async (t) => {
  const defer = leakCheck(t);
  const child = fork(main, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  defer(() => child.kill());
  const [output, [code]] = await Promise.all([text(child.stdout as NodeJS.ReadableStream), once(child, 'exit')]);
  assert.equal(code, 0, output);
  const steps = [...output.matchAll(/^(\d) pods?: (.+?)$.*?^100 requests were answered by: (.+?)$/gms)];
  assert.deepEqual(
    steps.map(([, count]) => count),
    ['2', '5', '1'],
  );
  for (const [, count, pods = '', shares = ''] of steps) {
    const answered = shares.split(', ').map((share) => share.split(' ')[0]);
    assert.equal(answered.length, Number(count));
    assert.deepEqual(answered.sort(), pods.split(', ').sort());
  }
});
