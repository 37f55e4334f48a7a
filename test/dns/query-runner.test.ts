import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExchangeRequest } from '../../lib/dns/exchange.js';
import { settle } from '../support/fake-clock.js';
import { errorOf, NAME, NXDOMAIN, ONE, SERVFAIL, told, type Word, world } from '../support/fake-network.js';

const last = ({ server }: ExchangeRequest): string | undefined => server.host.split('.')[3];

describe('servers', () => {
  it('are asked no further once one answers', async () => {
    const { resolve, asked } = world(() => ['10.1.0.1', '10.1.0.2']);
    const resolution = await resolve();
    assert.deepEqual(told(resolution), ['A 10.1.0.1,10.1.0.2']);
    assert.deepEqual(asked(), [`1 udp A ${NAME}`]);
    const { name, server, transport, rcode } = resolution;
    assert.deepEqual(
      { name, server, transport, rcode },
      { name: NAME, server: '10.0.0.1:53', transport: 'udp', rcode: 'NOERROR' },
    );
  });

  for (const word of [
    'TIMEOUT',
    'UNREACHABLE',
    'MALFORMED',
    SERVFAIL,
    { rcode: 'REFUSED' },
    { rcode: 'NOTIMP' },
  ] as Word[])
    it(`fault 23: are passed over for the next one at ${typeof word === 'string' ? word : JSON.stringify(word)}`, async () => {
      const { resolve, asked } = world((request) => (last(request) === '1' ? word : ['10.1.0.1']));
      assert.deepEqual(told(await resolve()), ['A 10.1.0.1']);
      assert.deepEqual(asked(), [`1 udp A ${NAME}`, `2 udp A ${NAME}`]);
    });

  it('fault 23: are asked in rounds, and the last failure is told with the others', async () => {
    const words: Word[] = [SERVFAIL, 'UNREACHABLE', 'MALFORMED', { rcode: 'REFUSED' }];
    const { resolve, asked } = world(() => words.shift() as Word, { attempts: 2 });
    const resolution = await resolve();
    assert.deepEqual(told(resolution), ['A failed REFUSED']);
    assert.equal(asked().length, 4);
    const { message, server, hostname } = errorOf(resolution);
    assert.deepEqual([server, hostname], ['10.0.0.2:53', NAME]);
    assert.match(message, /"svc\.ns\.svc\.cluster\.local".*10\.0\.0\.2:53 answered REFUSED/);
    assert.match(message, /before that: 10\.0\.0\.1:53 SERVFAIL, 10\.0\.0\.2:53 UNREACHABLE, 10\.0\.0\.1:53 MALFORMED/);
    assert.deepEqual([resolution.server, resolution.rcode], ['10.0.0.2:53', 'REFUSED']);
  });

  it('fault 25: say NXDOMAIN for good: it names the name and the server, and no other server is asked', async () => {
    const { resolve, asked } = world(() => NXDOMAIN);
    const resolution = await resolve();
    assert.deepEqual(told(resolution), ['A empty NXDOMAIN']);
    assert.match(errorOf(resolution).message, /"svc\.ns\.svc\.cluster\.local": 10\.0\.0\.1:53 answered NXDOMAIN/);
    assert.equal(asked().length, 1);
    assert.equal((resolution.outcomes.get('A') as { ttlMs: number }).ttlMs, 5_000);
  });

  it('fault 29: say NODATA when every address is one that nothing can be connected to', async () => {
    const resolution = await world(() => ({ refused: 2 })).resolve();
    assert.deepEqual(told(resolution), ['A empty NODATA']);
    assert.match(errorOf(resolution).message, /2 that nothing can be connected to/);
  });

  it('fault 33: cost their timeout once when silent, and are asked last for half a minute', async () => {
    const { resolve, asked, clock } = world((request) => (last(request) === '1' ? 'TIMEOUT' : ['10.1.0.1']));
    await resolve();
    assert.equal(asked().length, 2);
    await clock.advance(29_999);
    await resolve();
    assert.deepEqual(asked(), [`2 udp A ${NAME}`]);
    await clock.advance(1);
    await resolve();
    assert.equal(asked().length, 2);
  });

  it('fault 33: are asked in their order when all were silent, and an answer redeems them', async () => {
    let word: Word = 'TIMEOUT';
    const { resolve, asked } = world(() => word, { attempts: 1 });
    await resolve();
    word = ['10.1.0.1'];
    await resolve();
    await resolve();
    assert.deepEqual(
      asked(),
      [1, 2, 1, 1].map((server) => `${server} udp A ${NAME}`),
    );
  });
});

