/**
 * The view as lines for a terminal of a given size: what it is about, DNS and its cache, a row for each pod, and the latest
 * changes. Never more lines than rows, never a line wider than the columns. A pure function of the view and the time.
 */

import { cut, type Paint, pad, padLeft, printable, widthOf } from '../styled-text.js';
import { age, clockTime, count, countdown, duration } from './format.js';
import { PANIC } from './pod-news.js';
import { podTable } from './pod-table.js';
import type { ChangeView, WatchView } from './view.js';

export interface FrameOptions {
  readonly columns: number;
  /** `Infinity`: as many as it takes. */
  readonly rows: number;
  readonly paint: Paint;
  /** Of the page, where it is served. */
  readonly url: string | null;
  /** Show the latest changes and how to end. */
  readonly live: boolean;
}

/** Changes that are shown even where that hides pods. */
const LEAST_CHANGES = 3;
/** A blank line and a heading. */
const CHANGES_HEAD = 2;
/** Rows of the table, its heading included, that changes never take. */
const LEAST_PODS = 6;
/** Fewer rows than this have room for the first lines and the pods alone. */
const ROWS_FOR_ALL = 12;

export function frame(view: WatchView, options: FrameOptions): string[] {
  const { columns, rows, paint, live } = options;
  const small = rows < ROWS_FOR_ALL;
  const head = [title(view, options), ...facts(view, options, small)];
  const foot = live && !small ? [footer(view, options)] : [];
  const gap = small ? 0 : 1;
  const room = rows - head.length - foot.length - gap;
  const changes = live && !small ? view.changes.filter(({ routine }) => !routine) : [];
  const table = (height: number) => podTable(view, { columns, rows: height, paint, live });
  const whole = table(Number.POSITIVE_INFINITY);
  // Pods first; changes get a part where there are too many pods, and nothing where that part would be all there is.
  const least = Math.min(LEAST_CHANGES, changes.length) + CHANGES_HEAD;
  const pods = whole.length + least <= room ? whole : table(room - least >= LEAST_PODS ? room - least : room);
  const lines = [...head, ...(gap > 0 ? [''] : []), ...pods];
  const left = room - pods.length - CHANGES_HEAD;
  if (changes.length > 0 && left > 0) {
    lines.push('', paint.dim('CHANGES'));
    for (const change of changes.slice(-left).toReversed()) lines.push(changeLine(change, paint));
  }
  // The last row is the footer's, however few pods there are.
  if (foot.length > 0) while (lines.length < rows - foot.length) lines.push('');
  return [...lines.slice(0, Math.max(0, rows - foot.length)), ...foot].slice(0, rows).map((line) => cut(line, columns));
}

