import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Resolution } from '../../lib/dns/resolution.js';
import type { ServiceRecord } from '../../lib/dns/service-records.js';
import { covers } from '../faults/covers.js';
import { type FakeAnswer, NXDOMAIN, ONE, outcomesOf, SERVFAIL, serviceFixture } from '../support/fake-network.js';

const SRV = '_grpc._tcp.svc.ns';

/** A record of priority 0 and weight 100 unless told otherwise, whose target has these addresses in the response. */
function to(target: string, port: number, parts: Partial<ServiceRecord> = {}): ServiceRecord {
  return { priority: 0, weight: 100, port, target, ipv4: [], ipv6: [], ...parts };
}

function services(...records: ServiceRecord[]): FakeAnswer {
  return { services: records, ttlMs: 30_000 };
}

/** A fixture in which questions have the answers of `zone`, by `"type name"`; no other name exists. */
function fixture(zone: Record<string, FakeAnswer>, options: Partial<Parameters<typeof serviceFixture>[1]> = {}) {
  return serviceFixture(({ question }) => zone[`${question.type} ${question.hostname}`] ?? NXDOMAIN, {
    hostname: SRV,
    servers: [ONE],
    attempts: 1,
    ...options,
  });
}

function endpointsOf({ outcomes }: Resolution): object[] {
  const outcome = outcomes.get('SRV');
  assert.ok(outcome?.kind === 'addresses', JSON.stringify(outcome));
  assert.deepEqual(
    outcome.services?.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)),
    outcome.addresses,
  );
  return [...(outcome.services ?? [])];
}

function messageOf({ outcomes }: Resolution): string {
  const outcome = outcomes.get('SRV');
  assert.ok(outcome !== undefined && outcome.kind !== 'addresses');
  return outcome.error.message;
}

describe('the endpoints of a named port', () => {
  it('have the ports and weights of their records, and the addresses of the response', covers(62), async () => {
    const { resolve, takeQueries } = fixture({
      [`SRV ${SRV}`]: services(
        to('a.svc', 1_001, { ipv4: ['10.0.0.1'], weight: 60 }),
        to('b.svc', 1_002, { ipv4: ['10.0.0.2'] }),
      ),
    });
    assert.deepEqual(endpointsOf(await resolve()), [
      { host: '10.0.0.1', port: 1_001, weight: 60 },
      { host: '10.0.0.2', port: 1_002, weight: 100 },
    ]);
    assert.deepEqual(takeQueries(), [`1 udp SRV ${SRV}`]);
  });

  it('are one for both families of a target, by the family that is set', async () => {
    const both = to('a.svc', 1, { ipv4: ['10.0.0.1'], ipv6: ['fd00::1'] });
    const only6 = to('b.svc', 1, { ipv6: ['fd00::2'] });
    const of = async (family: 'auto' | 'dual' | 'ipv4' | 'ipv6'): Promise<string[]> => {
      const { resolve } = fixture({ [`SRV ${SRV}`]: services(both, only6) }, { family });
      return outcomesOf(await resolve());
    };
    assert.deepEqual(await of('auto'), ['SRV 10.0.0.1:1,[fd00::2]:1']);
    assert.deepEqual(await of('dual'), ['SRV 10.0.0.1:1,[fd00::2]:1']);
    assert.deepEqual(await of('ipv4'), ['SRV 10.0.0.1:1']);
    assert.deepEqual(await of('ipv6'), ['SRV [fd00::1]:1,[fd00::2]:1']);
  });

  it('are one for each address and port, however many records name it', async () => {
    const { resolve } = fixture({
      [`SRV ${SRV}`]: services(
        to('a.svc', 1, { ipv4: ['10.0.0.1', '10.0.0.2'] }),
        to('b.svc', 1, { ipv4: ['10.0.0.1'] }),
        to('a.svc', 2, { ipv4: ['10.0.0.1', '10.0.0.2'] }),
      ),
    });
    assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.1:1,10.0.0.2:1,10.0.0.1:2,10.0.0.2:2']);
  });

  it('are those of the lowest priority number that has an address', async () => {
    const zone: Record<string, FakeAnswer> = {
      [`SRV ${SRV}`]: services(
        to('spare.svc', 1, { priority: 20, ipv4: ['10.0.0.9'] }),
        to('main.svc', 1, { priority: 10, ipv4: ['10.0.0.1'] }),
      ),
    };
    const { resolve } = fixture(zone);
    assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.1:1']);
    zone[`SRV ${SRV}`] = services(to('spare.svc', 1, { priority: 20, ipv4: ['10.0.0.9'] }), to('main.svc', 1));
    assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.9:1'], 'the target of the lower number does not exist');
  });

  it('are a part of the set where the response is truncated', covers(19), async () => {
    const part = { services: [to('a.svc', 1, { ipv4: ['10.0.0.1'] })], truncated: true };
    const { resolve } = fixture({ [`SRV ${SRV}`]: part });
    assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.1:1 partial']);
  });

  it('come over TCP where the response over UDP is truncated', covers(18), async () => {
    const { resolve, takeQueries } = serviceFixture(
      ({ transport }) => (transport === 'udp' ? 'truncated' : services(to('a.svc', 1, { ipv4: ['10.0.0.1'] }))),
      { hostname: SRV, servers: [ONE] },
    );
    assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.1:1']);
    assert.deepEqual(takeQueries(), [`1 udp SRV ${SRV}`, `1 tcp SRV ${SRV}`]);
  });

  it('are asked for with the bits that the poller wants', async () => {
    const { resolve, takeQueries } = fixture({ [`SRV ${SRV}`]: services(to('a.svc', 1)), 'A a.svc': ['10.0.0.1'] });
    await resolve({ dnssecOk: true, checkingDisabled: true });
    assert.deepEqual(takeQueries(), [`1 udp SRV ${SRV} DO CD`, '1 udp A a.svc DO CD']);
  });

  it('are found through the search list', async () => {
    const { resolve } = fixture(
      { [`SRV ${SRV}.b`]: services(to('a.svc', 1, { ipv4: ['10.0.0.1'] })) },
      { absolute: false, search: ['a', 'b'], ndots: 5 },
    );
    const resolution = await resolve();
    assert.deepEqual([outcomesOf(resolution), resolution.name], [['SRV 10.0.0.1:1'], `${SRV}.b`]);
  });
});

