/** The rows of the pods: address, state, how long, calls where they are made, and the last minute as a strip. */

import { type Paint, pad, padLeft, printable } from '../styled-text.js';
import { age, count, countdown } from './format.js';
import type { PodView, QueryView, WatchView } from './view.js';

export interface PodTableOptions {
  readonly columns: number;
  /** Heading included; `Infinity` for all. */
  readonly rows: number;
  readonly paint: Paint;
  /** With the strip. */
  readonly live: boolean;
}

interface Look {
  readonly sign: string;
  readonly bar: string;
  readonly style: keyof Paint;
}

/** Signs and bars differ too, for terminals without colours and people who do not see them. */
const LOOKS: Readonly<Record<string, Look>> = {
  ready: { sign: '●', bar: '━', style: 'good' },
  listed: { sign: '●', bar: '━', style: 'good' },
  connecting: { sign: '◌', bar: '╌', style: 'info' },
  backoff: { sign: '✗', bar: 'x', style: 'bad' },
  ejected: { sign: '⊘', bar: '░', style: 'warn' },
  unhealthy: { sign: '!', bar: '!', style: 'bad' },
  draining: { sign: '◐', bar: '─', style: 'warn' },
};
const OTHER: Look = { sign: '○', bar: '·', style: 'dim' };
const GONE: Look = { sign: ' ', bar: ' ', style: 'dim' };

/** A pod that went is shown for so long. */
const SHOW_GONE_MS = 60_000;
const MIN_STRIP = 12;
const MAX_STRIP = 60;
const STATE_WIDTH = 12;
const AGE_WIDTH = 12;
/** Of the longest answer, SERVICE_UNKNOWN, so that the strip does not move with the answers. */
const HEALTH_WIDTH = 15;
/** Of `in 59 min 59 s`. */
const RETURN_WIDTH = 14;

export function podTable(view: WatchView, { columns, rows, paint, live }: PodTableOptions): string[] {
  const pods = view.pods.filter(({ goneAt }) => goneAt === null || (live && view.now - goneAt < SHOW_GONE_MS));
  if (pods.length === 0) return [paint.warn('No pod is known.')];
  const fits = pods.length + 1 <= rows;
  const shown = (fits ? pods.toSorted(byAddress) : pods.toSorted(byUrgency)).slice(
    0,
    fits ? pods.length : Math.max(0, rows - 2),
  );
  const cells = columnsFor(view, pods, columns);
  const used = cells.reduce((sum, { width }) => sum + width + 2, 0);
  const strip = live ? Math.min(MAX_STRIP, columns - used) : 0;
  const withStrip = strip >= MIN_STRIP;
  const heading = cells
    .map(({ title, width, right }) => (right ? padLeft(title, width) : pad(title, width)))
    .join('  ');
  const lines = [paint.dim(withStrip ? `${heading}  ${stripHeading(strip)}` : heading.trimEnd())];
  for (const pod of shown) {
    const line = cells.map(({ width, right, text }) =>
      right ? padLeft(text(pod, paint), width) : pad(text(pod, paint), width),
    );
    if (withStrip) line.push(podStrip(pod, view.now, strip, paint));
    const text = line.join('  ').trimEnd();
    lines.push(pod.goneAt === null ? text : paint.dim(text));
    // A live view has the changes for that.
    if (!live && pod.lastError !== null) lines.push(`  ${paint.bad(printable(pod.lastError))}`);
  }
  if (!fits && rows > 1) lines.push(paint.dim(rest(pods.toSorted(byUrgency).slice(shown.length))));
  if (withStrip && fits && lines.length < rows)
    lines.push(`${pad(paint.dim('DNS answers'), used - 2)}  ${queryStrip(view.queries, view.now, strip, paint)}`);
  return lines;
}

interface Column {
  readonly title: string;
  readonly width: number;
  readonly right: boolean;
  text(pod: PodView, paint: Paint): string;
}

