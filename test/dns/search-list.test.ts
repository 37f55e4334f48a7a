import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { candidateNames, searchScope } from '../../lib/dns/search-list.js';

describe('the search list', () => {
  const search = ['ns.svc.cluster.local', 'svc.cluster.local'];
  const names = (hostname: string, ndots: number, absolute = false): readonly string[] =>
    candidateNames(hostname, absolute, { search, ndots });
  const searched = (hostname: string): string[] => search.map((domain) => `${hostname}.${domain}`);

  it('comes before a name with fewer dots than ndots', () => {
    assert.deepEqual(names('svc', 1), [...searched('svc'), 'svc']);
    assert.deepEqual(names('svc.ns.svc.cluster.local', 5), [
      ...searched('svc.ns.svc.cluster.local'),
      'svc.ns.svc.cluster.local',
    ]);
  });

  it('comes after a name with at least as many dots as ndots', () => {
    assert.deepEqual(names('svc.ns', 1), ['svc.ns', ...searched('svc.ns')]);
    assert.deepEqual(names('svc', 0), ['svc', ...searched('svc')]);
  });

  it('is not for absolute names', () => {
    assert.deepEqual(names('svc', 5, true), ['svc']);
  });

  it('leaves out names that would be too long, and duplicates', () => {
    const long = `${'a'.repeat(60)}.`.repeat(4).slice(0, -1);
    assert.deepEqual(names(long, 5), [long]);
    assert.deepEqual(candidateNames('svc', false, { search: ['x', 'x'], ndots: 1 }), ['svc.x', 'svc']);
  });
});

describe('the candidates that decide whether a Service has an address', () => {
  const pod = ['web.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'];
  const scope = (hostname: string, search: readonly string[] = pod, absolute = false) => {
    const names = candidateNames(hostname, absolute, { search, ndots: 5 });
    const { decisive, serviceName } = searchScope(hostname, names, search);
    return { decisive: [...decisive], serviceName };
  };

  it("are those under the cluster's domain, and the Service's own name is one of them", () => {
    const inCluster = (hostname: string): string[] => pod.slice(0, 3).map((domain) => `${hostname}.${domain}`);
    const own: Record<string, string> = {
      db: 'db.web.svc.cluster.local',
      'db.shop': 'db.shop.svc.cluster.local',
      'db.shop.svc': 'db.shop.svc.cluster.local',
      '_grpc._tcp.db.shop': '_grpc._tcp.db.shop.svc.cluster.local',
      'eu-1.a.pin._zone.db': 'eu-1.a.pin._zone.db.web.svc.cluster.local',
    };
    for (const [hostname, serviceName] of Object.entries(own))
      assert.deepEqual(scope(hostname), { decisive: inCluster(hostname), serviceName });
  });

  it('include the name as it was written if that is under the domain too', () => {
    const hostname = 'db.shop.svc.cluster.local';
    const { decisive, serviceName } = scope(hostname);
    assert.deepEqual([decisive.includes(hostname), decisive.length, serviceName], [true, 4, hostname]);
  });

  it('have no known form without the three domains of a pod: then all that the search list makes decide', () => {
    for (const search of [
      ['web.svc.cluster.local', 'svc.cluster.local'],
      ['svc.cluster.local', 'cluster.local'],
    ])
      assert.deepEqual(scope('db', search), {
        decisive: search.map((domain) => `db.${domain}`),
        serviceName: null,
      });
  });

  it('are the name itself for an absolute name and without a search list', () => {
    assert.deepEqual(scope('db.example', pod, true), { decisive: ['db.example'], serviceName: null });
    assert.deepEqual(scope('db', []), { decisive: ['db'], serviceName: null });
  });
});
