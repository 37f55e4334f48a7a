import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { addChannel, type ChannelView, channels } from '../../lib/telemetry/open-channels.js';
import { fakeContext } from '../support/fake-channel-context.js';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const views = (count: number): ChannelView[] => Array.from({ length: count }, () => fakeContext().context.view);

test('channels are listed in the order in which they were opened, until each is removed', () => {
  const [one, two, three] = views(3) as [ChannelView, ChannelView, ChannelView];
  const [removeOne, removeTwo, removeThree] = [one, two, three].map(addChannel) as [() => void, () => void, () => void];
  assert.deepEqual(channels(), [one, two, three]);
  removeTwo();
  removeTwo();
  assert.deepEqual(channels(), [one, three]);
  removeOne();
  removeThree();
  assert.deepEqual(channels(), []);
});

test('a channel that is dropped without being closed is collected, and leaves the list', async () => {
  const made = Array.from({ length: 100 }, () => {
    const [view] = views(1) as [ChannelView];
    addChannel(view);
    return new WeakRef(view);
  });
  for (let round = 0; round < 50 && channels().length > 0; round += 1) {
    // In turns of their own: within one turn nothing is collected that the list has just handed out.
    await setImmediate();
    collectGarbage();
    await setImmediate();
  }
  assert.deepEqual(channels(), []);
  assert.ok(made.every((reference) => reference.deref() === undefined));
});