describe('one attempt at a server', () => {
  it('fault 18: goes to TCP when the answer did not fit', async () => {
    const { resolve, asked, client } = world(({ transport }) => (transport === 'udp' ? 'truncated' : ['10.1.0.1']));
    assert.equal((await resolve()).transport, 'tcp');
    assert.deepEqual(asked(), [`1 udp A ${NAME}`, `1 tcp A ${NAME}`]);
    assert.equal(client.counters.truncated, 1);
  });

  it('fault 18: starts with TCP after two cut answers, and tries UDP again ten minutes later', async () => {
    const { resolve, asked, clock } = world(({ transport }) => (transport === 'udp' ? 'truncated' : ['10.1.0.1']));
    await resolve();
    await resolve();
    assert.equal(asked().length, 4);
    await resolve();
    assert.deepEqual(asked(), [`1 tcp A ${NAME}`]);
    await clock.advance(600_000);
    await resolve();
    assert.deepEqual(asked(), [`1 udp A ${NAME}`, `1 tcp A ${NAME}`]);
    await resolve();
    assert.deepEqual(asked(), [`1 tcp A ${NAME}`]);
  });

  it('goes back to UDP at once when TCP, asked first, does not work', async () => {
    let tcp: Word = ['10.1.0.1'];
    const { resolve, asked } = world(({ transport }) => (transport === 'udp' ? 'truncated' : tcp), { attempts: 1 });
    await resolve();
    await resolve();
    tcp = 'UNREACHABLE';
    asked();
    await resolve();
    assert.deepEqual(asked(), [`1 tcp A ${NAME}`, `2 udp A ${NAME}`, `2 tcp A ${NAME}`]);
  });

  it('fault 19: takes a cut answer over TCP as a part', async () => {
    const cut: Word = { truncated: true, addresses: ['10.1.0.1'] };
    const { resolve, asked } = world(({ transport }) => (transport === 'udp' ? 'truncated' : cut));
    assert.deepEqual(told(await resolve()), ['A 10.1.0.1 partial']);
    assert.equal(asked().length, 2);
  });

  it('fault 19: does not take a cut answer without an address for NODATA', async () => {
    const { resolve } = world(({ transport }) => (transport === 'udp' ? 'truncated' : { truncated: true }));
    assert.deepEqual(told(await resolve()), ['A failed MALFORMED']);
  });

  it('fault 20: leads to the next server when TCP is refused after TC', async () => {
    const { resolve, asked } = world((request) =>
      last(request) === '2' ? ['10.1.0.1'] : request.transport === 'udp' ? 'truncated' : 'UNREACHABLE',
    );
    assert.deepEqual(told(await resolve()), ['A 10.1.0.1']);
    assert.deepEqual(asked(), [`1 udp A ${NAME}`, `1 tcp A ${NAME}`, `2 udp A ${NAME}`]);
  });

  it('fault 2: goes to TCP when somebody guesses ids', async () => {
    const { resolve, asked } = world(({ transport }) => (transport === 'udp' ? 'suspect' : ['10.1.0.1']));
    assert.deepEqual(told(await resolve()), ['A 10.1.0.1']);
    assert.deepEqual(asked(), [`1 udp A ${NAME}`, `1 tcp A ${NAME}`]);
  });

  for (const rcode of ['FORMERR', 'BADVERS'])
    it(`fault 17: asks once more without EDNS at ${rcode}, and with it the next time`, async () => {
      const { resolve, asked, client } = world(({ edns }) => (edns ? { rcode } : ['10.1.0.1']));
      for (let count = 0; count < 2; count++) {
        assert.deepEqual(told(await resolve()), ['A 10.1.0.1']);
        assert.deepEqual(asked(), [`1 udp A ${NAME}`, `1 udp A ${NAME} no-edns`]);
      }
      assert.equal(client.counters.withoutEdns, 2);
    });

  it('fault 17: fails at FORMERR without EDNS too', async () => {
    const { resolve, asked } = world(() => ({ rcode: 'FORMERR' }), { servers: [ONE], attempts: 1 });
    assert.deepEqual(told(await resolve()), ['A failed RCODE']);
    assert.equal(asked().length, 2);
  });

  it('has one timeout for all its questions', async () => {
    const { resolve, clock, timeouts } = world(
      async ({ transport }) => {
        await clock.advance(300);
        return transport === 'udp' ? 'truncated' : ['10.1.0.1'];
      },
      { timeoutMs: 900 },
    );
    await resolve();
    assert.deepEqual(timeouts, [900, 600]);
  });
});

