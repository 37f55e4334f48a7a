/**
 * Charts as text: Observable Plot draws into a document without a browser, and what comes out is inline SVG. All
 * charts of the report share the look defined here; colours are of middle lightness, to be told apart on white and
 * on black.
 */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** One chart with its words. */
export interface Figure {
  readonly title: string;
  /** What to see in it, in a sentence or two; figures in it come from the result. */
  readonly caption: string;
  readonly svg: string;
}

/** From few to many, or fast to slow. */
export const ORDERED = ['#8a63d2', '#3f7fdb', '#1a9aaa', '#35a05a', '#b58a14', '#dd6a3a', '#d0466b'];
/** Ours, and those it is compared with. */
export const OURS = '#3f7fdb';
export const RIVALS = ['#8c8c8c', '#dd6a3a', '#b58a14', '#c065a8'];

export const CHART_WIDTH = 1_040;

/** The type that Plot's own definitions give its options, with the document filled in. */
export function chart(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const element = Plot.plot({
    width: CHART_WIDTH,
    marginLeft: 70,
    marginRight: 24,
    marginBottom: 46,
    marginTop: 36,
    ...options,
    style: { background: 'transparent', color: 'inherit', fontFamily: 'inherit', fontSize: '13px' },
    document: document as unknown as NonNullable<Plot.PlotOptions['document']>,
  }) as unknown as { outerHTML: string };
  return rounded(element.outerHTML);
}

/** Coordinates to a tenth of a pixel: finer ones make a file larger and no chart different. */
function rounded(svg: string): string {
  return svg
    .replace(/ d="([^"]*)"/g, (_, path: string) => ` d="${relative(path)}"`)
    .replace(/ (?:[xy][12]?|c[xy]|transform)="[^"]*"/g, (attribute) =>
      attribute.replace(/-?\d+\.\d{2,}/g, (coordinate) => String(tenth(Number(coordinate)))),
    );
}

/** A path of absolute M and L as one of relative steps, which is half as long. Other paths are returned as they are. */
function relative(path: string): string {
  if (!/^(?:[ML]-?[\d.]+,-?[\d.]+)*$/.test(path)) return path;
  let [fromX, fromY] = [0, 0];
  return path.replace(/([ML])([^,]+),([^ML]+)/g, (_, command: string, x: string, y: string) => {
    const [toX, toY] = [tenth(Number(x)), tenth(Number(y))];
    const [dx, dy] = [tenth(toX - fromX), tenth(toY - fromY)];
    [fromX, fromY] = [toX, toY];
    if (command === 'M') return `M${toX},${toY}`;
    if (dy === 0) return dx === 0 ? '' : `h${dx}`;
    return dx === 0 ? `v${dy}` : `l${dx},${dy}`;
  });
}

function tenth(value: number): number {
  return Number(value.toFixed(1));
}

/** Facets' names at the right: at the left Plot writes the y axis's label. */
export function facetNames(names: readonly string[]): Plot.Markish {
  return Plot.text(names, {
    fx: (name: string) => name,
    text: (name: string) => name,
    frameAnchor: 'top-right',
    dy: -18,
    fontSize: 14,
    fontWeight: 600,
  });
}

/** Axis ticks of a logarithmic scale in milliseconds. */
export function shortDuration(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  return ms < 60_000 ? `${ms / 1000} s` : `${ms / 60_000} min`;
}

/** The round values of a logarithmic axis within a domain: ticks outside it would be drawn outside the frame. */
export function ticksWithin([low, high]: readonly [number, number], ticks: readonly number[]): number[] {
  return ticks.filter((tick) => tick >= low && tick <= high);
}

/** A logarithmic scale's domain around values, a little wider than they are. */
export function logDomain(values: readonly number[]): [number, number] {
  return [Math.min(...values) / 1.25, Math.max(...values) * 1.25];
}
