import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { candidateNames } from '../../lib/dns/search-list.js';

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
