import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExchangeRequest } from '../../lib/dns/exchange.js';
import { covers } from '../faults/covers.js';
import {
  errorOf,
  type FakeAnswer,
  NAME,
  NXDOMAIN,
  ONE,
  outcomesOf,
  resolverFixture,
  SERVFAIL,
} from '../support/fake-network.js';

const last = ({ server }: ExchangeRequest): string | undefined => server.host.split('.')[3];

describe('servers', () => {
  it('are not asked once an earlier one has answered', async () => {
    const { resolve, takeQueries } = resolverFixture(() => ['10.1.0.1', '10.1.0.2']);
    const resolution = await resolve();
    assert.deepEqual(outcomesOf(resolution), ['A 10.1.0.1,10.1.0.2']);
    assert.deepEqual(takeQueries(), [`1 udp A ${NAME}`]);
    const { name, server, transport, rcode } = resolution;
    assert.deepEqual(
      { name, server, transport, rcode },
      { name: NAME, server: '10.0.0.1:53', transport: 'udp', rcode: 'NOERROR' },
    );
  });

  for (const answer of [
    'timeout',
    'unreachable',
    'malformed',
    SERVFAIL,
    { rcode: 'REFUSED' },
    { rcode: 'NOTIMP' },
  ] as FakeAnswer[])
    it(
      `are followed by the next one at ${typeof answer === 'string' ? answer : JSON.stringify(answer)}`,
      covers(23),
      async () => {
        const { resolve, takeQueries } = resolverFixture((request) => (last(request) === '1' ? answer : ['10.1.0.1']));
        assert.deepEqual(outcomesOf(await resolve()), ['A 10.1.0.1']);
        assert.deepEqual(takeQueries(), [`1 udp A ${NAME}`, `2 udp A ${NAME}`]);
      },
    );

  it('are asked in rounds, and the last failure is reported together with the earlier ones', covers(23), async () => {
    const answers: FakeAnswer[] = [SERVFAIL, 'unreachable', 'malformed', { rcode: 'REFUSED' }];
    const { resolve, takeQueries } = resolverFixture(() => answers.shift() as FakeAnswer, { attempts: 2 });
    const resolution = await resolve();
    assert.deepEqual(outcomesOf(resolution), ['A failed refused']);
    assert.equal(takeQueries().length, 4);
    const { message, server, hostname } = errorOf(resolution);
    assert.deepEqual([server, hostname], ['10.0.0.2:53', NAME]);
    assert.match(message, /"svc\.ns\.svc\.cluster\.local".*10\.0\.0\.2:53 answered REFUSED/);
    assert.match(message, /before that: 10\.0\.0\.1:53 SERVFAIL, 10\.0\.0\.2:53 UNREACHABLE, 10\.0\.0\.1:53 MALFORMED/);
    assert.deepEqual([resolution.server, resolution.rcode], ['10.0.0.2:53', 'REFUSED']);
  });

  it('are not asked after NXDOMAIN, which is reported with the name and the server', covers(25), async () => {
    const { resolve, takeQueries } = resolverFixture(() => NXDOMAIN);
    const resolution = await resolve();
    assert.deepEqual(outcomesOf(resolution), ['A empty nxdomain']);
    assert.match(errorOf(resolution).message, /"svc\.ns\.svc\.cluster\.local": 10\.0\.0\.1:53 answered NXDOMAIN/);
    assert.equal(takeQueries().length, 1);
    assert.equal((resolution.outcomes.get('A') as { ttlMs: number }).ttlMs, 5_000);
  });

  it('answer NODATA when no connection can be opened to any of the addresses', covers(29), async () => {
    const resolution = await resolverFixture(() => ({ refused: 2 })).resolve();
    assert.deepEqual(outcomesOf(resolution), ['A empty nodata']);
    assert.match(errorOf(resolution).message, /NODATA \(the name has 2 A records, but no connection can be opened/);
  });

  it(
    'cost their timeout once when they do not respond, and are then asked last for 30 seconds',
    covers(33),
    async () => {
      const { resolve, takeQueries, clock } = resolverFixture((request) =>
        last(request) === '1' ? 'timeout' : ['10.1.0.1'],
      );
      await resolve();
      assert.equal(takeQueries().length, 2);
      await clock.advance(29_999);
      await resolve();
      assert.deepEqual(takeQueries(), [`2 udp A ${NAME}`]);
      await clock.advance(1);
      await resolve();
      assert.equal(takeQueries().length, 2);
    },
  );

  it('are asked in their order when none responded, and lose their penalty when they respond', covers(33), async () => {
    let answer: FakeAnswer = 'timeout';
    const { resolve, takeQueries } = resolverFixture(() => answer, { attempts: 1 });
    await resolve();
    answer = ['10.1.0.1'];
    await resolve();
    await resolve();
    assert.deepEqual(
      takeQueries(),
      [1, 2, 1, 1].map((server) => `${server} udp A ${NAME}`),
    );
  });
});

describe('the DO and CD bits', () => {
  const both = { dnssecOk: true, checkingDisabled: true };

  it('are sent as asked, with every query, and reported', async () => {
    const { resolve, takeQueries } = resolverFixture(({ transport }) =>
      transport === 'udp' ? 'truncated' : ['10.1.0.1'],
    );
    assert.deepEqual((await resolve(both)).bits, both);
    assert.deepEqual(takeQueries(), [`1 udp A ${NAME} DO CD`, `1 tcp A ${NAME} DO CD`]);
    const justDo = { dnssecOk: true, checkingDisabled: false };
    assert.deepEqual((await resolve(justDo)).bits, justDo);
    assert.deepEqual((await resolve()).bits, { dnssecOk: false, checkingDisabled: false });
  });

  it('are reported without DO where the server makes EDNS impossible', async () => {
    const { resolve, takeQueries } = resolverFixture(({ edns }) => (edns ? { rcode: 'FORMERR' } : ['10.1.0.1']));
    assert.deepEqual((await resolve(both)).bits, { dnssecOk: false, checkingDisabled: true });
    assert.deepEqual(takeQueries(), [`1 udp A ${NAME} DO CD`, `1 udp A ${NAME} no-edns CD`]);
  });

  it('are reported as null where no response came', async () => {
    assert.equal((await resolverFixture(() => 'timeout').resolve(both)).bits, null);
  });
});

describe('one attempt at a server', () => {
  it('goes to TCP when the answer was truncated', covers(18), async () => {
    const { resolve, takeQueries, counters } = resolverFixture(({ transport }) =>
      transport === 'udp' ? 'truncated' : ['10.1.0.1'],
    );
    assert.equal((await resolve()).transport, 'tcp');
    assert.deepEqual(takeQueries(), [`1 udp A ${NAME}`, `1 tcp A ${NAME}`]);
    assert.equal(counters.truncated, 1);
  });

  it('begins with TCP after two truncated answers, and with UDP again ten minutes later', covers(18), async () => {
    const { resolve, takeQueries, clock } = resolverFixture(({ transport }) =>
      transport === 'udp' ? 'truncated' : ['10.1.0.1'],
    );
    await resolve();
    await resolve();
    assert.equal(takeQueries().length, 4);
    await resolve();
    assert.deepEqual(takeQueries(), [`1 tcp A ${NAME}`]);
    await clock.advance(600_000);
    await resolve();
    assert.deepEqual(takeQueries(), [`1 udp A ${NAME}`, `1 tcp A ${NAME}`]);
    await resolve();
    assert.deepEqual(takeQueries(), [`1 tcp A ${NAME}`]);
  });

  it('begins with UDP again at once when TCP was asked first and failed', async () => {
    let tcp: FakeAnswer = ['10.1.0.1'];
    const { resolve, takeQueries } = resolverFixture(({ transport }) => (transport === 'udp' ? 'truncated' : tcp), {
      attempts: 1,
    });
    await resolve();
    await resolve();
    tcp = 'unreachable';
    takeQueries();
    await resolve();
    assert.deepEqual(takeQueries(), [`1 tcp A ${NAME}`, `2 udp A ${NAME}`, `2 tcp A ${NAME}`]);
  });

  it('takes a truncated answer over TCP as partial', covers(19), async () => {
    const cut: FakeAnswer = { truncated: true, addresses: ['10.1.0.1'] };
    const { resolve, takeQueries } = resolverFixture(({ transport }) => (transport === 'udp' ? 'truncated' : cut));
    assert.deepEqual(outcomesOf(await resolve()), ['A 10.1.0.1 partial']);
    assert.equal(takeQueries().length, 2);
  });

  it('does not take a truncated answer without an address for NODATA', covers(19), async () => {
    const { resolve } = resolverFixture(({ transport }) => (transport === 'udp' ? 'truncated' : { truncated: true }));
    assert.deepEqual(outcomesOf(await resolve()), ['A failed malformed']);
  });

  it('is followed by the next server when TCP is refused after TC', covers(20), async () => {
    const { resolve, takeQueries } = resolverFixture((request) =>
      last(request) === '2' ? ['10.1.0.1'] : request.transport === 'udp' ? 'truncated' : 'unreachable',
    );
    assert.deepEqual(outcomesOf(await resolve()), ['A 10.1.0.1']);
    assert.deepEqual(takeQueries(), [`1 udp A ${NAME}`, `1 tcp A ${NAME}`, `2 udp A ${NAME}`]);
  });

  it('goes to TCP when the id of a response does not match', covers(2), async () => {
    const { resolve, takeQueries } = resolverFixture(({ transport }) =>
      transport === 'udp' ? 'id-mismatch' : ['10.1.0.1'],
    );
    assert.deepEqual(outcomesOf(await resolve()), ['A 10.1.0.1']);
    assert.deepEqual(takeQueries(), [`1 udp A ${NAME}`, `1 tcp A ${NAME}`]);
  });

  for (const rcode of ['FORMERR', 'BADVERS'])
    it(`is repeated without EDNS at ${rcode}, and made with EDNS at the next resolution`, covers(17), async () => {
      const { resolve, takeQueries, counters } = resolverFixture(({ edns }) => (edns ? { rcode } : ['10.1.0.1']));
      for (let count = 0; count < 2; count++) {
        assert.deepEqual(outcomesOf(await resolve()), ['A 10.1.0.1']);
        assert.deepEqual(takeQueries(), [`1 udp A ${NAME}`, `1 udp A ${NAME} no-edns`]);
      }
      assert.equal(counters.withoutEdns, 2);
    });

  it('fails when the answer is FORMERR without EDNS too', covers(17), async () => {
    const { resolve, takeQueries } = resolverFixture(() => ({ rcode: 'FORMERR' }), { servers: [ONE], attempts: 1 });
    assert.deepEqual(outcomesOf(await resolve()), ['A failed rcode']);
    assert.equal(takeQueries().length, 2);
  });

  it('has one timeout for all its queries', async () => {
    const { resolve, clock, timeouts } = resolverFixture(
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

const udp = `1 udp A ${NAME}`;
const small = `${udp} no-edns`;
const tcp = `1 tcp A ${NAME}`;

/** A path that drops datagrams above 512 octets, before a server whose answer is larger. */
const narrow = ({ transport, edns }: Pick<ExchangeRequest, 'transport' | 'edns'>): FakeAnswer => {
  if (transport === 'tcp') return ['10.1.0.1'];
  return edns ? 'timeout' : 'truncated';
};

describe('a server that is silent over UDP', () => {
  it('is asked without EDNS in the next round, because a lost datagram needs no TCP', async () => {
    const { resolve, takeQueries } = resolverFixture(({ edns }) => (edns ? 'timeout' : ['10.1.0.1']), {
      servers: [ONE],
    });
    const { transport } = await resolve();
    assert.deepEqual(takeQueries(), [udp, small]);
    assert.equal(transport, 'udp');
  });

  it('is asked over TCP where the answer does not fit without EDNS, because the path may drop large datagrams', async () => {
    const { resolve, takeQueries } = resolverFixture(narrow, { servers: [ONE] });
    const { server, transport } = await resolve();
    assert.deepEqual(takeQueries(), [udp, small, `${tcp} no-edns`]);
    assert.deepEqual([server, transport], ['10.0.0.1:53', 'tcp']);
  });

  it('is asked over TCP first for ten minutes after that has happened twice in a row', async () => {
    const { resolve, takeQueries, clock } = resolverFixture(narrow, { servers: [ONE] });
    for (const expected of [[udp, small, `${tcp} no-edns`], [udp, small, `${tcp} no-edns`], [tcp], [tcp]]) {
      await resolve();
      assert.deepEqual(takeQueries(), expected);
    }
    await clock.advance(600_000);
    await resolve();
    assert.deepEqual(takeQueries(), [udp, small, `${tcp} no-edns`]);
  });

  it('is asked with EDNS again at the next resolution', async () => {
    const { resolve, takeQueries } = resolverFixture(() => 'timeout', { servers: [ONE] });
    for (let poll = 1; poll <= 3; poll++) {
      await resolve();
      assert.deepEqual(takeQueries(), [udp, small]);
    }
  });
});
