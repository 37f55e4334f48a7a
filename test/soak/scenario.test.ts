import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawScenario, LONGEST_EVENT_MS, type ScenarioSettings } from './scenario.js';

const settings: ScenarioSettings = { seed: 7, durationMs: 600_000, maxPods: 50, minPods: 20, graceMs: 3_500 };

test('the same seed gives the same scenario, another seed another one', () => {
  assert.deepEqual(drawScenario(settings), drawScenario(settings));
  assert.notDeepEqual(drawScenario(settings), drawScenario({ ...settings, seed: 8 }));
});

test('in ten minutes every kind of event happens, in order of time, and none begins shortly before the end', () => {
  const { events } = drawScenario(settings);
  const kinds = new Set(events.map(({ kind }) => kind));
  assert.deepEqual([...kinds].sort(), ['come', 'go', 'hang', 'kill', 'outage', 'restart', 'slow']);
  assert.deepEqual(
    events,
    events.toSorted((a, b) => a.atMs - b.atMs),
  );
  assert.ok(events.every(({ atMs }) => atMs >= 0 && atMs <= settings.durationMs - LONGEST_EVENT_MS));
});

test('for any seed the population stays within bounds, and no event happens to a pod that does not run or is faulty', () => {
  for (let seed = 0; seed < 50; seed++) {
    const { pods, events } = drawScenario({ ...settings, seed, durationMs: 120_000 });
    const alive = new Map(Array.from({ length: pods }, (_, pod) => [pod, 0]));
    for (const event of events) {
      if (event.kind === 'outage') continue;
      const { pod, atMs, kind } = event;
      if (kind === 'come') {
        assert.ok(!alive.has(pod));
        alive.set(pod, atMs);
      } else {
        const calmSince = alive.get(pod);
        assert.ok(calmSince !== undefined && calmSince <= atMs, `seed ${seed}: ${JSON.stringify(event)}`);
        if (kind === 'go' || kind === 'kill') alive.delete(pod);
        else alive.set(pod, atMs + (kind === 'restart' ? event.downMs : event.forMs));
      }
      assert.ok(alive.size >= settings.minPods && alive.size <= settings.maxPods);
      const troubled = [...alive.values()].filter((until) => until > atMs).length;
      assert.ok(troubled <= alive.size * 0.4, `seed ${seed}: ${troubled} of ${alive.size} pods are in trouble`);
    }
  }
});

test('outages of DNS never overlap', () => {
  const { events } = drawScenario(settings);
  let until = 0;
  for (const event of events)
    if (event.kind === 'outage') {
      assert.ok(event.atMs >= until);
      until = event.atMs + event.forMs;
    }
});
