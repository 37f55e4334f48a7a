import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { covers } from '../faults/covers.js';
import { settle } from '../support/fake-clock.js';
import {
  errorOf,
  type FakeAnswer,
  NAME,
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

  it('asks for the name that had addresses alone, and its NXDOMAIN or NODATA is the answer', covers(51), async () => {
    for (const denial of [NXDOMAIN, []] as FakeAnswer[]) {
      const zone: Record<string, FakeAnswer> = { 'svc.a': ['10.1.0.1'], 'svc.b': ['203.0.113.1'] };
      const { resolve, takeQueries } = search(zone);
      await resolve();
      zone['svc.a'] = denial;
      for (let poll = 0; poll < 5; poll++) {
        takeQueries();
        const resolution = await resolve();
        assert.equal(outcomesOf(resolution)[0], `A empty ${denial === NXDOMAIN ? 'nxdomain' : 'nodata'}`);
        assert.equal(resolution.name, 'svc.a');
        assert.deepEqual(names(takeQueries()), ['svc.a']);
      }
      zone['svc.a'] = ['10.1.0.2'];
      assert.deepEqual(outcomesOf(await resolve()), ['A 10.1.0.2']);
    }
  });

  it('does not lead to the same host in another domain while the name that had addresses fails', async () => {
    const zone: Record<string, FakeAnswer> = { 'svc.b': ['10.1.0.1'], svc: ['203.0.113.1'] };
    const { resolve } = search(zone);
    await resolve();
    zone['svc.b'] = SERVFAIL;
    assert.deepEqual(outcomesOf(await resolve()), ['A failed servfail']);
  });

  it('leaves the name that answered first once a nearer one answers, within 15 s and a poll', covers(52), async () => {
    const zone: Record<string, FakeAnswer> = { svc: ['203.0.113.1'] };
    const { resolve, takeQueries, clock } = search(zone);
    assert.equal((await resolve()).name, 'svc');
    zone['svc.b'] = ['10.1.0.1'];
    takeQueries();
    await clock.advance(14_999);
    assert.equal((await resolve()).name, 'svc');
    assert.deepEqual(names(takeQueries()), ['svc']);
    await clock.advance(1);
    assert.equal((await resolve()).name, 'svc');
    await settle();
    assert.deepEqual(names(takeQueries()), ['svc', 'svc.a', 'svc.b']);
    assert.deepEqual([(await resolve()).name, names(takeQueries())], ['svc.b', ['svc.b']]);
    zone['svc.a'] = ['10.1.0.2'];
    await clock.advance(15_000);
    await resolve();
    await settle();
    assert.equal((await resolve()).name, 'svc.a');
  });

  it('asks for nearer names every five seconds for a caller in a burst', async () => {
    const zone: Record<string, FakeAnswer> = { svc: ['203.0.113.1'] };
    const { resolver, resolve, takeQueries, clock } = search(zone);
    await resolve();
    zone['svc.a'] = ['10.1.0.1'];
    takeQueries();
    const { signal } = new AbortController();
    await clock.advance(4_999);
    await resolver.resolve(signal, undefined, { searchNearer: true });
    await settle();
    assert.deepEqual(names(takeQueries()), ['svc'], 'one query a poll');
    await clock.advance(1);
    assert.equal((await resolver.resolve(signal, undefined, { searchNearer: true })).name, 'svc');
    await settle();
    assert.deepEqual(names(takeQueries()), ['svc', 'svc.a', 'svc.b']);
    assert.equal((await resolve()).name, 'svc.a');
  });

  it('gets its answer at once, whatever the nearer names do, and asks for each of those only once', async () => {
    for (const answer of ['never', 'timeout', 'unreachable', 'malformed', SERVFAIL, NXDOMAIN] as const) {
      const zone: Record<string, FakeAnswer> = { svc: ['203.0.113.1'] };
      const pending: AbortSignal[] = [];
      const { resolver, resolve, takeQueries, clock } = resolverFixture(
        ({ question: { hostname }, signal }) => {
          if (hostname === 'svc' || !asking) return zone[hostname] ?? NXDOMAIN;
          if (answer !== 'never') return answer;
          pending.push(signal);
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        },
        { ...short, attempts: 3 },
      );
      let asking = false;
      await resolve();
      asking = true;
      takeQueries();
      const abort = new AbortController();
      const again = async () => {
        await clock.advance(5_000);
        return resolver.resolve(abort.signal, undefined, { searchNearer: true });
      };
      assert.deepEqual(outcomesOf(await again()), ['A 203.0.113.1']);
      await settle();
      assert.deepEqual(takeQueries(), ['1 udp A svc', '1 udp A svc.a', '1 udp A svc.b']);
      assert.deepEqual(outcomesOf(await again()), ['A 203.0.113.1']);
      await settle();
      // Those under way are not asked for again.
      assert.equal(takeQueries().length, answer === 'never' ? 1 : 3);
      abort.abort();
      await settle();
      assert.ok(pending.every(({ aborted }) => aborted));
    }
  });

  it('starts anew when another resolv.conf has another search list, and not when it has the same', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'dns-search-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'resolv.conf');
    const write = (text: string): void => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    };
    write('search a b\noptions ndots:5');
    const zone: Record<string, FakeAnswer> = { 'svc.a': ['10.1.0.1'], 'svc.c': ['10.1.0.3'] };
    const { resolve } = search(zone, { search: null, ndots: null, resolvConf: path });
    await resolve();
    delete zone['svc.a'];
    write('search a b\noptions ndots:5');
    assert.deepEqual(outcomesOf(await resolve()), ['A empty nxdomain']);
    write('search b c\noptions ndots:5');
    assert.equal((await resolve()).name, 'svc.c');
  });

  it('counts as empty when all names in the cluster are denied, though servers outside fail', async () => {
    const pod: ResolverFixtureOptions = {
      hostname: 'svc.ns',
      search: ['web.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'],
    };
    for (const answer of [SERVFAIL, { rcode: 'REFUSED' }, 'timeout'] as FakeAnswer[]) {
      const { resolve } = search({ 'svc.ns.corp.example': answer, 'svc.ns': answer }, pod);
      const resolution = await resolve();
      assert.deepEqual([outcomesOf(resolution), resolution.name], [['A empty nxdomain'], NAME]);
      assert.match(errorOf(resolution).message, /^A of "svc\.ns\.svc\.cluster\.local": .*NXDOMAIN/);
    }
    const { resolve } = search({ [NAME]: SERVFAIL }, pod);
    assert.deepEqual(outcomesOf(await resolve()), ['A failed servfail']);
  });

  it('never reports a name further down the list than one that has answered', covers(51), async () => {
    const candidates = ['svc.a', 'svc.b', 'svc.c', 'svc'];
    const answers: FakeAnswer[] = [['10.1.0.1'], [], NXDOMAIN, SERVFAIL, 'timeout', 'malformed'];
    const answer = fc.constantFrom(...answers);
    const poll = fc.record({
      answers: fc.tuple(answer, answer, answer, answer),
      searchNearer: fc.boolean(),
      afterMs: fc.constantFrom(0, 5_000, 20_000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(poll, { maxLength: 12 }), async (polls) => {
        let zone: Record<string, FakeAnswer> = {};
        const { resolver, clock } = resolverFixture(({ question }) => zone[question.hostname] ?? NXDOMAIN, {
          ...short,
          search: ['a', 'b', 'c'],
        });
        let nearest = candidates.length;
        for (const { answers: given, searchNearer, afterMs } of polls) {
          zone = Object.fromEntries(candidates.map((name, index) => [name, given[index] as FakeAnswer]));
          await clock.advance(afterMs);
          const resolution = await resolver.resolve(new AbortController().signal, undefined, { searchNearer });
          const place = candidates.indexOf(resolution.name);
          if (nearest < candidates.length)
            assert.ok(place <= nearest, `${resolution.name} after ${candidates[nearest]}`);
          if ([...resolution.outcomes.values()].some(({ kind }) => kind === 'addresses')) nearest = place;
        }
      }),
      { numRuns: 200 },
    );
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
