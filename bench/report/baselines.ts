/** Charts of the question of intervals that have grpc-js's own balancer, HAProxy and kuberesolver beside ours. */

import * as Plot from '@observablehq/plot';
import { count } from '../../test/support/number-format.js';
import { steps } from '../harness/distribution.js';
import type { CellResult } from '../intervals/analysis.js';
import { isBaseline } from '../intervals/grid.js';
import { chart, type Figure, facets, HALO, OURS, ours, scaled } from './chart.js';

/** Bins of a moving average. */
const SHARE_WIDTH = 4;
/** Of a line that stays at zero: it must not be taken for the axis. */
const ZERO_WIDTH = 4;
/** By then all have found the new pod that ever will. */
const LONGEST_S = 40;

export function loadShare(cells: readonly CellResult[]): Figure {
  const shown = compared(cells);
  const points = shown.flatMap((cell) => {
    const { fromMs, binMs, values } = cell.share ?? { fromMs: 0, binMs: 1, values: [] };
    return values.flatMap((value, index) => {
      const around = values
        .slice(Math.max(0, index - SHARE_WIDTH / 2), index + SHARE_WIDTH / 2)
        .filter((v) => v !== null);
      const before = fromMs + index * binMs < 0;
      // A mean over neighbours must not carry calls from after the change to before it.
      const mean = before ? (value ?? 0) : around.reduce((sum, v) => sum + v, 0) / Math.max(1, around.length);
      return value === null || fromMs + index * binMs > LONGEST_S * 1000
        ? []
        : [{ setting: nameOf(cell), s: (fromMs + (index + 0.5) * binMs) / 1000, share: mean }];
    });
  });
  const lastS = Math.max(10, ...points.map(({ s }) => s));
  const zeros = shown
    .filter(({ firstCall }) => neverHappened(firstCall))
    .map((cell) => ({ setting: nameOf(cell), s: lastS, share: 0, text: `${nameOf(cell)}: no new pod gets a call` }));
  const added = shown[0]?.adds ?? 0;
  return {
    title: 'A new pod’s share of the load',
    caption:
      `Every scale-up of the run laid over each other (${count(added)} new pods), DNS without a cache, moving average over ` +
      '2 s. A client that finds new pods climbs to the dashed line and stays there; one that does not stays at 0.',
    draw: (layout) =>
      chart(layout, {
        height: scaled(layout, 380),
        color: colours(shown),
        x: { label: 'seconds since the new pod entered DNS →', domain: [-5, lastS] },
        // Room below zero: a line there is seen beside the axis.
        y: {
          label: '↑ its share of calls, 1 = fair',
          grid: true,
          domain: [-0.12, 1.4],
          ticks: [0, 0.5, 1],
          clamp: true,
        },
        marks: [
          Plot.ruleY([1], { strokeDasharray: '4 3', strokeOpacity: 0.6 }),
          Plot.ruleX([0], { strokeOpacity: 0.4 }),
          Plot.line(points, {
            x: 's',
            y: 'share',
            stroke: 'setting',
            z: 'setting',
            strokeWidth: ({ setting }: { setting: string }) =>
              zeros.some((zero) => zero.setting === setting) ? ZERO_WIDTH : 2,
          }),
          Plot.text(zeros, { ...ZERO_LABEL, x: 's', y: 'share', text: 'text', dy: -scaled(layout, 13) }),
        ],
      }),
  };
}

