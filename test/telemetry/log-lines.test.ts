import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Subject } from '../../lib/telemetry/diagnostics-channels.js';
import type { TelemetryEvent } from '../../lib/telemetry/events.js';
import { logLines } from '../../lib/telemetry/log-lines.js';
import { NAME_EVENTS, TARGET_EVENTS } from '../support/sample-events.js';

function lineOf(subject: Subject, event: TelemetryEvent): string {
  const lines: string[] = [];
  logLines(subject, (line) => lines.push(line))(event);
  assert.equal(lines.length, 1);
  return lines[0] as string;
}

for (const event of [...Object.values(TARGET_EVENTS), ...Object.values(NAME_EVENTS)])
  test(`${event.kind} is one line with all that the event tells`, () => {
    const line = lineOf({ name: 'svc.ns' }, event);
    assert.match(line, /^svc\.ns: \S[^\n]*$/);
    assert.doesNotMatch(line, /undefined|\[object|null/);
    const { kind: _, ...told } = event as TelemetryEvent & Record<string, unknown>;
    for (const value of Object.values(told))
      if (typeof value === 'string' && value !== 'addresses') assert.ok(line.includes(value), `${line}: no ${value}`);
  });

const { addresses_changed, resolution_failed, zone_fallback } = TARGET_EVENTS;
const many = Array.from({ length: 12 }, (_, index) => ({ host: `10.0.0.${index}`, port: 1 }));
const cases: [event: TelemetryEvent, expected: string][] = [
  [addresses_changed, 'the set has 2 addresses: 10.0.0.1:50051, [fd00::1]:50051'],
  [{ ...addresses_changed, addresses: [] }, 'the set has 0 addresses'],
  [
    { ...addresses_changed, addresses: many },
    `the set has 12 addresses: ${many
      .slice(0, 10)
      .map(({ host }) => `${host}:1`)
      .join(', ')} and 2 more`,
  ],
  [resolution_failed, 'no addresses (failure 2 in a row), 3 known ones stay in use: A of "svc.ns": NXDOMAIN'],
  [{ ...resolution_failed, failures: 0 }, 'no addresses, 3 known ones stay in use: A of "svc.ns": NXDOMAIN'],
  [{ ...zone_fallback, active: false }, 'DNS has a name for the zone eu-1a again'],
  [NAME_EVENTS.poll_settled, 'poll ended after 2 ms: addresses; the set changed'],
  [
    { ...NAME_EVENTS.poll_settled, result: 'empty', changed: false },
    'poll ended after 2 ms: NXDOMAIN or no addresses; the set is the same',
  ],
  [{ kind: 'query_sent', transport: 'lookup' }, 'lookup called'],
  [{ kind: 'query_failed', transport: 'lookup', reason: 'lookup' }, 'lookup failed'],
];
for (const [event, expected] of cases)
  test(`${event.kind} is written as: ${expected}`, () => {
    assert.equal(lineOf({ target: 'headless:///svc.ns:1' }, event), `headless:///svc.ns:1: ${expected}`);
  });
