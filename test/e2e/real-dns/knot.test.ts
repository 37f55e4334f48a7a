import { authorityScenarios } from './authority.js';
import { knot } from './knot.js';

authorityScenarios('Knot', knot, {
  oversized: 'SERVFAIL',
  followsAcrossZones: false,
  foreignRcode: 'REFUSED',
});
