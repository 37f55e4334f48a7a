import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NAME, type Word, world } from './fake-network.js';

const [udp, tcp] = [`1 udp A ${NAME}`, `1 tcp A ${NAME}`];
const servers = [{ host: '10.0.0.1', port: 53 }];

describe('a server that is silent over UDP', () => {
  it('is asked over TCP when its turn comes again: the reply may be too large for the path', async () => {
    const { resolve, asked } = world(({ transport }) => (transport === 'udp' ? 'TIMEOUT' : ['10.1.0.1']));
    const { server, transport } = await resolve();
    assert.deepEqual(asked(), [udp, `2 udp A ${NAME}`, tcp]);
    assert.deepEqual([server, transport], ['10.0.0.1:53', 'tcp']);
  });

  it('is asked over TCP first once that has helped twice in a row, for ten minutes', async () => {
    const { resolve, asked, clock } = world(({ transport }) => (transport === 'udp' ? 'TIMEOUT' : ['10.1.0.1']), {
      servers,
    });
    for (const expected of [[udp, tcp], [udp, tcp], [tcp], [tcp]]) {
      await resolve();
      assert.deepEqual(asked(), expected);
    }
    await clock.advance(600_000);
    await resolve();
    assert.deepEqual(asked(), [udp, tcp]);
  });

  it('is asked over UDP again at the next poll when it was silent over TCP too', async () => {
    const { resolve, asked } = world(() => 'TIMEOUT', { servers });
    for (let poll = 1; poll <= 3; poll++) {
      await resolve();
      assert.deepEqual(asked(), [udp, tcp]);
    }
  });

  it('is told from one that cannot be reached or makes no sense: those are asked over UDP again', async () => {
    for (const word of ['UNREACHABLE', 'MALFORMED', { rcode: 'SERVFAIL' }] satisfies Word[]) {
      const { resolve, asked } = world(() => word, { servers });
      await resolve();
      assert.deepEqual(asked(), [udp, udp]);
    }
  });
});
