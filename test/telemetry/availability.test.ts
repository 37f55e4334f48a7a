import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEjected, isInPanic, isUnhealthy } from '../../lib/telemetry/availability.js';
import type { EndpointSnapshot } from '../../lib/telemetry/snapshot.js';

const EJECTION = { reason: 'failure_percentage', details: '', since: 0, untilMs: 1, ejections: 1 } as const;

function endpoint(
  state: EndpointSnapshot['state'],
  { health = null, ejected = false }: { health?: EndpointSnapshot['health']; ejected?: boolean } = {},
): EndpointSnapshot {
  const counts = { inFlight: 0, started: 0, succeeded: 0, failed: 0, since: 0 };
  const more = { zone: null, weight: null, lastError: null };
  return { address: '10.0.0.1:1', state, ...counts, ...more, health, ejected: ejected ? EJECTION : null };
}

const ready = endpoint('ready');
const serving = endpoint('ready', { health: 'SERVING' });
const unhealthy = endpoint('ready', { health: 'NOT_SERVING' });
const ejected = endpoint('ready', { ejected: true });

test('a connected endpoint is unhealthy unless its health check says that it serves, or there is none', () => {
  const healths = [null, 'UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN', 'UNIMPLEMENTED'] as const;
  assert.deepEqual(
    healths.filter((health) => isUnhealthy(endpoint('ready', { health }))),
    ['UNKNOWN', 'NOT_SERVING', 'SERVICE_UNKNOWN'],
  );
});

test('endpoints that are not connected, or drain, are neither ejected nor unhealthy', () => {
  for (const state of ['connecting', 'backoff', 'draining', 'idle'] as const) {
    const both = endpoint(state, { health: 'NOT_SERVING', ejected: true });
    assert.deepEqual([isEjected(both), isUnhealthy(both)], [false, false], state);
  }
  assert.deepEqual([isEjected(ejected), isUnhealthy(ejected)], [true, false]);
});

test('it is panic while every connected endpoint is ejected or unhealthy', () => {
  const inPanic = (...endpoints: EndpointSnapshot[]) => isInPanic({ state: 'READY', endpoints });
  assert.ok(inPanic(ejected, unhealthy));
  assert.ok(inPanic(unhealthy, endpoint('backoff')));
  assert.ok(!inPanic(ejected, ready) && !inPanic(unhealthy, serving));
  assert.ok(!inPanic() && !inPanic(endpoint('backoff'), endpoint('connecting', { health: 'UNKNOWN' })));
});

test('it is no panic yet while calls wait for endpoints that connect', () => {
  const endpoints = [unhealthy, endpoint('connecting')];
  assert.ok(!isInPanic({ state: 'CONNECTING', endpoints }) && isInPanic({ state: 'READY', endpoints }));
});

test('it is no panic while an endpoint that drains is healthy and takes the calls', () => {
  const inPanic = (draining: EndpointSnapshot) => isInPanic({ state: 'READY', endpoints: [unhealthy, draining] });
  assert.ok(!inPanic(endpoint('draining')) && !inPanic(endpoint('draining', { health: 'SERVING' })));
  assert.ok(inPanic(endpoint('draining', { health: 'NOT_SERVING' })));
  assert.ok(inPanic(endpoint('draining', { ejected: true })));
});