export function firstAndLastCalls(cells: readonly CellResult[]): Figure {
  const shown = compared(cells);
  const kinds = { add: 'a new pod’s first call', remove: 'a removed pod’s last call' } as const;
  const known = shown.flatMap(({ firstCall, lastCall }) => [...(firstCall.values ?? []), ...(lastCall.values ?? [])]);
  // Lines go on to the edge, so that those that never reach 100 % can be seen not to.
  const rightEdge = (1.05 * Math.max(...known)) / 1000;
  const curves = shown.flatMap((cell) =>
    (['add', 'remove'] as const).flatMap((kind) => {
      const { summary, never, values = [] } = kind === 'add' ? cell.firstCall : cell.lastCall;
      const happened = summary?.count ?? 0;
      const line = { setting: nameOf(cell), kind: kinds[kind] };
      const points = steps(values, happened, happened + never).map(({ x, share: part }) => ({
        ...line,
        s: x / 1000,
        share: part,
      }));
      return [{ ...line, s: 0, share: 0 }, ...points, { ...line, s: rightEdge, share: points.at(-1)?.share ?? 0 }];
    }),
  );
  const zeros = shown.flatMap((cell) =>
    (['add', 'remove'] as const)
      .filter((kind) => neverHappened(kind === 'add' ? cell.firstCall : cell.lastCall))
      .map((kind) => ({
        setting: nameOf(cell),
        kind: kinds[kind],
        s: rightEdge,
        share: 0,
        text: `${nameOf(cell)}: it never happens`,
      })),
  );
  return {
    title: 'Beside grpc-js’s own balancer, HAProxy and kuberesolver',
    caption:
      'grpc-js asks DNS again only when a connection breaks: when a removed pod says GOAWAY ("pods end"), or when the server ' +
      'closes connections at a maximum age. HAProxy asks each second, by its default. "watch", and kuberesolver for grpc-go, are told of ' +
      'each change by the API, which no polling can outdo. A curve that ends below 100 % belongs to pods for which it never happened.',
    draw(layout) {
      const { options, names, by } = facets(layout, Object.values(kinds), 380);
      return chart(layout, {
        ...options,
        color: colours(shown),
        x: { label: 'seconds since DNS changed →' },
        y: {
          label: '↑ pods for which it happened by then',
          tickFormat: (part: number) => `${Math.round(part * 100)} %`,
          grid: true,
          domain: [-0.08, 1],
          ticks: [0, 0.25, 0.5, 0.75, 1],
        },
        marks: [
          names,
          Plot.line(curves, {
            ...by('kind'),
            x: 's',
            y: 'share',
            stroke: 'setting',
            z: 'setting',
            curve: 'step-after',
            strokeWidth: ({ setting, kind }: { setting: string; kind: string }) =>
              zeros.some((zero) => zero.setting === setting && zero.kind === kind) ? ZERO_WIDTH : 2,
          }),
          Plot.text(zeros, { ...ZERO_LABEL, ...by('kind'), x: 's', y: 'share', text: 'text', dy: -scaled(layout, 13) }),
        ],
      });
    },
  };
}

/** Ours and theirs without a cache, few enough to tell apart. */
function compared(cells: readonly CellResult[]): CellResult[] {
  const settings = ['watch', '1 s', '5 s', 'defaults, pods end'];
  return cells.filter(({ plan }) => plan.cacheTtl === 0 && (isBaseline(plan.client) || settings.includes(plan.label)));
}

/** Of its own: it stands among the cells of ours, before grpc-js's. */
const KUBERESOLVER = '#c44fb5';
const ZERO_LABEL = { ...HALO, textAnchor: 'end', fontWeight: 600 } as const;

/** To none of the pods. */
function neverHappened({ summary, never }: CellResult['firstCall']): boolean {
  return never > 0 && (summary?.count ?? 0) === 0;
}

function nameOf({ plan }: CellResult): string {
  return isBaseline(plan.client) ? plan.label : ours(plan.label);
}

function colours(cells: readonly CellResult[]): Plot.ScaleOptions {
  const own = [OURS, '#1a9aaa', '#35a05a', '#6b7fd0'];
  // Not grey, the colour of axes and grids: the first of them is the line at zero.
  const theirs = ['#d0466b', '#dd6a3a', '#b58a14', '#8a63d2', '#6b7f2a', '#a0522d'];
  return {
    legend: true,
    domain: cells.map(nameOf),
    range: cells.map(({ plan: { client } }) => {
      if (client.kind === 'kuberesolver') return KUBERESOLVER;
      return (isBaseline(client) ? theirs.shift() : own.shift()) ?? '#888';
    }),
  };
}