function title({ target, state, pods }: WatchView, { columns, paint }: FrameOptions): string {
  const present = pods.filter(({ goneAt }) => goneAt === null);
  const ready = present.filter(({ spans }) => spans.at(-1)?.state === 'ready').length;
  const stateStyle = state === 'READY' ? paint.good : state === 'TRANSIENT_FAILURE' ? paint.bad : paint.warn;
  const listed = state === 'DNS ONLY';
  const numbers = listed
    ? count(present.length, 'pod', 'pods')
    : `${ready} of ${count(present.length, 'pod', 'pods')} ready`;
  const right = `${stateStyle(state)}  ${paint.bold(numbers)}`;
  const name = printable(target.replace(/^headless:\/\/[^/]*\//, ''));
  const left = cut(paint.bold(name), Math.max(0, columns - widthOf(right) - 2));
  return widthOf(left) < 8 ? `${paint.bold(numbers)}  ${name}` : pad(left, columns - widthOf(right)) + right;
}

function facts(
  { dns, now, panic, counters, startedAt }: WatchView,
  { columns, paint, url }: FrameOptions,
  small: boolean,
): string[] {
  const lines: string[] = [];
  const add = (label: string, parts: readonly (string | null)[], most = 2) => {
    const shown = parts.filter((part): part is string => part !== null);
    lines.push(
      ...wrapped(shown, columns - LABEL_WIDTH)
        .slice(0, small ? 1 : most)
        .map((line, index) => `${paint.dim((index === 0 ? label : '').padEnd(LABEL_WIDTH))}${line}`),
    );
  };
  if (panic) add('panic', [paint.bad(PANIC)]);
  const failing = dns.failures > 0 || (dns.error !== null && dns.rcode !== 'NOERROR');
  const answered = dns.answeredAt === null ? null : `answered ${age(now - dns.answeredAt)} ago`;
  const unanswered = dns.answeredAt === null && dns.error === null && now - startedAt >= SLOW_ANSWER_MS;
  const waiting = unanswered
    ? `no answer for ${age(now - startedAt)}: ${count(counters.queries, 'query', 'queries')} sent, ${counters.timeouts} timed out`
    : null;
  const next =
    dns.nextQueryAt === null ? (waiting ?? 'asking now') : `next query in ${countdown(dns.nextQueryAt - now)}`;
  add('DNS', [
    dns.rcode === null ? null : (failing ? paint.bad : paint.good)(dns.rcode),
    count(dns.addresses.length, 'address', 'addresses'),
    dns.ttlMs === null ? null : `TTL ${duration(dns.ttlMs)}`,
    answered,
    next,
  ]);
  if (failing)
    add(
      'error',
      [paint.bad(printable(dns.error ?? '')), dns.failures > 1 ? `${dns.failures} failures in a row` : null],
      3,
    );
  if (small) return lines;
  add('asked', [dns.name, dns.server === null ? null : `at ${dns.server}`, dns.transport && `over ${dns.transport}`]);
  if (dns.cache !== null && dns.cache.state !== 'unknown') {
    const entries = dns.cache.expiresAt.map((at) => (at <= now ? 'now' : countdown(at - now)));
    add('cache', [
      dns.cache.state === 'none' ? 'none: every answer is live' : `present, full TTL ${duration(dns.cache.ttlMs ?? 0)}`,
      dns.cache.state === 'present' && entries.length > 0 ? `entries expire in ${entries.join(', ')}` : null,
    ]);
  }
  if (dns.zone !== null)
    add('zone', [
      `${dns.zone.name} (${dns.zone.mode})`,
      dns.zone.fallback ? 'DNS has no name for it: all pods are used' : null,
    ]);
  if (url !== null) add('page', [paint.info(url)]);
  return lines;
}

const LABEL_WIDTH = 7;
/** DNS that has not answered for so long may not answer at all. */
const SLOW_ANSWER_MS = 1_000;

/** Joined by dots, in lines of the width; a longer part has a line of its own and is cut later. */
function wrapped(parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const joined = last === undefined ? part : `${last} · ${part}`;
    if (last === undefined || widthOf(joined) > width) lines.push(part);
    else lines[lines.length - 1] = joined;
  }
  return lines;
}

function changeLine({ at, about, address, text, tone }: ChangeView, paint: Paint): string {
  const style = tone === 'good' ? paint.good : tone === 'bad' ? paint.bad : (plain: string) => plain;
  return `${paint.dim(clockTime(at))}  ${address ?? (about === 'dns' ? 'DNS' : about)} ${style(printable(text))}`;
}

function footer({ counters, now, startedAt }: WatchView, { columns, paint }: FrameOptions): string {
  const numbers = [
    `${counters.polls} polls`,
    `${counters.queries} queries`,
    counters.timeouts > 0 ? `${counters.timeouts} timeouts` : null,
    counters.truncated > 0 ? `${counters.truncated} truncated` : null,
    counters.connectionsLost > 0 ? `${count(counters.connectionsLost, 'connection', 'connections')} lost` : null,
    counters.ejections > 0 ? count(counters.ejections, 'ejection', 'ejections') : null,
    `for ${age(now - startedAt)}`,
  ].filter((part) => part !== null);
  const right = 'Ctrl-C ends';
  const left = cut(numbers.join(' · '), Math.max(0, columns - right.length - 2));
  return paint.dim(left + padLeft(right, columns - widthOf(left)));
}
