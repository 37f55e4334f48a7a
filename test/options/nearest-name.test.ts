import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nearestName } from '../../lib/options/nearest-name.js';

const KNOWN = ['intervalMs', 'minIntervalMs', 'jitter', 'ttl'];

test('a known name in any case, or with a typo or without its unit, is found', () => {
  const given = { intervalms: 'intervalMs', interval: 'intervalMs', jiter: 'jitter', jittre: 'jitter', tttl: 'ttl' };
  for (const [name, expected] of Object.entries(given)) assert.equal(nearestName(name, KNOWN), expected);
});

test('a name that is more than three edits, or more than half of a known name, away is no typo', () => {
  for (const name of ['', 'x', 'period', 'intervalSeconds', 'lingerMilliseconds'])
    assert.equal(nearestName(name, KNOWN), undefined);
  assert.equal(nearestName('interval', []), undefined);
});

test('one inserted, dropped or changed character never hides a long name', () => {
  const edit = fc.record({
    name: fc.constantFrom(...KNOWN.filter((known) => known.length > 4)),
    at: fc.nat(),
    by: fc.string({ minLength: 0, maxLength: 1 }),
    drop: fc.boolean(),
  });
  fc.assert(
    fc.property(edit, ({ name, at, by, drop }) => {
      const index = at % name.length;
      const edited = name.slice(0, index) + by + name.slice(drop ? index + 1 : index);
      assert.equal(nearestName(edited, KNOWN), name);
    }),
  );
});

test('two neighbouring characters that changed places never hide a name of more than two characters', () => {
  const swap = fc.record({ name: fc.constantFrom(...KNOWN.filter((known) => known.length > 2)), at: fc.nat() });
  fc.assert(
    fc.property(swap, ({ name, at }) => {
      const index = at % (name.length - 1);
      const swapped = name.slice(0, index) + name[index + 1] + name[index] + name.slice(index + 2);
      assert.equal(
        nearestName(swapped, KNOWN, () => 1),
        name,
      );
    }),
  );
});
