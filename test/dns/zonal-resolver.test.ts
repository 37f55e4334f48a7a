import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NameResolver } from '../../lib/dns/name-resolver.js';
import type { Outcome, Resolution } from '../../lib/dns/resolution.js';
import type { ZoneMode } from '../../lib/dns/settings.js';
import { ZonalResolver } from '../../lib/dns/zonal-resolver.js';
import { FakeClock, settle } from '../support/fake-clock.js';
import { type FakeAnswer, NXDOMAIN, ONE, resolverFixture } from '../support/fake-network.js';
import { empty, failed, found, resolution } from '../support/scripted-resolver.js';

const NAME = 'db.shop.svc.cluster.local';
const PREFER = `eu-1a.prefer._zone.${NAME}`;
const PIN = `eu-1a.pin._zone.${NAME}`;
const [a, b, c, d] = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'];
const never = new AbortController().signal;

interface Fixture {
  mode?: ZoneMode;
  zone?: string;
  /** Target written with a final dot. */
  absolute?: boolean;
}

/** Names without an outcome are NXDOMAIN, as on a server without the option `zonal`. */
function zonal({ mode = 'prefer', zone = 'eu-1a', absolute = false }: Fixture = {}) {
  const clock = new FakeClock();
  const events: { kind: 'zone_fallback'; zone: string; active: boolean }[] = [];
  let fallback = false;
  const names: Record<string, Outcome> = {};
  const asked: string[] = [];
  /** The full name that the search list leads to. */
  const search = { fullName: NAME };
  const ask = async (name: string): Promise<Resolution> => {
    asked.push(name);
    await settle();
    return { ...resolution({ A: names[name] ?? empty('NXDOMAIN') }), name };
  };
  const resolver: NameResolver = new ZonalResolver(
    { name: zone, mode },
    {
      plain: { resolve: () => ask(search.fullName) },
      fullName: absolute ? NAME : null,
      createResolver: (name) => ({ resolve: () => ask(name) }),
      clock,
    },
  );
  const hostsOf = ({ outcomes }: Resolution): string => {
    const outcome = outcomes.get('A') as Outcome;
    return outcome.kind === 'addresses' ? [...outcome.addresses].sort().join() : outcome.reason;
  };
  return {
    clock,
    events,
    names,
    search,
    resolve: () => resolver.resolve(never),
    takeAsked: () => asked.splice(0),
    /** The hosts, those of them in the zone, and whether it fell back. */
    poll: async (): Promise<[hosts: string, inZone: string, fallback: boolean]> => {
      const answer = await resolver.resolve(never);
      assert.equal(answer.zone?.name, zone);
      // As channels make events of it.
      if (answer.zone?.fallback !== fallback) {
        fallback = !fallback;
        events.push({ kind: 'zone_fallback', zone, active: fallback });
      }
      return [hostsOf(answer), [...(answer.zone?.hosts ?? [])].sort().join(), answer.zone?.fallback === true];
    },
  };
}

