import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { appliedBy, applyRules, type SoakCall } from './call-rules.js';
import { History } from './history.js';

const IP = '127.0.0.9';
const limits = { updateMs: 1_200, updateAfterOutageMs: 2_200, disconnectMs: 200, starved: false };

function call(changes: Partial<SoakCall> = {}): SoakCall {
  return {
    id: 1,
    kind: 'unary',
    recommendedOptions: false,
    committed: false,
    startedAt: 10_000,
    endedAt: 10_100,
    pod: IP,
    code: status.OK,
    details: 'OK',
    ...changes,
  };
}

/** In DNS from the start; troubles as given. */
function history(...troubles: ['killed' | 'hung' | 'stopped', from: number, until: number][]): History {
  const made = new History();
  made.published(IP, 0);
  for (const [kind, from, until] of troubles) made.trouble(IP, kind, from).until = until;
  return made;
}

function ruling(changes: Partial<SoakCall>, past: History): string {
  const result = applyRules(call(changes), past, limits);
  return result.kind === 'broken' ? result.sentence : result.kind === 'explained' ? result.by : 'kept';
}

const unavailable = { code: status.UNAVAILABLE, details: 'Connection dropped' };
const late = { code: status.DEADLINE_EXCEEDED, details: 'Deadline exceeded', endedAt: 15_000 };

test('an answered call keeps the rules', () => {
  assert.equal(ruling({}, history()), 'kept');
});

test('a failed call on a healthy pod breaks it, and the sentence says where, how and what happened to the pod', () => {
  const sentence = ruling(unavailable, history(['killed', 2_000, 2_001]));
  assert.match(sentence, /^call 1 \(unary, 0\.10 s\) on 127\.0\.0\.9 ended with UNAVAILABLE \("Connection dropped"\)/);
  assert.match(sentence, /its pod was in good health; in DNS from 10\.10 s to now, killed from 8\.10 s/);
});

test('a failed call that was on no pod breaks it', () => {
  assert.match(ruling({ ...unavailable, pod: null }, history()), /on no pod/);
});

test('a kill explains what was on the pod at that moment', () => {
  assert.match(ruling(unavailable, history(['killed', 10_050, 10_060])), /killed/);
  assert.match(ruling({ ...unavailable, code: status.INTERNAL }, history(['killed', 10_050, 10_060])), /killed/);
  assert.match(ruling(unavailable, history(['killed', 10_200, 10_210])), /good health/);
  assert.match(ruling({ ...unavailable, code: status.UNKNOWN }, history(['killed', 10_050, 10_060])), /nothing that/);
});

test('a kill explains a call that was sent before the broken connection could be noticed, and none after that', () => {
  assert.match(ruling(unavailable, history(['killed', 9_800, 9_900])), /^was on a pod that was killed/);
  assert.match(ruling(unavailable, history(['killed', 9_000, 9_700])), /good health/);
});

test('with a retry policy a kill explains only calls that the pod had begun to answer', () => {
  const killed = history(['killed', 10_050, 10_060]);
  assert.match(ruling({ ...unavailable, recommendedOptions: true }, killed), /its retry policy covers that/);
  assert.match(
    ruling({ ...unavailable, recommendedOptions: true, committed: true, kind: 'bidirectional stream' }, killed),
    /^was on a pod/,
  );
});

test('a hung pod explains unary calls that ran into their deadline there, and nothing else', () => {
  const hung = history(['hung', 9_000, 12_000]);
  assert.match(ruling(late, hung), /^was on a pod that hung/);
  assert.match(ruling({ ...late, startedAt: 12_001 }, hung), /nothing that happened/);
  assert.match(ruling({ ...late, kind: 'bidirectional stream' }, hung), /nothing that happened/);
  assert.match(ruling(unavailable, hung), /good health/);
});

test('a machine without a CPU to spare explains deadlines, and nothing else', () => {
  const starved = { ...limits, starved: true };
  assert.equal(applyRules(call(late), history(), starved).kind, 'explained');
  assert.equal(applyRules(call(unavailable), history(), starved).kind, 'broken');
});

test('a graceful stop explains nothing', () => {
  const stopped = history(['stopped', 10_050, 10_090]);
  stopped.unpublished(IP, 6_000);
  assert.match(
    ruling({ ...unavailable, startedAt: 5_000, kind: 'bidirectional stream', committed: true }, stopped),
    /good health/,
  );
});

test('a graceful stop explains what grpc-js cuts itself by a keepalive ping after the GOAWAY', () => {
  const stopped = history(['stopped', 10_050, 10_110]);
  stopped.unpublished(IP, 6_000);
  const stream = {
    ...unavailable,
    startedAt: 5_000,
    kind: 'bidirectional stream',
    committed: true,
    recommendedOptions: true,
  } as const;
  assert.match(ruling(stream, stopped), /#3068/);
  assert.match(ruling({ ...stream, endedAt: 10_400 }, stopped), /good health/);
});

test('a stop explains calls that were sent before the client could apply it, because DNS was down', () => {
  const stopped = history(['stopped', 10_050, 10_090]);
  stopped.unpublished(IP, 6_000);
  assert.match(ruling(unavailable, stopped), /good health/);
  stopped.outage(6_500).until = 11_000;
  assert.match(ruling(unavailable, stopped), /stopped while DNS was down/);
});

test('an answer from a pod that left DNS longer ago than an update takes breaks the rule', () => {
  const gone = history();
  gone.unpublished(IP, 9_000);
  assert.equal(ruling({ startedAt: 10_100 }, gone), 'kept');
  assert.match(ruling({ startedAt: 10_300 }, gone), /gone from DNS for 1\.30 s/);
  gone.published(IP, 10_200);
  assert.equal(ruling({ startedAt: 10_300 }, gone), 'kept');
});

test('an update takes longer where DNS was down at the time of the change', () => {
  assert.equal(appliedBy(1_000, [], limits), 2_200);
  assert.equal(appliedBy(1_000, [{ from: 1_500, until: 4_000 }], limits), 6_200);
  assert.equal(appliedBy(1_000, [{ from: 100, until: 900 }], limits), 2_200);
  assert.equal(appliedBy(1_000, [{ from: 2_500, until: 4_000 }], limits), 2_200);
});
