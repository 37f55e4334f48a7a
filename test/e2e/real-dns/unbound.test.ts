import { authorityScenarios } from './authority.js';
import { cacheScenarios } from './cache.js';
import { unbound, unboundCache } from './unbound.js';

authorityScenarios('Unbound', unbound, {
  oversized: 'nothing',
  followsAcrossZones: false,
  foreignRcode: 'SERVFAIL',
});

cacheScenarios('Unbound as a cache', unboundCache, { oversized: 'SERVFAIL' });
