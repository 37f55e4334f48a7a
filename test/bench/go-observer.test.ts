/** What the benchmark makes of the lines of a program as test/e2e/kuberesolver/main.go, which Node.js plays here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machineMs } from '../../bench/intervals/clock.js';
import { GoObserver, type GoOptions } from '../../bench/intervals/go-observer.js';
import { leakCheck } from '../support/leak-check.js';

const SETTINGS = {
  id: 'kuberesolver (grpc-go) | 0 | lasting',
  client: { kind: 'kuberesolver' },
  dns: '127.0.0.1:53',
  target: 'steady.bench.svc.cluster.local:50051',
  api: 'http://127.0.0.1:6443',
  callsPerSecond: 25,
} as const;

function observe(script: string, options: Omit<GoOptions, 'command'> = {}): GoObserver {
  return new GoObserver(SETTINGS, { ...options, command: [process.execPath, '-e', script, '--'] });
}

const PATIENT = 60_000;

test('its calls are counted from the beginning of the measurement to the last that is under way', async (t) => {
  leakCheck(t);
  const observer = observe(`
    const ARGUMENTS = ['-rate', '25', '-deadline', '5000ms',
      'kubernetes:///steady.bench.svc.cluster.local:50051', 'http://127.0.0.1:6443'];
    if (process.argv.slice(1).join() !== ARGUMENTS.join()) process.exit(9);
    console.log('READY');
    process.stdin.once('data', () => console.log('CALL 1000 2000 0 127.0.0.9'));
    process.stdin.on('end', () => {
      const now = Number(process.hrtime.bigint() / 1000n);
      console.log('CALL', now, now + 1500, 0, '127.0.0.1');
      console.log('CALL', now + 100, now + 1600, 14, '-');
      console.log('CALL', now + 200, now + 4200, 0, '127.0.0.2');
      console.log('CALL', now + 300, now + 1800, 0, '127.0.0.1');
    });
  `);
  await observer.connect();
  observer.call();
  observer.begin();
  const from = machineMs();
  const log = await observer.finish();
  const { started, answered, failed, failedByStatus, byPod, latency } = log.calls;
  assert.deepEqual([started, answered, failed], [4, 3, 1]);
  assert.deepEqual(failedByStatus, { UNAVAILABLE: 1 });
  assert.deepEqual(byPod, { '127.0.0.1': 2, '127.0.0.2': 1 });
  assert.ok(latency.p99Ms >= 3.9 && latency.p99Ms <= 4.1, `${latency.p99Ms}`);
  assert.deepEqual(
    [...log.pod].map((index) => log.pods[index]),
    ['127.0.0.1', '127.0.0.2', '127.0.0.1'],
  );
  assert.deepEqual([...log.latencyMs].map(Math.round), [2, 4, 2]);
  assert.ok(log.dueAt.every((at) => at >= from - 1 && at <= machineMs() + 1));
  assert.deepEqual([log.updates, log.connected, log.polls, log.queries], [[], [], null, null]);
});

test('a program that ends before it is connected is an error with its exit code', async (t) => {
  leakCheck(t);
  await assert.rejects(
    observe('process.exit(3)').connect(),
    /^Error: kuberesolver .*: its process ended with exit code 3$/,
  );
});

test('a program that is not there is an error', async (t) => {
  leakCheck(t);
  await assert.rejects(new GoObserver(SETTINGS, { command: ['/nowhere/kuberesolver'] }).connect(), /ENOENT/);
});

test('a program that is not connected in time is ended', async (t) => {
  leakCheck(t);
  await assert.rejects(
    observe('process.stdin.resume()', { readyWithinMs: 50 }).connect(),
    /: it is not connected after 50 ms$/,
  );
});

test('a program that ends in the middle of the measurement is an error at its end', { timeout: PATIENT }, async (t) => {
  leakCheck(t);
  const observer = observe("console.log('READY'); process.stdin.once('data', () => process.exit(1));");
  await observer.connect();
  observer.begin();
  observer.call();
  await assert.rejects(observer.finish(), /: its process ended with exit code 1$/);
});
