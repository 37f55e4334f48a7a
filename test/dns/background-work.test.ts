import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BackgroundWork } from '../../lib/dns/background-work.js';

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
});