describe('targets that the response has no address for', () => {
  it('are asked for: A, and AAAA after NODATA', covers(62), async () => {
    const { resolve, takeQueries } = fixture(
      {
        [`SRV ${SRV}`]: services(to('a.svc', 1), to('b.svc', 1), to('c.svc', 1, { ipv4: ['10.0.0.3'] })),
        'A a.svc': ['10.0.0.1'],
        'A b.svc': [],
        'AAAA b.svc': ['fd00::2'],
      },
      { family: 'auto' },
    );
    assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.1:1,[fd00::2]:1,10.0.0.3:1']);
    assert.deepEqual(takeQueries().sort(), ['1 udp A a.svc', '1 udp A b.svc', '1 udp AAAA b.svc', `1 udp SRV ${SRV}`]);
  });

  it('are left out where they have none, and the others stay', covers(62), async () => {
    const { resolve } = fixture({
      [`SRV ${SRV}`]: services(to('gone.svc', 1), to('empty.svc', 1), to('a.svc', 1)),
      'A empty.svc': [],
      'A a.svc': ['10.0.0.1'],
    });
    assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.1:1']);
  });

  it(
    'keep the address that they had while it cannot be asked for, and the failure is reported',
    covers(62),
    async () => {
      const zone: Record<string, FakeAnswer> = {
        [`SRV ${SRV}`]: services(to('a.svc', 1), to('b.svc', 1)),
        'A a.svc': ['10.0.0.1'],
        'A b.svc': ['10.0.0.2'],
      };
      const { resolve } = fixture(zone);
      await resolve();
      zone['A b.svc'] = SERVFAIL;
      assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.1:1,10.0.0.2:1', 'A failed servfail']);
      zone['A b.svc'] = ['10.0.0.3'];
      assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.1:1,10.0.0.3:1']);
      // A target that the records no longer name is forgotten.
      zone[`SRV ${SRV}`] = services(to('a.svc', 1));
      await resolve();
      zone[`SRV ${SRV}`] = services(to('a.svc', 1), to('b.svc', 1));
      zone['A b.svc'] = SERVFAIL;
      assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.1:1', 'A failed servfail']);
    },
  );

  it('keep an address that an earlier response had', async () => {
    const zone: Record<string, FakeAnswer> = { [`SRV ${SRV}`]: services(to('a.svc', 1, { ipv4: ['10.0.0.1'] })) };
    const { resolve } = fixture(zone);
    await resolve();
    zone[`SRV ${SRV}`] = services(to('a.svc', 1));
    zone['A a.svc'] = 'timeout';
    assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.1:1', 'A failed timeout']);
  });

  it('fail as a whole where none can be asked for, and are NODATA where none has an address', async () => {
    const zone: Record<string, FakeAnswer> = { [`SRV ${SRV}`]: services(to('a.svc', 1)), 'A a.svc': SERVFAIL };
    const { resolve } = fixture(zone);
    assert.deepEqual(outcomesOf(await resolve()), ['SRV failed servfail']);
    delete zone['A a.svc'];
    const resolution = await resolve();
    assert.deepEqual(outcomesOf(resolution), ['SRV empty nodata']);
    assert.match(messageOf(resolution), /SRV records, but there is no address for a\.svc$/);
  });

  it('are asked for eight at a time, and no more of them after a timeout', async () => {
    const records = Array.from({ length: 30 }, (_, index) => to(`p${index}.svc`, 1));
    let underWay = 0;
    let most = 0;
    let answer: FakeAnswer = ['10.0.0.1'];
    const { resolve, takeQueries } = serviceFixture(
      async ({ question }) => {
        if (question.type === 'SRV') return services(...records);
        most = Math.max(most, ++underWay);
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        return answer;
      },
      { hostname: SRV, servers: [ONE], attempts: 1 },
    );
    await resolve();
    assert.deepEqual([most, takeQueries().length], [8, 31]);
    answer = 'timeout';
    await resolve();
    assert.equal(takeQueries().length, 9);
  });

  it('of a very large set have their turn in one of the next polls', async () => {
    const records = Array.from({ length: 600 }, (_, index) => to(`p${index}.svc`, 1));
    const { resolve, takeQueries } = serviceFixture(
      ({ question: { type, hostname } }) => {
        const index = Number(/\d+/.exec(hostname)?.[0]);
        return type === 'SRV' ? services(...records) : [`10.1.${index >> 8}.${index & 255}`];
      },
      { hostname: SRV, servers: [ONE] },
    );
    const sizes: number[] = [];
    for (let poll = 0; poll < 4; poll++) {
      sizes.push(endpointsOf(await resolve()).length);
      assert.equal(takeQueries().length, 257);
    }
    assert.deepEqual(sizes, [256, 512, 600, 600]);
  });

  it('of all priorities together are at most 256 in a poll, and the others have their turn in the next poll', async () => {
    const records = Array.from({ length: 500 }, (_, index) => to(`p${index}.svc`, 1, { priority: index }));
    const zone: Record<string, FakeAnswer> = { [`SRV ${SRV}`]: services(...records), 'A p499.svc': ['10.0.0.1'] };
    const { resolve, takeQueries } = fixture(zone);
    const asked = (): string[] => takeQueries().filter((query) => !query.includes(' SRV '));
    assert.deepEqual(outcomesOf(await resolve()), ['SRV empty nodata']);
    const first = asked();
    assert.equal(first.length, 256);
    assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.1:1']);
    assert.equal(new Set([...first, ...asked()]).size, 500);
    zone['A p499.svc'] = ['10.0.0.2'];
    assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.1:1'], 'the lower numbers are asked for again first');
    assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.2:1']);
  });

  for (const failure of ['timeout', 'unreachable', 'malformed'] as const)
    it(`of no other priority are asked for in the poll after ${failure}, but in the next one`, async () => {
      const zone: Record<string, FakeAnswer> = {
        [`SRV ${SRV}`]: services(
          to('main.svc', 1, { priority: 1 }),
          to('spare.svc', 1, { priority: 2 }),
          to('last.svc', 1, { priority: 3, ipv4: ['10.0.0.3'] }),
        ),
        'A main.svc': failure,
        'A spare.svc': failure,
      };
      const { resolve, takeQueries } = fixture(zone);
      // What the response itself has is still used.
      assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.3:1', `A failed ${failure}`]);
      assert.deepEqual(takeQueries(), [`1 udp SRV ${SRV}`, '1 udp A main.svc']);
      zone['A spare.svc'] = ['10.0.0.2'];
      assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.2:1', `A failed ${failure}`]);
      assert.deepEqual(takeQueries(), [`1 udp SRV ${SRV}`, '1 udp A spare.svc']);
      zone['A main.svc'] = ['10.0.0.1'];
      assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.1:1']);
    });

  it('are asked for in the next priority after an error RCODE', async () => {
    const { resolve } = fixture({
      [`SRV ${SRV}`]: services(to('main.svc', 1, { priority: 1 }), to('spare.svc', 1, { priority: 2 })),
      'A main.svc': SERVFAIL,
      'A spare.svc': ['10.0.0.2'],
    });
    assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.2:1', 'A failed servfail']);
  });

  it('are not asked for again at each poll where the response has an address of another family', async () => {
    const { resolve, takeQueries, clock } = fixture({
      [`SRV ${SRV}`]: services(to('a.svc', 1, { ipv4: ['10.0.0.1'] }), to('b.svc', 1, { ipv6: ['fd00::2'] })),
      'A b.svc': [],
    });
    for (let poll = 0; poll < 3; poll++) assert.deepEqual(outcomesOf(await resolve()), ['SRV 10.0.0.1:1']);
    assert.equal(takeQueries().length, 4);
    await clock.advance(60_000);
    await resolve();
    assert.equal(takeQueries().length, 2);
  });
});

