/**
 * The time line: one lane for each pod with a bar for each state, and the DNS answers along the same axis. To the right of
 * "now" is what is due: the next query, and the expiry of cache entries.
 */
import { byId, element, keepChildren, setText } from './element.js';
import { age, clockTime, count, countdown } from './format.js';

/** @import { PodView, QueryView, Span } from '../view.js' */
/** @import { Store } from './store.js' */

/** Milliseconds shown before now, and between two labels of the axis. */
const RANGES = [
  { label: '1 min', ms: 60_000, step: 15_000 },
  { label: '5 min', ms: 300_000, step: 60_000 },
  { label: '15 min', ms: 900_000, step: 300_000 },
  { label: '30 min', ms: 1_800_000, step: 600_000 },
];
/** Of the width, right of now. */
const FUTURE = 0.1;
/** More lanes than this only if the user asks for them. */
const MOST_LANES = 40;

const collator = new Intl.Collator('en', { numeric: true });

export class Timeline {
  #range = RANGES[0] ?? { label: '', ms: 60_000, step: 15_000 };
  #all = false;
  #axis = element('div', 'track');
  #answers = element('div', 'track');
  #answersNote = element('small');
  #lanes = element('div');
  #overlay = element('div', 'overlay');

  /** @param {() => void} redraw */
  constructor(redraw) {
    const label = element('div', 'label', element('b', '', 'DNS'), this.#answersNote);
    const dns = element('div', 'lane', label, this.#answers);
    const axis = element('div', 'lane axis', element('div', 'label'), this.#axis);
    byId('timeline').append(axis, this.#overlay, dns, this.#lanes);
    for (const range of RANGES) {
      const input = element('input');
      Object.assign(input, { type: 'radio', name: 'range', checked: range === this.#range });
      input.addEventListener('change', () => {
        this.#range = range;
        redraw();
      });
      byId('range').append(element('label', '', input, range.label));
    }
    byId('all-pods').addEventListener('click', () => {
      this.#all = !this.#all;
      redraw();
    });
  }

  /** @param {Store} store */
  draw(store) {
    const { now } = store;
    const from = now - this.#range.ms;
    /** @param {number} at Percent of the width. */
    const left = (at) => ((at - from) / this.#range.ms) * (1 - FUTURE) * 100;
    this.#drawAxis(now, from, left);
    this.#drawAnswers(store, from, left);
    const queries = store.queries.filter(({ at }) => at >= from);
    this.#drawOverlay(queries, now, from, left);
    this.#drawLanes(store, from, left);
  }

  /**
   * @param {number} now
   * @param {number} from
   * @param {(at: number) => number} left
   */
  #drawAxis(now, from, left) {
    const ticks = ticksBetween(from, now, this.#range.step).filter((at) => left(at) > 4 && left(at) < 80);
    place(
      this.#axis,
      [...ticks.map((at) => ({ key: String(at), at, text: clockTime(at) })), { key: 'now', at: now, text: 'now' }],
      () => element('span', 'tick'),
      left,
      (tick, { text }) => setText(tick, text),
    );
  }

  /**
   * @param {readonly QueryView[]} queries
   * @param {number} now
   * @param {number} from
   * @param {(at: number) => number} left
   */
  #drawOverlay(queries, now, from, left) {
    const lines = ticksBetween(from, now, this.#range.step).map((at) => ({ key: String(at), at, name: '' }));
    const changes = queries.filter(isChange).map(({ id, at }) => ({ key: `change ${id}`, at, name: 'change' }));
    const marks = [
      ...lines,
      ...changes,
      { key: 'future', at: now, name: 'future' },
      { key: 'now', at: now, name: 'now' },
    ];
    place(this.#overlay, marks, ({ name }) => element('i', name), left);
  }

  /**
   * @param {Store} store
   * @param {number} from
   * @param {(at: number) => number} left
   */
  #drawAnswers(store, from, left) {
    const { now } = store;
    const dns = store.last?.dns;
    const marks = store.queries
      .filter(({ at }) => at >= from)
      .map((query) => ({ key: String(query.id), at: query.at, kind: kindOf(query), text: textOf(query) }));
    if (dns && dns.nextQueryAt !== null && dns.nextQueryAt >= now)
      marks.push({ key: 'due', at: dns.nextQueryAt, kind: 'due', text: 'next query' });
    for (const [index, at] of (dns?.cache?.expiresAt ?? []).entries())
      if (at >= now) marks.push({ key: `expiry ${index}`, at, kind: 'expiry', text: 'a cache entry expires' });
    place(
      this.#answers,
      marks.filter(({ at }) => left(at) <= 100),
      ({ kind, text }) => titled(element('i', `mark ${kind}`), text),
      left,
    );
    const answers = store.queries.filter(({ at }) => at >= from).length;
    setText(this.#answersNote, count(answers, 'answer', 'answers'));
  }

  /**
   * @param {Store} store
   * @param {number} from
   * @param {(at: number) => number} left
   */
  #drawLanes(store, from, left) {
    const pods = [...store.pods.values()].filter(({ goneAt }) => goneAt === null || goneAt >= from).sort(byAppearance);
    const shown = this.#all
      ? pods
      : [...pods]
          .sort((one, other) => lastChange(other) - lastChange(one))
          .slice(0, MOST_LANES)
          .sort(byAppearance);
    const more = byId('all-pods');
    more.hidden = pods.length <= MOST_LANES;
    setText(more, this.#all ? `Show the ${MOST_LANES} that changed last` : `Show all ${pods.length} pods`);
    keepChildren(
      this.#lanes,
      shown,
      ({ address }) => address,
      ({ address }) =>
        element(
          'div',
          'lane',
          element('div', 'label', titled(element('b', '', address), address), element('small'), element('em')),
          element('div', 'track'),
        ),
      (lane, pod) => drawLane(lane, pod, store, from, left),
    );
  }
}

/**
 * @param {HTMLElement} lane
 * @param {PodView} pod
 * @param {Store} store
 * @param {number} from
 * @param {(at: number) => number} left
 */
function drawLane(lane, pod, { now, last }, from, left) {
  lane.classList.toggle('gone', pod.goneAt !== null);
  const note = lane.querySelector('small');
  const track = lane.lastElementChild;
  if (note === null || !(track instanceof HTMLElement)) return;
  const span = pod.spans.at(-1);
  const state = pod.goneAt === null ? (span?.state ?? '') : 'gone';
  const failed = pod.failed === 0 ? '' : `, ${pod.failed} failed`;
  const calls = last?.calls ? `, ${pod.inFlight} in flight, ${count(pod.started, 'call', 'calls')}${failed}` : '';
  setText(note, `${state === 'listed' ? 'in DNS' : state} ${age(now - (pod.goneAt ?? span?.from ?? now))}${calls}`);
  note.className = state;
  const error = lane.querySelector('em');
  if (error !== null) setText(error, pod.goneAt === null ? troubleOf(pod, now) : '');
  const spans = pod.spans.filter(({ to }) => (to ?? now) >= from);
  keepChildren(
    track,
    spans,
    ({ from: start, state: name }) => `${name} ${start}`,
    ({ state: name }) => element('i', `span ${name}`),
    (bar, each) => {
      const start = Math.max(0, left(each.from));
      bar.style.left = `${start}%`;
      bar.style.width = `${Math.max(0, left(each.to ?? now) - start)}%`;
      bar.classList.toggle('open', each.to === null);
      bar.title = spanText(pod.address, each, now);
    },
  );
}

/**
 * Why the pod cannot be connected to, or gets no calls although it is connected.
 *
 * @param {PodView} pod
 * @param {number} now
 */
function troubleOf({ spans, lastError, health, ejected }, now) {
  const reasons = lastError === null ? [] : [lastError];
  if (spans.at(-1)?.state === 'unhealthy') reasons.push(`health check: ${health === 'UNKNOWN' ? 'no answer' : health}`);
  if (ejected !== null)
    reasons.push(
      `calls again in ${countdown(ejected.untilMs - now)}, at ${clockTime(ejected.untilMs)}: ${ejected.details}`,
    );
  return reasons.join('; ');
}

/**
 * @param {string} address
 * @param {Span} span
 * @param {number} now
 */
function spanText(address, { state, from, to }, now) {
  return `${address}: ${state} for ${age((to ?? now) - from)}, from ${clockTime(from)}${to === null ? '' : ` to ${clockTime(to)}`}`;
}

/**
 * Children at their places on the axis.
 *
 * @template {{ key: string, at: number }} Item
 * @param {HTMLElement} parent
 * @param {readonly Item[]} items
 * @param {(item: Item) => HTMLElement} create
 * @param {(at: number) => number} left
 * @param {(child: HTMLElement, item: Item) => void} [update]
 */
function place(parent, items, create, left, update = () => {}) {
  keepChildren(
    parent,
    items,
    ({ key }) => key,
    create,
    (child, item) => {
      child.style.left = `${left(item.at)}%`;
      update(child, item);
    },
  );
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} step
 */
function ticksBetween(from, to, step) {
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, index) => first + index * step);
}

/** @param {QueryView} query */
function isChange({ added, removed }) {
  return added.length + removed.length > 0;
}

/** @param {QueryView} query */
function kindOf(query) {
  return query.outcome !== 'addresses' ? 'failed' : isChange(query) ? 'changed' : 'same';
}

/** @param {QueryView} query */
function textOf({ at, outcome, addresses, added, removed, error }) {
  const difference = [added.length > 0 ? `+${added.length}` : '', removed.length > 0 ? `−${removed.length}` : '']
    .join(' ')
    .trim();
  const what = outcome === 'addresses' ? count(addresses.length, 'address', 'addresses') : (error ?? 'no answer');
  return `${clockTime(at)}: ${what}${difference === '' ? '' : ` (${difference})`}`;
}

/**
 * @template {HTMLElement} E
 * @param {E} made
 * @param {string} text
 */
function titled(made, text) {
  made.title = text;
  return made;
}

/** @param {PodView} pod */
function lastChange({ goneAt, spans }) {
  return goneAt ?? spans.at(-1)?.from ?? 0;
}

/**
 * Rollouts look like stairs.
 *
 * @param {PodView} one
 * @param {PodView} other
 */
function byAppearance(one, other) {
  const difference = (one.spans[0]?.from ?? 0) - (other.spans[0]?.from ?? 0);
  // Pods of one answer come within a moment of each other.
  return Math.abs(difference) > 500 ? difference : collator.compare(one.address, other.address);
}
