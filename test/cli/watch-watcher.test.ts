import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { History } from '../../lib/cli/watch/history.js';
import { type Watched, Watcher } from '../../lib/cli/watch/watcher.js';
import type { Snapshot } from '../../lib/index.js';
import { FakeClock } from '../support/fake-clock.js';
import { endpoint, snapshot } from './watch-snapshots.js';

class FakeWatched extends EventEmitter implements Watched {
  now: Snapshot = snapshot();
  taken = 0;

  snapshot(): Snapshot {
    this.taken += 1;
    return this.now;
  }

  async refresh(): Promise<void> {}

  close(): void {}
}

function start() {
  const clock = new FakeClock();
  const watched = new FakeWatched();
  const watcher = new Watcher(watched, new History({ session: 'a', calls: false }, clock.wallTime()), clock);
  const heard: string[][] = [];
  watcher.onChange((changes) => heard.push(changes.map(({ text }) => text)));
  watcher.start();
  return { clock, watched, watcher, heard };
}

test('a state that changes without an event is seen within 200 milliseconds', async () => {
  const { clock, watched, watcher, heard } = start();
  heard.length = 0;
  watched.now = snapshot({ endpoints: [endpoint('10.1.0.1:1', 'ready', clock.wallTime())], dns: { addresses: [] } });
  await clock.advance(200);
  assert.deepEqual(heard, [['added: ready']]);
  watcher.stop();
});

test('an event of the channel is followed by a snapshot at once, and many in one turn by one', async () => {
  const { clock, watched, watcher, heard } = start();
  heard.length = 0;
  const { taken } = watched;
  watched.now = snapshot({ state: 'TRANSIENT_FAILURE' });
  for (const event of ['update', 'dnsFailure', 'zoneFallback', 'ejection', 'health', 'panic']) watched.emit(event);
  await clock.advance(0);
  assert.equal(watched.taken, taken + 1);
  assert.deepEqual(heard, [['is TRANSIENT_FAILURE']]);
  watcher.stop();
});

test('listeners are not called while nothing is new, nor after they ended', async () => {
  const { clock, watched, watcher, heard } = start();
  heard.length = 0;
  let others = 0;
  const stop = watcher.onChange(() => {
    others += 1;
  });
  stop();
  await clock.advance(2_000);
  watched.now = snapshot({ state: 'IDLE' });
  await clock.advance(200);
  assert.deepEqual([heard.length, others], [1, 0]);
  watcher.stop();
});

test('after the end no timer and no listener is left', async () => {
  const { clock, watched, watcher } = start();
  watched.emit('update');
  watcher.stop();
  assert.equal(clock.timers, 0);
  assert.deepEqual(watched.eventNames(), []);
});
