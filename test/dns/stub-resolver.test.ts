import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { covers } from '../faults/covers.js';
import { settle } from '../support/fake-clock.js';
import {
  errorOf,
  type FakeAnswer,
  NXDOMAIN,
  ONE,
  outcomesOf,
  type ResolverFixture,
  type ResolverFixtureOptions,
  resolverFixture,
  SERVFAIL,
} from '../support/fake-network.js';

describe('the search list', () => {
  const short: ResolverFixtureOptions = {
    hostname: 'svc',
    absolute: false,
    search: ['a', 'b'],
    ndots: 5,
    servers: [ONE],
    attempts: 1,
  };
  const names = (asked: string[]): string[] => asked.map((line) => line.split(' ')[3] as string);

  /** A fixture in which names have the answers of `zone`, and all others do not exist. */
  const search = (zone: Record<string, FakeAnswer>, options: ResolverFixtureOptions = {}): ResolverFixture =>
    resolverFixture(({ question }) => zone[question.hostname] ?? NXDOMAIN, { ...short, ...options });

  it('is followed until a name has addresses: NXDOMAIN, NODATA and error RCODEs lead to the next name', async () => {
    for (const answer of [NXDOMAIN, [], SERVFAIL, { rcode: 'REFUSED' }] as FakeAnswer[]) {
      const { resolve, takeQueries } = search({ 'svc.a': answer, 'svc.b': ['10.1.0.1'] });
      const resolution = await resolve();
      assert.deepEqual([outcomesOf(resolution), resolution.name], [['A 10.1.0.1'], 'svc.b']);
      assert.deepEqual(names(takeQueries()), ['svc.a', 'svc.b']);
    }
  });

  it('is not followed after a timeout, because the next name would time out too', async () => {
    for (const answer of ['timeout', 'unreachable', 'malformed'] as FakeAnswer[]) {
      const { resolve, takeQueries } = search({ 'svc.a': answer, 'svc.b': ['10.1.0.1'] });
      assert.deepEqual(outcomesOf(await resolve()), [`A failed ${answer}`]);
      assert.deepEqual(names(takeQueries()), ['svc.a']);
    }
  });

  it('without an answer reports a failure before NODATA before NXDOMAIN, and the names that were tried', async () => {
    assert.deepEqual(outcomesOf(await search({ 'svc.a': SERVFAIL, svc: [] }).resolve()), ['A failed servfail']);
    assert.deepEqual(outcomesOf(await search({ 'svc.b': [] }).resolve()), ['A empty nodata']);
    const resolution = await search({}).resolve();
    assert.deepEqual([outcomesOf(resolution), resolution.name], [['A empty nxdomain'], 'svc']);
    assert.match(errorOf(resolution).message, /"svc".*NXDOMAIN.*svc\.a, svc\.b/);
  });

  it('begins with the name that had addresses, and is followed again when that is empty', async () => {
    const zone: Record<string, FakeAnswer> = { 'svc.b': ['10.1.0.1'] };
    const { resolve, takeQueries } = search(zone);
    await resolve();
    takeQueries();
    await resolve();
    assert.deepEqual(names(takeQueries()), ['svc.b']);
    delete zone['svc.b'];
    const resolution = await resolve();
    assert.deepEqual([outcomesOf(resolution), resolution.name], [['A empty nxdomain'], 'svc.b']);
    assert.deepEqual(names(takeQueries()), ['svc.b', 'svc.a', 'svc']);
    zone['svc.a'] = ['10.1.0.2'];
    assert.equal((await resolve()).name, 'svc.a');
  });

  it('does not lead to the same host in another domain while the name that had addresses fails', async () => {
    const zone: Record<string, FakeAnswer> = { 'svc.b': ['10.1.0.1'], svc: ['203.0.113.1'] };
    const { resolve } = search(zone);
    await resolve();
    zone['svc.b'] = SERVFAIL;
    assert.deepEqual(outcomesOf(await resolve()), ['A failed servfail']);
  });

  it('asks for A and AAAA of one name before the next name', async () => {
    const { resolve, takeQueries } = resolverFixture(
      ({ question }) => (question.hostname === 'svc.b' && question.type === 'AAAA' ? ['fd00::1'] : []),
      { ...short, family: 'auto' },
    );
    assert.deepEqual(outcomesOf(await resolve()), ['A empty nodata', 'AAAA fd00::1']);
    assert.deepEqual(takeQueries(), ['1 udp A svc.a', '1 udp AAAA svc.a', '1 udp A svc.b', '1 udp AAAA svc.b']);
  });
});

describe('the family', () => {
  const v6 = ['fd00::1'];

  it('auto asks for AAAA only where A is NODATA', async () => {
    const types = async (a: FakeAnswer): Promise<string[]> => {
      const { resolve } = resolverFixture(({ question }) => (question.type === 'A' ? a : v6), {
        family: 'auto',
        attempts: 1,
      });
      return outcomesOf(await resolve());
    };
    assert.deepEqual(await types(['10.1.0.1']), ['A 10.1.0.1']);
    assert.deepEqual(await types([]), ['A empty nodata', 'AAAA fd00::1']);
    assert.deepEqual(await types(NXDOMAIN), ['A empty nxdomain']);
    assert.deepEqual(await types(SERVFAIL), ['A failed servfail']);
  });

  it('ipv6 asks for AAAA only', async () => {
    assert.deepEqual(outcomesOf(await resolverFixture(() => v6, { family: 'ipv6' }).resolve()), ['AAAA fd00::1']);
  });

  it('dual asks for both at once', async () => {
    const types: string[] = [];
    const { resolve } = resolverFixture(
      async ({ question }) => {
        types.push(question.type);
        await settle();
        return types.length < 2 ? 'timeout' : question.type === 'A' ? ['10.1.0.1'] : v6;
      },
      { family: 'dual' },
    );
    assert.deepEqual(outcomesOf(await resolve()), ['A 10.1.0.1', 'AAAA fd00::1']);
  });

  it('dual reports the outcome of each record type', covers(26), async () => {
    const of = async (aaaa: FakeAnswer): Promise<string[]> => {
      const { resolve } = resolverFixture(({ question }) => (question.type === 'A' ? ['10.1.0.1'] : aaaa), {
        family: 'dual',
      });
      return outcomesOf(await resolve());
    };
    assert.deepEqual(await of(SERVFAIL), ['A 10.1.0.1', 'AAAA failed servfail']);
    assert.deepEqual(await of('timeout'), ['A 10.1.0.1', 'AAAA failed timeout']);
    assert.deepEqual(await of([]), ['A 10.1.0.1', 'AAAA empty nodata']);
  });
});

describe('the resolver', () => {
  it('is not made for a name that DNS cannot be asked for', covers(32), () => {
    assert.throws(() => resolverFixture(() => [], { hostname: 'a..b' }), { code: 'ERR_HEADLESS_TARGET' });
  });

  it("rejects with the signal's reason, whatever value it is", covers(44), async () => {
    const abort = new AbortController();
    const { resolver } = resolverFixture(({ signal }) => {
      abort.abort('a reason that is no error');
      return Promise.reject(signal.reason);
    });
    await assert.rejects(resolver.resolve(abort.signal), (reason) => reason === 'a reason that is no error');
    await assert.rejects(resolver.resolve(abort.signal), (reason) => reason === 'a reason that is no error');
  });
});
