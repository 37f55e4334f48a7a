/** Charts of the question of intervals that have grpc-js's own balancer beside ours. */

import * as Plot from '@observablehq/plot';
import { count } from '../../test/support/number-format.js';
import { steps } from '../harness/distribution.js';
import type { CellResult } from '../intervals/analysis.js';
import { chart, type Figure, facetNames, OURS, RIVALS } from './chart.js';

/** Bins of a moving average. */
const SHARE_WIDTH = 4;
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
        : [{ setting: cell.plan.label, s: (fromMs + (index + 0.5) * binMs) / 1000, share: mean }];
    });
  });
  const svg = chart({
    height: 380,
    color: colours(shown),
    x: {
      label: 'seconds since the new pod entered DNS →',
      domain: [-5, Math.max(10, ...points.map(({ s }) => s))],
    },
    y: { label: '↑ its share of calls, 1 = fair', grid: true, domain: [-0.04, 1.4], clamp: true },
    marks: [
      Plot.ruleY([1], { strokeDasharray: '4 3', strokeOpacity: 0.6 }),
      Plot.ruleX([0], { strokeOpacity: 0.4 }),
      Plot.line(points, { x: 's', y: 'share', stroke: 'setting', z: 'setting', strokeWidth: 2 }),
    ],
  });
  const added = shown[0]?.adds ?? 0;
  return {
    title: 'A new pod’s share of the load',
    caption:
      `Every scale-up of the run laid over each other (${count(added)} new pods), DNS without a cache, moving average over ` +
      '2 s. A client that finds new pods climbs to the dashed line and stays there; one that does not stays at 0.',
    svg,
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
      const line = { setting: cell.plan.label, kind: kinds[kind] };
      const points = steps(values, happened, happened + never).map(({ x, share: part }) => ({
        ...line,
        s: x / 1000,
        share: part,
      }));
      return [{ ...line, s: 0, share: 0 }, ...points, { ...line, s: rightEdge, share: points.at(-1)?.share ?? 0 }];
    }),
  );
  const svg = chart({
    height: 380,
    color: colours(shown),
    fx: { axis: null, domain: Object.values(kinds) },
    x: { label: 'seconds since DNS changed →' },
    y: {
      label: '↑ pods for which it happened by then',
      tickFormat: (part: number) => `${Math.round(part * 100)} %`,
      grid: true,
      domain: [-0.02, 1],
    },
    marks: [
      facetNames(Object.values(kinds)),
      Plot.line(curves, {
        x: 's',
        y: 'share',
        fx: 'kind',
        stroke: 'setting',
        z: 'setting',
        curve: 'step-after',
        strokeWidth: 2,
      }),
    ],
  });
  return {
    title: 'Beside grpc-js’s own balancer',
    caption:
      'grpc-js asks DNS again only when a connection breaks: when a removed pod says GOAWAY ("pods end"), or when the server ' +
      'closes connections at a maximum age. A curve that ends below 100 % belongs to pods for which it never happened.',
    svg,
  };
}

/** Ours and theirs without a cache, few enough to tell apart. */
function compared(cells: readonly CellResult[]): CellResult[] {
  const ours = ['1 s', '5 s', 'defaults, pods end'];
  return cells.filter(
    ({ plan }) => plan.cacheTtl === 0 && (plan.client.kind === 'grpc-js' || ours.includes(plan.label)),
  );
}

function colours(cells: readonly CellResult[]): Plot.ScaleOptions {
  const ours = [OURS, '#1a9aaa', '#35a05a'];
  const theirs = [...RIVALS];
  return {
    legend: true,
    domain: cells.map(({ plan }) => plan.label),
    range: cells.map(({ plan }) => (plan.client.kind === 'grpc-js' ? theirs.shift() : ours.shift()) ?? '#888'),
  };
}
