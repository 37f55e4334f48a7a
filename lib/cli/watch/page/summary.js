/** The tiles at the top, and what is known of DNS and its cache. */
import { byId, element, keepChildren, setText } from './element.js';
import { age, count, countdown, duration } from './format.js';

/** @import { PodView } from '../view.js' */
/** @import { Store } from './store.js' */

const ORDER = ['ready', 'listed', 'connecting', 'draining', 'ejected', 'unhealthy', 'backoff'];

/** @param {string} target */
export function shortTarget(target) {
  return target.replace(/^headless:\/\/[^/]*\//, '');
}

/** @param {Store} store */
export function drawSummary(store) {
  const view = store.last;
  if (view === null) return;
  const { now } = store;
  const { dns } = view;
  const name = shortTarget(view.target);
  setText(byId('target'), name);
  drawPods(
    [...store.pods.values()].filter(({ goneAt }) => goneAt === null),
    name,
  );

  const state = byId('state');
  setText(state, view.state);
  state.className = view.state === 'READY' ? 'good' : view.state === 'TRANSIENT_FAILURE' ? 'bad' : '';
  const panic = view.panic ? 'panic: every connected pod is ejected or unhealthy, so all of them get calls' : null;
  setText(byId('watching'), panic ?? `watched for ${age(now - view.startedAt)}`);
  byId('watching').className = panic === null ? 'note' : 'note bad';

  const failing = dns.failures > 0 || dns.error !== null;
  setText(byId('answer-age'), dns.answeredAt === null ? 'none yet' : `${age(now - dns.answeredAt)} ago`);
  const rcode = byId('answer-rcode');
  setText(rcode, dns.rcode ?? '');
  rcode.className = `badge ${failing ? 'bad' : 'good'}`;
  const addresses = count(dns.addresses.length, 'address', 'addresses');
  const ttl = dns.ttlMs === null ? '' : `, TTL ${duration(dns.ttlMs)}`;
  setText(byId('answer-note'), dns.error ?? `${addresses}${ttl}`);
  byId('answer-note').className = dns.error === null ? 'note' : 'note bad';

  const wait = dns.nextQueryAt === null ? null : Math.max(0, dns.nextQueryAt - now);
  setText(byId('next'), wait === null ? 'now' : `in ${countdown(wait)}`);
  const whole = (dns.nextQueryAt ?? 0) - (store.queries.at(-1)?.at ?? view.startedAt);
  byId('next-meter').style.width = `${wait === null ? 100 : share(whole - wait, whole)}%`;
  setText(byId('next-note'), [dns.server, dns.transport].filter(Boolean).join(' over '));
  drawFacts(store);
}

/**
 * @param {readonly PodView[]} present
 * @param {string} name
 */
function drawPods(present, name) {
  /** @type {Map<string, number>} */
  const states = new Map();
  for (const { spans } of present) {
    const state = spans.at(-1)?.state ?? 'unknown';
    states.set(state, (states.get(state) ?? 0) + 1);
  }
  const sorted = [...states].sort(([one], [other]) => ORDER.indexOf(one) - ORDER.indexOf(other));
  const listed = states.get('listed');
  const ready = listed ?? states.get('ready') ?? 0;
  setText(byId('ready'), String(ready));
  setText(byId('known'), listed === undefined ? `of ${present.length} ready` : 'in DNS');
  setText(
    byId('states'),
    sorted.map(([state, number]) => `${number} ${state === 'listed' ? 'in DNS' : state}`).join(', ') ||
      'no pod is known',
  );
  keepChildren(
    byId('share'),
    sorted,
    ([state]) => state,
    ([state]) => element('i', `span ${state}`),
    (bar, [, number]) => {
      bar.style.flexGrow = String(number);
    },
  );
  const title = `${ready}/${present.length} ${name}`;
  if (document.title !== title) document.title = title;
}

/** @param {Store} store */
function drawFacts(store) {
  const { dns } = store.last ?? {};
  if (!dns) return;
  /** @type {[string, string][]} */
  const facts = [['Name', dns.name]];
  if (dns.server !== null) facts.push(['Server', [dns.server, dns.transport].filter(Boolean).join(' over ')]);
  if (dns.failures > 0) facts.push(['Failures', `${dns.failures} in a row`]);
  if (dns.zone !== null)
    facts.push(['Zone', `${dns.zone.name} (${dns.zone.mode})${dns.zone.fallback ? ', not known to DNS' : ''}`]);
  const { cache } = dns;
  if (cache !== null) {
    const words = { unknown: 'not found out yet', none: 'none: every answer is live', present: 'in front' };
    const ttl = cache.state === 'present' && cache.ttlMs !== null ? `, full TTL ${duration(cache.ttlMs)}` : '';
    facts.push(['Cache', `${words[cache.state] ?? cache.state}${ttl}`]);
  }
  /** @type {readonly [string, string | null][]} */
  const rows = cache?.state === 'present' && cache.expiresAt.length > 0 ? [...facts, ['Entries', null]] : facts;
  keepChildren(
    byId('dns-facts'),
    rows.flatMap(([label, text]) => [
      { key: `${label} label`, tag: /** @type {const} */ ('dt'), text: label },
      { key: label, tag: /** @type {const} */ ('dd'), text },
    ]),
    ({ key }) => key,
    ({ tag }) => element(tag),
    (child, { text }) => (text === null ? drawPhases(child, store) : setText(child, text)),
  );
}

/**
 * How much of its life is left to each cache entry that is read in turn.
 *
 * @param {HTMLElement} parent
 * @param {Store} store
 */
function drawPhases(parent, store) {
  const { cache } = store.last?.dns ?? {};
  if (!cache) return;
  parent.className = 'phases';
  keepChildren(
    parent,
    cache.expiresAt.map((at, index) => ({ at, index })),
    ({ index }) => String(index),
    () => element('div', '', element('div', 'meter', element('i')), element('span')),
    (child, { at }) => {
      const [meter, label] = child.children;
      const left = Math.max(0, at - store.now);
      const bar = meter?.firstElementChild;
      if (bar instanceof HTMLElement) bar.style.width = `${share(left, cache.ttlMs ?? 0)}%`;
      if (label) setText(label, left === 0 ? 'expired' : `expires in ${countdown(left)}`);
    },
  );
}

/**
 * @param {number} part
 * @param {number} whole
 */
function share(part, whole) {
  return whole > 0 ? Math.min(100, Math.max(0, (part / whole) * 100)) : 0;
}
