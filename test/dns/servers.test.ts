import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerOrder, TransportMemory } from '../../lib/dns/servers.js';
import { FakeClock } from '../support/fake-clock.js';

const servers = [1, 2, 3].map((last) => ({ host: `10.0.0.${last}`, port: 53 }));
const [one, two] = servers as [(typeof servers)[number], (typeof servers)[number]];

describe('the order of servers', () => {
  it('puts those with a penalty last, in their order, until it ends or they respond', async () => {
    const clock = new FakeClock();
    const order = new ServerOrder(clock);
    const hosts = (): string[] => order.sort(servers).map(({ host }) => host.slice(-1));
    assert.deepEqual(hosts(), ['1', '2', '3']);
    order.recordTimeout(two);
    order.recordTimeout(one);
    assert.deepEqual(hosts(), ['3', '1', '2']);
    order.recordResponse(one);
    assert.deepEqual(hosts(), ['1', '3', '2']);
    await clock.advance(30_000);
    assert.deepEqual(hosts(), ['1', '2', '3']);
  });
});

describe('the transport to begin with', () => {
  const question = { hostname: 'svc.ns', type: 'A' } as const;

  it('is TCP for ten minutes after two truncated responses to the same question in a row', async () => {
    const clock = new FakeClock();
    const memory = new TransportMemory(clock);
    memory.recordTruncation(question);
    memory.forget(question);
    memory.recordTruncation(question);
    assert.equal(memory.first(question), 'udp');
    memory.recordTruncation(question);
    assert.equal(memory.first(question), 'tcp');
    assert.equal(memory.first({ ...question, type: 'AAAA' }), 'udp');
    await clock.advance(600_000);
    assert.equal(memory.first(question), 'udp');
  });
});
