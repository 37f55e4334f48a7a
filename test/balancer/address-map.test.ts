import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatHostPort } from '../../lib/address.js';
import { AddressMap } from '../../lib/balancer/address-map.js';

const address = fc.record({ host: fc.constantFrom('a', 'b', 'c', 'fd00::1'), port: fc.constantFrom(1, 2, 3) });
const step = fc.oneof(
  fc.record({ kind: fc.constant('set'), address, value: fc.nat() }),
  fc.record({ kind: fc.constant('delete'), address }),
);

test('after any steps it holds what a map by text would hold', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const map = new AddressMap<number>();
      const model = new Map<string, number>();
      for (const one of steps) {
        const key = formatHostPort(one.address.host, one.address.port);
        if ('value' in one) {
          map.set(one.address, one.value);
          model.set(key, one.value);
        } else {
          map.delete(one.address);
          model.delete(key);
        }
        assert.equal(map.get(one.address), model.get(key));
      }
      assert.equal(map.size, model.size);
      assert.deepEqual([...map.values()].sort(), [...model.values()].sort());
      map.clear();
      assert.deepEqual([map.size, [...map.values()]], [0, []]);
    }),
  );
});
