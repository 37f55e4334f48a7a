import { authorityScenarios } from './authority.js';
import { cacheScenarios } from './cache.js';
import { dnsmasq, dnsmasqCache } from './dnsmasq.js';

authorityScenarios('dnsmasq', dnsmasq, {
  oversized: 'part',
  followsAcrossZones: true,
  foreignRcode: 'REFUSED',
});

cacheScenarios('dnsmasq as a cache', dnsmasqCache, { oversized: 'nothing' });
