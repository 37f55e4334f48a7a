import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFlags } from './flags.js';

test('without flags the soak takes ten minutes, 50 pods and a seed of its own', () => {
  assert.deepEqual(readFlags([]), {
    help: false,
    rolling: false,
    everything: false,
    durationMs: 600_000,
    seed: null,
    pods: 50,
    calls: 100_000,
  });
});

test('durations, seed and pods are read', () => {
  assert.equal(readFlags(['--seconds', '60']).durationMs, 60_000);
  assert.equal(readFlags(['--minutes=0.5']).durationMs, 30_000);
  assert.equal(readFlags(['--hours', '8']).durationMs, 28_800_000);
  assert.deepEqual((({ seed, pods }) => ({ seed, pods }))(readFlags(['--seed', '4294967295', '--pods', '20'])), {
    seed: 4_294_967_295,
    pods: 20,
  });
  assert.deepEqual((({ rolling, calls }) => ({ rolling, calls }))(readFlags(['--rolling', '--calls', '5000'])), {
    rolling: true,
    calls: 5_000,
  });
  assert.equal(readFlags(['--everything']).everything, true);
});

const refused: Record<string, [args: string[], message: RegExp]> = {
  'a flag that is not known': [['--second', '60'], /--second/],
  'a stray word': [['60'], /60/],
  'no number': [['--minutes', 'ten'], /--minutes must be a number, got "ten"/],
  'an empty number': [['--minutes', ''], /--minutes must be a number, got ""/],
  'too short a time': [['--seconds', '5'], /--seconds must come to between 20 seconds and 31 days, got 5/],
  'a time that is no time': [['--hours', '-1'], /hours/],
  'two times': [['--minutes', '1', '--hours', '1'], /one of --minutes, --hours/],
  'a seed with a fraction': [['--seed', '1.5'], /--seed must be a whole number from 0 to 4294967295, got 1.5/],
  'too few pods': [['--pods', '3'], /--pods must be a whole number from 10 to 200, got 3/],
  'every option of the random scenario with --rolling': [['--rolling', '--everything'], /--everything is for/],
  'calls without --rolling': [['--calls', '5000'], /--rolling/],
  'a time with --rolling': [['--rolling', '--seconds', '60'], /leave --seconds out/],
};

for (const [flaw, [args, message]] of Object.entries(refused))
  test(`${flaw} is refused by name`, () => {
    assert.throws(() => readFlags(args), message);
  });
