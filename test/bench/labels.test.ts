import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { boxOf, overlap, placeLabels } from '../../bench/report/labels.js';

const FRAME = { left: 0, right: 1_000, top: 0, bottom: 400 };

test('a label with room stands right of its dot', () => {
  assert.deepEqual(placeLabels([{ x: 100, y: 100, label: 'phased 5 s' }], FRAME), [
    { dx: 13, dy: 0, textAnchor: 'start' },
  ]);
});

test('at the right edge a label stands left of its dot', () => {
  const [place] = placeLabels([{ x: 980, y: 100, label: 'phased 5 s' }], FRAME);
  assert.equal(place?.textAnchor, 'end');
});

test('labels lie on no other label and within the frame', () => {
  const dots = fc.array(
    fc.record({
      x: fc.integer({ min: 100, max: 900 }),
      y: fc.integer({ min: 80, max: 320 }),
      label: fc.constantFrom('5 s', 'adaptive 30 s', ''),
    }),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(dots, (all) => {
      const places = placeLabels(all, FRAME);
      const boxes = all.flatMap((dot, index) => {
        const place = places[index];
        assert.equal(place === null, dot.label === '');
        return place ? [boxOf(dot, place)] : [];
      });
      for (const [index, box] of boxes.entries()) {
        assert.ok(box.left >= 0 && box.right <= 1_000 && box.top >= 0 && box.bottom <= 400);
        for (const other of boxes.slice(index + 1)) assert.ok(!overlap(box, other));
      }
    }),
  );
});

test('a label that fits nowhere is an error', () => {
  const narrow = { left: 0, right: 20, top: 0, bottom: 20 };
  assert.throws(() => placeLabels([{ x: 10, y: 10, label: 'adaptive 30 s' }], narrow), /no room for the label/);
});
