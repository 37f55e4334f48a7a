import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CHANNELS, publishTo } from '../../lib/telemetry/diagnostics-channels.js';
import type { TelemetryEvent } from '../../lib/telemetry/events.js';
import { NAME_EVENTS, TARGET_EVENTS } from '../support/sample-events.js';
import { uncaughtDuring } from '../support/uncaught.js';

const target = { target: 'headless:///svc.ns:1' };
const name = { name: 'svc.ns' };

const samples = [
  ...Object.values(TARGET_EVENTS).map((event) => ({ event, subject: target })),
  ...Object.values(NAME_EVENTS).map((event) => ({ event, subject: name })),
];

/** Messages on the channel while `action` runs. */
function messagesDuring(channel: string, action: () => void): unknown[] {
  const messages: unknown[] = [];
  const listener = (message: unknown): void => void messages.push(message);
  subscribe(channel, listener);
  action();
  unsubscribe(channel, listener);
  return messages;
}

test('every event has a channel of its name', () => {
  assert.deepEqual(
    Object.entries(CHANNELS).map(([kind, { name }]) => [kind, name]),
    Object.keys(CHANNELS).map((kind) => [kind, `grpc-headless:${kind}`]),
  );
  assert.deepEqual(Object.keys(CHANNELS).toSorted(), samples.map(({ event }) => event.kind).toSorted());
});

for (const { event, subject } of samples)
  test(`grpc-headless:${event.kind} gets the event with its ${Object.keys(subject)[0]}`, () => {
    const publish = publishTo(subject);
    assert.deepEqual(
      messagesDuring(`grpc-headless:${event.kind}`, () => publish(event)),
      [{ ...subject, ...event }],
    );
  });

test('without a listener nothing of the event is read but its kind', () => {
  const event = new Proxy(NAME_EVENTS.query_sent, {
    get: (_, key) => (key === 'kind' ? 'query_sent' : assert.fail(`${String(key)} was read`)),
    ownKeys: () => assert.fail('the event was copied'),
  });
  publishTo(name)(event);
});

test('a listener that throws does not stop what emits; its error surfaces', async () => {
  const listener = (): void => {
    throw new Error('of the listener');
  };
  subscribe('grpc-headless:poll_started', listener);
  const uncaught = await uncaughtDuring(async () => publishTo(name)(NAME_EVENTS.poll_started));
  unsubscribe('grpc-headless:poll_started', listener);
  assert.deepEqual(uncaught.map(String), ['Error: of the listener']);
});

test('the documentation lists every channel under its subject, with the fields of its messages', () => {
  const text = readFileSync(new URL('../../docs/monitoring.md', import.meta.url), 'utf8');
  const section = text.slice(text.indexOf('## Diagnostics channels'), text.indexOf('## The log'));
  const [ofTargets = '', ofNames = ''] = section.split('Those of a name that is asked for');
  const listed = (part: string): Record<string, string[]> =>
    Object.fromEntries(
      Array.from(part.matchAll(/^\| `grpc-headless:(\w+)` \| (.*?) \|/gm), ([, kind, fields]) => [
        kind,
        Array.from((fields as string).matchAll(/`(\w+)`/g), ([, field]) => field as string),
      ]),
    );
  const fieldsOf = (events: Readonly<Record<string, TelemetryEvent>>): Record<string, string[]> =>
    Object.fromEntries(
      Object.entries(events).map(([kind, event]) => [kind, Object.keys(event).filter((field) => field !== 'kind')]),
    );
  assert.deepEqual(listed(ofTargets), fieldsOf(TARGET_EVENTS));
  assert.deepEqual(listed(ofNames), fieldsOf(NAME_EVENTS));
});
