import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { titleOf } from './corpus/shape.js';
import { CORPUS } from './corpus.js';
import { check, decode, LIBRARY } from './oracle.js';

describe('of the corpus, a response with', () => {
  for (const shape of CORPUS)
    it(titleOf(shape), shape.coverage ?? {}, () => {
      const decoded = decode(LIBRARY, shape);
      const { outcome } = shape;
      if ('ignored' in outcome) assert.deepEqual(decoded, { kind: 'ignored', why: outcome.ignored });
      else if ('malformed' in outcome) {
        assert.equal(decoded.kind, 'malformed');
        assert.match(decoded.kind === 'malformed' ? decoded.why : '', outcome.malformed);
      } else {
        assert.equal(decoded.kind, 'read', JSON.stringify(decoded));
        if (decoded.kind !== 'read') return;
        const { addresses, services, refused, rcode } = decoded.response;
        if ('services' in outcome) {
          const shown = services.map(({ port, target, ipv4, ipv6 }) => [port, target, ...ipv4, ...ipv6].join(' '));
          assert.deepEqual(shown, outcome.services);
          assert.equal(refused, outcome.refused ?? 0);
          return;
        }
        assert.deepEqual([...addresses].sort(), [...outcome.addresses].sort());
        assert.equal(refused, outcome.refused ?? 0);
        assert.equal(rcode, outcome.rcode ?? 'NOERROR');
      }
      // And the properties of any message: time, memory, agreement with the second reader.
      assert.equal(check(LIBRARY, shape).flaw, null);
    });
});

it('each shape of the corpus has its own name', () => {
  assert.equal(new Set(CORPUS.map(({ name }) => name)).size, CORPUS.length);
  assert.ok(CORPUS.length >= 60);
});