describe('a preferred zone', () => {
  it('is told by the zonal name beside the whole set of the plain one', async () => {
    const { names, poll, takeAsked } = zonal();
    names[NAME] = found([a, b, c]);
    names[PREFER] = found([b, c]);
    for (let count = 0; count < 2; count++) {
      assert.deepEqual(await poll(), [[a, b, c].join(), [b, c].join(), false]);
      assert.deepEqual(takeAsked().sort(), [NAME, PREFER]);
    }
  });

  it('is unknown where the zonal name answers with the whole set, which is also the answer of a zone without pods', async () => {
    const { names, poll } = zonal();
    names[NAME] = found([a, b]);
    names[PREFER] = found([b, a]);
    assert.deepEqual(await poll(), [[a, b].join(), '', false]);
    // A new pod shows in one answer first.
    names[PREFER] = found([a, b, c]);
    assert.deepEqual(await poll(), [[a, b].join(), '', false]);
  });

  it('never changes the set: hosts of the zonal name alone are not used', async () => {
    const outcome = fc.oneof(
      fc.subarray([a, b, c, d], { minLength: 1 }).map((hosts) => found(hosts)),
      fc.constantFrom(empty('NXDOMAIN'), empty('NODATA'), failed('SERVFAIL'), failed('TIMEOUT')),
    );
    const step = fc.record({ plain: outcome, zonal: outcome, afterMs: fc.constantFrom(0, 5_000, 31_000) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const { names, resolve, clock } = zonal();
        for (const { plain, zonal: answer, afterMs } of steps) {
          names[NAME] = plain;
          names[PREFER] = answer;
          await clock.advance(afterMs);
          assert.deepEqual([...(await resolve()).outcomes], [['A', plain]]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('of another Service is not used once the plain name leads to the own one', async () => {
    const { names, poll, search } = zonal();
    search.fullName = 'db.shop.corp.example';
    names[search.fullName] = found([a, b]);
    names[`eu-1a.prefer._zone.${search.fullName}`] = found([a]);
    assert.deepEqual(await poll(), [[a, b].join(), a, false]);
    search.fullName = NAME;
    names[NAME] = found([a, c]);
    names[PREFER] = found([c]);
    assert.deepEqual(await poll(), [[a, c].join(), '', false]);
    assert.deepEqual(await poll(), [[a, c].join(), c, false]);
  });

  it('stays as it was while the zonal name fails or both names are empty', async () => {
    const { names, poll } = zonal();
    names[NAME] = found([a, b]);
    names[PREFER] = found([b]);
    await poll();
    names[PREFER] = failed('SERVFAIL');
    assert.deepEqual(await poll(), [[a, b].join(), b, false]);
    names[NAME] = names[PREFER] = empty('NXDOMAIN');
    assert.deepEqual(await poll(), ['nxdomain', b, false]);
  });
});

describe('a pinned zone', () => {
  it('is the set, and is asked for alone where no search list applies', async () => {
    const { names, poll, takeAsked } = zonal({ mode: 'pin', absolute: true });
    names[NAME] = found([a, b]);
    names[PIN] = found([b]);
    for (let count = 0; count < 2; count++) {
      assert.deepEqual(await poll(), [b, b, false]);
      assert.deepEqual(takeAsked(), [PIN]);
    }
  });

  it('without a pod is an empty answer, and no reason to fall back', async () => {
    const { names, poll, events } = zonal({ mode: 'pin', absolute: true });
    names[NAME] = found([a]);
    names[PIN] = empty('NODATA');
    assert.deepEqual(await poll(), ['nodata', '', false]);
    assert.deepEqual(events, []);
  });

  it('is asked for by the full name that the plain name was found by, also after that changed', async () => {
    const { names, poll, takeAsked, search, clock } = zonal({ mode: 'pin' });
    search.fullName = 'db.shop.corp.example';
    names[search.fullName] = found([d]);
    assert.deepEqual(await poll(), [d, '', true]);
    assert.deepEqual(takeAsked(), [search.fullName, `eu-1a.pin._zone.${search.fullName}`]);
    search.fullName = NAME;
    names[NAME] = found([a, b]);
    names[PIN] = found([b]);
    await poll();
    assert.deepEqual(await poll(), [b, b, false]);
    takeAsked();
    search.fullName = 'db.shop.near.example';
    names[search.fullName] = found([c]);
    names[`eu-1a.pin._zone.${search.fullName}`] = found([c]);
    await clock.advance(6_000);
    assert.deepEqual(await poll(), [b, b, false]);
    await settle();
    assert.deepEqual(await poll(), [c, c, false]);
  });

  it('is asked for by a nearer name of the search list once that name is there, within 30 s', async () => {
    const zone: Record<string, FakeAnswer> = { 'svc.b': [a], 'eu-1a.pin._zone.svc.b': [a] };
    const options = { absolute: false, search: ['a', 'b'], ndots: 5, servers: [ONE], attempts: 1 };
    const network = resolverFixture(({ question }) => zone[question.hostname] ?? NXDOMAIN, {
      hostname: 'svc',
      ...options,
    });
    const { clock, resolver: plain } = network;
    const resolver = new ZonalResolver(
      { name: 'eu-1a', mode: 'pin' },
      {
        plain,
        fullName: null,
        createResolver: (name) => ({
          resolve: async () => ({ ...resolution({ A: found((zone[name] as string[] | undefined) ?? []) }), name }),
        }),
        clock,
      },
    );
    // Each poll has a signal of its own.
    const poll = (): Promise<Resolution> => resolver.resolve(new AbortController().signal);
    await poll();
    zone['svc.a'] = [b];
    zone['eu-1a.pin._zone.svc.a'] = [b];
    let name = '';
    for (let second = 0; second < 30; second += 5) {
      await clock.advance(5_000);
      ({ name } = await poll());
      await settle();
    }
    assert.equal(name, 'eu-1a.pin._zone.svc.a');
  });

  it('does not fall back while the Service itself has no address', async () => {
    const { names, poll, events } = zonal({ mode: 'pin', absolute: true });
    for (const [outcome, shown] of [
      [empty('NXDOMAIN'), 'nxdomain'],
      [failed('SERVFAIL'), 'servfail'],
    ] as const) {
      names[NAME] = outcome;
      assert.deepEqual(await poll(), [shown, '', false]);
    }
    assert.deepEqual(events, []);
  });
});

for (const mode of ['prefer', 'pin'] as const)
  describe(`a cluster without zonal names, mode ${mode}`, () => {
    const zonalName = mode === 'prefer' ? PREFER : PIN;

    it('makes the plain name serve, tells so once, and is asked again every 30 s', async () => {
      const { names, poll, takeAsked, clock, events } = zonal({ mode });
      names[NAME] = found([a, b]);
      assert.deepEqual(await poll(), [[a, b].join(), '', true]);
      takeAsked();
      for (let ms = 5_000; ms < 30_000; ms += 5_000) {
        await clock.advance(5_000);
        assert.deepEqual(await poll(), [[a, b].join(), '', true]);
        assert.deepEqual(takeAsked(), [NAME]);
      }
      await clock.advance(5_000);
      assert.deepEqual(await poll(), [[a, b].join(), '', true]);
      assert.deepEqual(takeAsked().sort(), [NAME, zonalName].sort());
      assert.deepEqual(events, [{ kind: 'zone_fallback', zone: 'eu-1a', active: true }]);
      names[zonalName] = found([b]);
      await clock.advance(30_000);
      assert.deepEqual(await poll(), [mode === 'prefer' ? [a, b].join() : b, b, false]);
      assert.deepEqual(events.at(-1), { kind: 'zone_fallback', zone: 'eu-1a', active: false });
      assert.equal(events.length, 2);
    });

    it('in one replica of its DNS server undoes nothing that another replica has told', async () => {
      const { names, poll, clock, events } = zonal({ mode });
      names[NAME] = found([a, b, c]);
      names[zonalName] = found([b]);
      const told = await poll();
      for (let count = 0; count < 20; count++) {
        if (count % 3 === 2) names[zonalName] = found([b]);
        else delete names[zonalName];
        await clock.advance(5_000);
        assert.deepEqual(await poll(), told);
      }
      delete names[zonalName];
      await clock.advance(30_000);
      assert.deepEqual(await poll(), [[a, b, c].join(), '', true]);
      assert.equal(events.length, 1);
    });

    it('is told by no error when DNS cannot be asked for the zonal name', async () => {
      const { names, poll } = zonal({ mode, zone: `${'z'.repeat(60)}.`.repeat(4).slice(0, -1) });
      names[NAME] = found([a]);
      assert.deepEqual(await poll(), [a, '', true]);
    });
  });
