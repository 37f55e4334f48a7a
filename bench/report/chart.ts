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
  /** The chart as HTML: an SVG, and a legend before it where it has one. */
  draw(layout: Layout): string;
}

/** The room that a chart is drawn for. Text has its full size there, so a chart is drawn anew for each layout. */
export interface Layout {
  /** Pixels. */
  readonly width: number;
  readonly fontSize: number;
  /** Facets beside each other, or below each other. */
  readonly facets: 'across' | 'down';
}

/** For the report on a wide screen, for the report on a narrow one, and for a document that may be shown on either. */
export const WIDE: Layout = { width: 1_040, fontSize: 13, facets: 'across' };
export const NARROW: Layout = { width: 440, fontSize: 13, facets: 'down' };
export const DOCUMENT: Layout = { width: 680, fontSize: 16, facets: 'down' };

/** From few to many, or fast to slow. */
export const ORDERED = ['#8a63d2', '#3f7fdb', '#1a9aaa', '#35a05a', '#b58a14', '#dd6a3a', '#d0466b'];
/** Ours, and those it is compared with. */
export const OURS = '#3f7fdb';
export const RIVALS = ['#8c8c8c', '#dd6a3a', '#b58a14', '#c065a8'];

/** A setting of ours, as a legend names it. */
export function ours(setting: string): string {
  return `ours, ${setting}`;
}

/** A halo in the colour of the page, which keeps text readable where a line crosses it. */
export const HALO = { fill: 'currentColor', stroke: 'var(--paper)', strokeWidth: 5, strokeLinejoin: 'round' } as const;

/** Sizes that are given for text of 13 pixels, in the layout's text size. */
export function scaled(layout: Layout, pixels: number): number {
  return Math.round((pixels * layout.fontSize) / WIDE.fontSize);
}

/** The type that Plot's own definitions give its options, with the document filled in. */
export function chart(layout: Layout, options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const element = Plot.plot({
    width: layout.width,
    marginLeft: scaled(layout, 70),
    marginRight: scaled(layout, 24),
    marginBottom: scaled(layout, 46),
    marginTop: scaled(layout, 40),
    ...options,
    style: { background: 'transparent', color: 'inherit', fontFamily: 'inherit', fontSize: `${layout.fontSize}px` },
    document: document as unknown as NonNullable<Plot.PlotOptions['document']>,
  }) as unknown as { outerHTML: string };
  return rounded(element.outerHTML);
}

/** Height of a facet that stands below another, to that of one beside another. */
const BELOW = 0.62;

export interface Facets {
  /** For the chart's options. */
  readonly options: Pick<Plot.PlotOptions, 'fx' | 'fy' | 'height'>;
  /** The names of the facets, for the chart's marks. */
  readonly names: Plot.Markish;
  /** For the options of a mark: in which facet a row of its data is. */
  by<Row>(channel: string | ((row: Row) => string)): Pick<Plot.MarkOptions, 'fx' | 'fy'>;
}

/** @param height of one facet with the margins above and below it, in pixels. */
export function facets(layout: Layout, names: readonly string[], height: number): Facets {
  const across = layout.facets === 'across';
  const axis = across ? 'fx' : 'fy';
  return {
    options: {
      [axis]: { axis: null, domain: names, ...(across ? {} : { padding: 0.22 }) },
      height: across ? scaled(layout, height) : scaled(layout, 70) + names.length * Math.round(BELOW * height),
    },
    // At the right: at the left Plot writes the y axis's label.
    names: Plot.text(names, {
      [axis]: (name: string) => name,
      text: (name: string) => name,
      frameAnchor: 'top-right',
      dy: -scaled(layout, 18),
      fontSize: layout.fontSize + 1,
      fontWeight: 600,
    }),
    by: (channel) => ({ [axis]: channel }),
  };
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
