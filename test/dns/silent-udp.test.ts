import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExchangeRequest } from '../../lib/dns/exchange.js';
import { NAME, type Word, world } from '../support/fake-network.js';

const udp = `1 udp A ${NAME}`;
const small = `${udp} no-edns`;
const tcp = `1 tcp A ${NAME}`;
const servers = [{ host: '10.0.0.1', port: 53 }];

/** A path that swallows datagrams above 512 octets, before a server whose answer has more. */
const narrow = ({ transport, edns }: Pick<ExchangeRequest, 'transport' | 'edns'>): Word => {
  if (transport === 'tcp') return ['10.1.0.1'];
  return edns ? 'TIMEOUT' : 'truncated';
};

describe('a server that is silent over UDP', () => {
  it('is asked without EDNS when its turn comes again: a lost datagram needs no TCP', async () => {
    const { resolve, asked } = world(({ edns }) => (edns ? 'TIMEOUT' : ['10.1.0.1']), { servers });
    const { transport } = await resolve();
    assert.deepEqual(asked(), [udp, small]);
    assert.equal(transport, 'udp');
  });

  it('is asked over TCP where the answer does not fit without EDNS: the path may swallow large datagrams', async () => {
    const { resolve, asked } = world(narrow, { servers });
    const { server, transport } = await resolve();
    assert.deepEqual(asked(), [udp, small, `${tcp} no-edns`]);
    assert.deepEqual([server, transport], ['10.0.0.1:53', 'tcp']);
  });

  it('is asked over TCP first once that has helped twice in a row, for ten minutes', async () => {
    const { resolve, asked, clock } = world(narrow, { servers });
    for (const expected of [[udp, small, `${tcp} no-edns`], [udp, small, `${tcp} no-edns`], [tcp], [tcp]]) {
      await resolve();
      assert.deepEqual(asked(), expected);
    }
    await clock.advance(600_000);
    await resolve();
    assert.deepEqual(asked(), [udp, small, `${tcp} no-edns`]);
  });

  it('is asked with EDNS again at the next poll', async () => {
    const { resolve, asked } = world(() => 'TIMEOUT', { servers });
    for (let poll = 1; poll <= 3; poll++) {
      await resolve();
      assert.deepEqual(asked(), [udp, small]);
    }
  });
});