describe('the family', () => {
  const v6 = ['fd00::1'];

  it('auto asks for AAAA where A is NODATA only', async () => {
    const types = async (a: Word): Promise<string[]> => {
      const { resolve } = world(({ question }) => (question.type === 'A' ? a : v6), { family: 'auto', attempts: 1 });
      return told(await resolve());
    };
    assert.deepEqual(await types(['10.1.0.1']), ['A 10.1.0.1']);
    assert.deepEqual(await types([]), ['A empty NODATA', 'AAAA fd00::1']);
    assert.deepEqual(await types(NXDOMAIN), ['A empty NXDOMAIN']);
    assert.deepEqual(await types(SERVFAIL), ['A failed SERVFAIL']);
  });

  it('ipv6 asks for AAAA alone', async () => {
    assert.deepEqual(told(await world(() => v6, { family: 'ipv6' }).resolve()), ['AAAA fd00::1']);
  });

  it('dual asks for both at once', async () => {
    const types: string[] = [];
    const { resolve } = world(
      async ({ question }) => {
        types.push(question.type);
        await settle();
        return types.length < 2 ? 'TIMEOUT' : question.type === 'A' ? ['10.1.0.1'] : v6;
      },
      { family: 'dual' },
    );
    assert.deepEqual(told(await resolve()), ['A 10.1.0.1', 'AAAA fd00::1']);
  });

  it('fault 26: dual keeps the outcomes apart', async () => {
    const of = async (aaaa: Word): Promise<string[]> => {
      const { resolve } = world(({ question }) => (question.type === 'A' ? ['10.1.0.1'] : aaaa), { family: 'dual' });
      return told(await resolve());
    };
    assert.deepEqual(await of(SERVFAIL), ['A 10.1.0.1', 'AAAA failed SERVFAIL']);
    assert.deepEqual(await of('TIMEOUT'), ['A 10.1.0.1', 'AAAA failed TIMEOUT']);
    assert.deepEqual(await of([]), ['A 10.1.0.1', 'AAAA empty NODATA']);
  });
});

describe('the client', () => {
  it('fault 32: is not made for a name that DNS cannot ask for', () => {
    assert.throws(() => world(() => [], { hostname: 'a..b' }), { code: 'ERR_HEADLESS_TARGET' });
  });

  it("fault 44: rejects with the signal's reason, whatever it is, and with nothing else", async () => {
    const abort = new AbortController();
    const { client } = world(({ signal }) => {
      abort.abort('a reason that is no error');
      return Promise.reject(signal.reason);
    });
    await assert.rejects(client.resolve(abort.signal), (reason) => reason === 'a reason that is no error');
    await assert.rejects(client.resolve(abort.signal), (reason) => reason === 'a reason that is no error');
  });
});
