/** The table of DNS answers, the list of changes, and the counters. */
import { byId, element, keepChildren, setText } from './element.js';
import { age, clockTime, count, duration } from './format.js';

/** @import { QueryView } from '../view.js' */
/** @import { Store } from './store.js' */

const MOST_ROWS = 40;
const MOST_CHANGES = 100;

/** @param {Store} store */
export function drawTables(store) {
  drawAnswers(store);
  drawChanges(store);
  drawCounters(store);
}

/**
 * Answers in a row that changed nothing are one row.
 *
 * @typedef {{ query: QueryView, times: number, first: QueryView }} AnswerRow
 */

/** @param {Store} store */
function drawAnswers(store) {
  /** @type {AnswerRow[]} */
  const rows = [];
  for (const query of store.queries.toReversed()) {
    const row = rows.at(-1);
    if (row && isSame(row.query) && isSame(query)) {
      row.times += 1;
      row.first = query;
    } else if (rows.length < MOST_ROWS) rows.push({ query, times: 1, first: query });
    else break;
  }
  keepChildren(byId('answers'), rows, keyOf, createRow, (row, answer) => updateRow(row, answer, store.now));
}

/** @param {QueryView} query */
function isSame({ outcome, added, removed }) {
  return outcome === 'addresses' && added.length + removed.length === 0;
}

/**
 * By its first answer: the row stays while it grows.
 *
 * @param {AnswerRow} row
 */
function keyOf({ query, first }) {
  return `${isSame(query) ? 'same' : 'one'} ${first.id}`;
}

/** @param {AnswerRow} row */
function createRow({ query }) {
  const row = element('tr');
  const result = element('td', '', element('span', query.outcome === 'addresses' ? '' : 'bad'), element('small'));
  const details = element('details', '', element('summary'), element('ul', 'addresses'));
  const addresses = element('td', '', details);
  if (query.added.length + query.removed.length > 0) {
    const list = element('ul', 'addresses');
    list.append(...query.added.map((address) => element('li', 'added', `+\u00a0${address}`)));
    list.append(...query.removed.map((address) => element('li', 'removed', `−\u00a0${address}`)));
    addresses.append(list);
  }
  row.append(element('td', '', element('span'), element('small')), result, element('td'), addresses);
  return row;
}

/**
 * @param {HTMLTableRowElement} row
 * @param {AnswerRow} answer
 * @param {number} now
 */
function updateRow(row, { query, times, first }, now) {
  const [when, result, ttl, addresses] = row.cells;
  if (!when || !result || !ttl || !addresses) return;
  texts(when, age(now - query.at), times === 1 ? clockTime(query.at) : `since ${clockTime(first.at)}`);
  const outcome = query.outcome === 'addresses' ? (query.rcode ?? 'answer') : (query.rcode ?? 'failed');
  const same = times === 1 ? 'no change' : `no change, ${times} times`;
  texts(result, outcome, query.error ?? (isSame(query) ? same : count(query.questions, 'query', 'queries')));
  setText(ttl, query.ttlMs === null ? '–' : duration(query.ttlMs));
  const [summary, list] = addresses.querySelector('details')?.children ?? [];
  if (!(summary instanceof HTMLElement) || !(list instanceof HTMLElement)) return;
  const kept = query.outcome === 'addresses' ? '' : ' kept';
  setText(summary, `${count(query.addresses.length, 'address', 'addresses')}${kept}`);
  keepChildren(list, query.addresses, String, (address) => element('li', '', address));
}

/**
 * @param {HTMLElement} cell
 * @param {string} main
 * @param {string} small
 */
function texts({ children: [first, second] }, main, small) {
  if (first) setText(first, main);
  if (second) setText(second, small);
}

/** @param {Store} store */
function drawChanges(store) {
  const shown = store.changes
    .filter(({ routine }) => !routine)
    .slice(-MOST_CHANGES)
    .toReversed();
  keepChildren(
    byId('changes'),
    shown,
    ({ id }) => String(id),
    ({ at, about, address, text, tone }) => {
      const subject = element('b', '', address ?? (about === 'dns' ? 'DNS' : about));
      return element(
        'li',
        '',
        element('time', '', clockTime(at)),
        element('span', '', subject, element('span', tone, text)),
      );
    },
  );
}

const COUNTERS = {
  polls: 'polls',
  hinted: 'polls moved forward',
  changes: 'polls with a change',
  failures: 'polls failed',
  emptyAnswers: 'empty answers',
  queries: 'queries',
  udpQueries: 'over UDP',
  tcpQueries: 'over TCP',
  replies: 'responses',
  timeouts: 'timeouts',
  unreachable: 'unreachable',
  truncated: 'truncated',
  malformed: 'malformed',
  dropped: 'datagrams dropped',
  wrongId: 'wrong id',
  wrongQuestion: 'wrong question',
  withoutEdns: 'without EDNS',
  refusedAddresses: 'addresses refused',
  connected: 'connections made',
  connectionsFailed: 'connections failed',
  connectionsLost: 'connections lost',
  drained: 'pods drained',
  returned: 'pods returned',
  drainTimeouts: 'calls ended by drain.timeoutMs',
  ejections: 'pods ejected',
  healthFailures: 'health checks that broke',
  panics: 'panics',
  callsStarted: 'calls',
  callsSucceeded: 'calls succeeded',
  callsFailed: 'calls failed',
};

/** @param {Store} store */
function drawCounters({ last }) {
  /** @type {Readonly<Record<string, string>>} */
  const labels = COUNTERS;
  keepChildren(
    byId('counters'),
    Object.entries(last?.counters ?? {}),
    ([name]) => name,
    ([name]) => element('div', '', element('dt', '', labels[name] ?? wordsOf(name)), element('dd')),
    (child, [, value]) => {
      child.classList.toggle('zero', value === 0);
      if (child.lastElementChild) setText(child.lastElementChild, value.toLocaleString('en'));
    },
  );
}

/**
 * For counters that the list above lacks: `drainTimeouts` becomes `drain timeouts`.
 *
 * @param {string} name
 */
function wordsOf(name) {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
