import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { BackgroundWork } from '../../lib/dns/background-work.js';
import { settle } from '../support/fake-clock.js';

describe('background work', () => {
  it('does not begin where its signal is aborted already', () => {
    const work = new BackgroundWork();
    let begun = 0;
    work.start(AbortSignal.abort(), async () => {
      begun += 1;
    });
    assert.equal(begun, 0);
    assert.equal(work.busy, false);
  });

  it('ends with a signal that it follows, be that aborted before or after', () => {
    for (const abortFirst of [true, false]) {
      const work = new BackgroundWork();
      let ended = false;
      work.start(new AbortController().signal, async (signal) => {
        await new Promise<void>((_, reject) => {
          signal.addEventListener('abort', () => {
            ended = true;
            reject(signal.reason);
          });
        });
      });
      const later = new AbortController();
      if (abortFirst) later.abort();
      work.follow(later.signal);
      if (!abortFirst) later.abort();
      assert.equal(ended, true);
    }
  });

  it('may begin work of its own that goes on after its end, until a signal that is followed later is aborted', async () => {
    const outer = new BackgroundWork();
    const inner = new BackgroundWork();
    let ended = false;
    outer.start(new AbortController().signal, async (signal) => {
      inner.start(signal, async (innerSignal) => {
        await new Promise<void>((_, reject) => {
          innerSignal.addEventListener('abort', () => {
            ended = true;
            reject(innerSignal.reason);
          });
        });
      });
    });
    await settle();
    assert.deepEqual([outer.busy, inner.busy, ended], [false, true, false]);
    const later = new AbortController();
    outer.follow(later.signal);
    later.abort();
    await settle();
    assert.deepEqual([inner.busy, ended], [false, true]);
  });

  it('leaves one listener on a signal that is followed again and again after its end', async () => {
    const work = new BackgroundWork();
    const { signal } = new AbortController();
    work.start(signal, async () => undefined);
    await settle();
    for (let count = 0; count < 20; count++) work.follow(signal);
    assert.equal(getEventListeners(signal, 'abort').length, 1);
    work.stop();
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
});