/** As many columns as fit, the least important ones left out first. */
function columnsFor(view: WatchView, pods: readonly PodView[], columns: number): Column[] {
  const address = Math.max(3, ...pods.map((pod) => pod.address.length));
  const all: Column[] = [
    { title: 'POD', width: address, right: false, text: (pod) => pod.address },
    { title: 'STATE', width: STATE_WIDTH, right: false, text: stateText },
    { title: 'FOR', width: AGE_WIDTH, right: false, text: (pod) => ageText(pod, view.now) },
  ];
  if (pods.some(({ health }) => health !== null))
    all.push({ title: 'HEALTH', width: HEALTH_WIDTH, right: false, text: healthText });
  if (view.outlier)
    all.push({ title: 'CALLS AGAIN', width: RETURN_WIDTH, right: false, text: (pod) => returnText(pod, view.now) });
  if (pods.some(({ zone }) => zone !== null))
    all.push({
      title: 'ZONE',
      width: Math.max(4, ...pods.map(({ zone }) => zone?.length ?? 0)),
      right: false,
      text: ({ zone }) => zone ?? '',
    });
  if (view.calls)
    all.push(
      { title: 'IN FLIGHT', width: 9, right: true, text: ({ inFlight }) => String(inFlight) },
      { title: 'CALLS', width: 7, right: true, text: ({ started }) => String(started) },
      {
        title: 'FAILED',
        width: 6,
        right: true,
        text: ({ failed }, paint) => (failed > 0 ? paint.bad(String(failed)) : '0'),
      },
    );
  while (all.length > 2 && all.reduce((sum, { width }) => sum + width + 2, -2) > columns) all.pop();
  return all;
}

function lookOf({ spans, goneAt }: PodView): Look {
  return goneAt === null ? (LOOKS[spans.at(-1)?.state ?? ''] ?? OTHER) : GONE;
}

function stateText(pod: PodView, paint: Paint): string {
  const { sign, style } = lookOf(pod);
  const state = pod.goneAt === null ? (pod.spans.at(-1)?.state ?? '') : 'gone';
  return paint[style](`${sign} ${state === 'listed' ? 'in DNS' : state}`);
}

function ageText({ spans, goneAt }: PodView, now: number): string {
  return age(now - (goneAt ?? spans.at(-1)?.from ?? now));
}

/** An answer is that of a connection. */
function healthText({ health, spans, goneAt }: PodView): string {
  return goneAt !== null || spans.at(-1)?.state === 'backoff' ? '' : (health ?? '');
}

/** When an ejected pod will take calls again. */
function returnText({ ejected }: PodView, now: number): string {
  return ejected === null ? '' : `in ${countdown(ejected.untilMs - now)}`;
}

function stripHeading(width: number): string {
  const label = `LAST ${width} s`;
  return `${label}${padLeft('now', width - label.length)}`;
}

/** One character a second, the newest on the right. */
function podStrip({ spans }: PodView, now: number, width: number, paint: Paint): string {
  let text = '';
  for (let index = 0; index < width; index++) {
    const from = now - (width - index) * 1_000;
    const span = spans.findLast((each) => each.from < from + 1_000 && (each.to ?? now) >= from);
    const { bar, style } = span ? (LOOKS[span.state] ?? OTHER) : GONE;
    text += bar === ' ' ? ' ' : paint[style](bar);
  }
  return text;
}

/** A dot for an answer, a triangle for one that changed the set, a cross for a failure. */
function queryStrip(queries: readonly QueryView[], now: number, width: number, paint: Paint): string {
  const signs = Array.from<string>({ length: width }).fill(' ');
  for (const { at, outcome, added, removed } of queries) {
    const index = width - 1 - Math.floor((now - at) / 1_000);
    if (index < 0 || index >= width) continue;
    if (outcome !== 'addresses') signs[index] = paint.bad('✗');
    else if (added.length + removed.length > 0) signs[index] = paint.info('▲');
    else if (signs[index] === ' ') signs[index] = paint.dim('·');
  }
  return signs.join('');
}

/** What is not shown, by state. */
function rest(pods: readonly PodView[]): string {
  const states = new Map<string, number>();
  for (const { spans, goneAt } of pods) {
    const state = goneAt === null ? (spans.at(-1)?.state ?? '') : 'gone';
    states.set(state, (states.get(state) ?? 0) + 1);
  }
  const parts = [...states].map(([state, number]) => `${number} ${state}`).join(', ');
  return `and ${count(pods.length, 'other', 'others')}: ${parts}`;
}

const collator = new Intl.Collator('en', { numeric: true });

function byAddress(one: PodView, other: PodView): number {
  return collator.compare(one.address, other.address);
}

const URGENCY: readonly string[] = ['backoff', 'unhealthy', 'ejected', 'connecting', 'draining'];

/** Those that need a look first, those that went last. */
function byUrgency(one: PodView, other: PodView): number {
  const rank = ({ spans, goneAt }: PodView): number => {
    const index = URGENCY.indexOf(spans.at(-1)?.state ?? '');
    return goneAt !== null ? 9 : index < 0 ? 5 : index;
  };
  return rank(one) - rank(other) || byAddress(one, other);
}
