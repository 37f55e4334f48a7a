import { authorityScenarios, scaling } from './authority.js';
import { cacheScenarios } from './cache.js';
import { coredns, corednsAuto, corednsCache } from './coredns.js';

authorityScenarios('CoreDNS', coredns, {
  oversized: 'another part each time',
  followsAcrossZones: true,
  foreignRcode: 'SERVFAIL',
});

scaling('CoreDNS with auto', corednsAuto);

cacheScenarios('CoreDNS with cache', corednsCache, { oversized: 'another part each time' });