describe('a named port that DNS does not have', () => {
  const port = (number: number): ServiceRecord => to('a.svc', number, { ipv4: ['10.0.0.1'] });

  it('is NXDOMAIN, and the message names the ports that the Service has', covers(62), async () => {
    const { resolve } = fixture({ 'SRV svc.ns': services(port(9_090), port(50_051), port(9_090)) });
    const resolution = await resolve();
    assert.deepEqual(outcomesOf(resolution), ['SRV empty nxdomain']);
    assert.match(
      messageOf(resolution),
      /NXDOMAIN.*; the Service has ports 9090 and 50051; none of them is named grpc$/,
    );
    const one = await fixture({ 'SRV svc.ns': services(port(9_090)) }).resolve();
    assert.match(messageOf(one), /; the Service has port 9090; it is not named grpc$/);
  });

  it('is told where the Service has no ready pod, or does not exist', covers(62), async () => {
    const resolution = await fixture({}).resolve();
    assert.match(messageOf(resolution), /; the Service "svc\.ns" has no ready pod, or does not exist$/);
  });

  it('has no more to say where the server tells no ports of a Service', async () => {
    for (const answer of [[], 'timeout', SERVFAIL] as FakeAnswer[]) {
      const resolution = await fixture({ 'SRV svc.ns': answer }).resolve();
      assert.match(messageOf(resolution), /NXDOMAIN \(no such name\)$/);
    }
  });

  it('asks for the ports of the Service through the search list', async () => {
    const { resolve } = fixture(
      { 'SRV svc.ns.b': services(port(1), port(2)), 'SRV svc.ns': SERVFAIL },
      { absolute: false, search: ['a', 'b'], ndots: 5 },
    );
    assert.match(messageOf(await resolve()), /the Service has ports 1 and 2/);
  });

  it('asks for the ports once a minute, and at once when the port is missing anew', async () => {
    const zone: Record<string, FakeAnswer> = { 'SRV svc.ns': services(port(1)) };
    const { resolve, takeQueries, clock } = fixture(zone);
    const asked = (): number => takeQueries().filter((query) => query.endsWith(' svc.ns')).length;
    for (let poll = 0; poll < 5; poll++) assert.match(messageOf(await resolve()), /the Service has port 1/);
    assert.equal(asked(), 1);
    await clock.advance(60_000);
    await resolve();
    assert.equal(asked(), 1);
    zone[`SRV ${SRV}`] = services(port(1));
    await resolve();
    delete zone[`SRV ${SRV}`];
    await resolve();
    assert.equal(asked(), 1);
  });

  it('is NODATA, without a word on ports, where the service says that it is not available', covers(62), async () => {
    const { resolve, takeQueries } = fixture({ [`SRV ${SRV}`]: services(to('', 0)) });
    const resolution = await resolve();
    assert.deepEqual(outcomesOf(resolution), ['SRV empty nodata']);
    assert.match(messageOf(resolution), /answered that the service is not available/);
    assert.equal(takeQueries().length, 1);
  });
});
