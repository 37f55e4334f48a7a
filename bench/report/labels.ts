/**
 * Places for the labels of dots, in pixels: right of its dot where that is free, else the nearest free place above,
 * below or left of it. No label lies on another label or on a dot.
 */

export interface Dot {
  readonly x: number;
  readonly y: number;
  /** Empty: a dot without a label, which labels avoid. */
  readonly label: string;
}

/** Of the label's middle height, from its dot. */
export interface Place {
  readonly dx: number;
  readonly dy: number;
  readonly textAnchor: 'start' | 'end' | 'middle';
}

export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const CHARACTER_WIDTH = 7.2;
const HEIGHT = 15;
const DOT_RADIUS = 7;
const GAP = 13;
const ROWS = 8;

export function placeLabels(dots: readonly Dot[], frame: Box): (Place | null)[] {
  const taken: Box[] = dots.map(({ x, y }) => ({
    left: x - DOT_RADIUS,
    right: x + DOT_RADIUS,
    top: y - DOT_RADIUS,
    bottom: y + DOT_RADIUS,
  }));
  return dots.map((dot) => {
    if (dot.label === '') return null;
    const free = PLACES.find((place) => {
      const box = boxOf(dot, place);
      return isWithin(box, frame) && !taken.some((other) => overlap(box, other));
    });
    if (free === undefined) throw new Error(`no room for the label "${dot.label}"`);
    taken.push(boxOf(dot, free));
    return free;
  });
}

const PLACES: readonly Place[] = Array.from({ length: 2 * ROWS + 1 }, (_, index) => {
  // 0, then up and down in turn.
  const dy = (index % 2 === 0 ? 1 : -1) * Math.ceil(index / 2) * (HEIGHT / 2);
  return [
    { dx: GAP, dy, textAnchor: 'start' },
    { dx: -GAP, dy, textAnchor: 'end' },
    { dx: 0, dy, textAnchor: 'middle' },
  ] as const;
}).flat();

export function boxOf({ x, y, label }: Dot, { dx, dy, textAnchor }: Place): Box {
  const width = label.length * CHARACTER_WIDTH;
  const from = { start: 0, end: -width, middle: -width / 2 }[textAnchor];
  const left = x + dx + from;
  return { left, right: left + width, top: y + dy - HEIGHT / 2, bottom: y + dy + HEIGHT / 2 };
}

export function overlap(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

function isWithin(box: Box, frame: Box): boolean {
  return box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
}
