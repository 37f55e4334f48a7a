/** What two snapshots tell of DNS: whether a poll was answered in between, and what it changed. Pure functions. */
import type { DnsStatus, Snapshot } from '../../index.js';
import { count, duration } from './format.js';
import type { ChangeView, DnsView, QueryView } from './view.js';

type Change = Omit<ChangeView, 'id'>;

export interface DnsNews {
  readonly query: Omit<QueryView, 'id'> | null;
  readonly changes: readonly Change[];
}

/** Polls that end between two snapshots count as the last one of them. */
export function dnsNews(before: Snapshot | null, after: Snapshot, now: number): DnsNews {
  const { dns, counters } = after;
  const changes: Change[] = [];
  const failed = counters.failures > (before?.counters.failures ?? 0);
  const empty = counters.emptyAnswers > (before?.counters.emptyAnswers ?? 0);
  const answered = dns.answeredAt !== null && dns.answeredAt !== (before?.dns.answeredAt ?? null);
  const outcome = answered && (dns.error === null || !(failed || empty)) ? 'addresses' : failed ? 'failed' : 'empty';
  let query: DnsNews['query'] = null;
  if (failed || empty || answered) {
    const known = new Set(before?.dns.addresses);
    const current = new Set(dns.addresses);
    query = {
      at: outcome === 'addresses' && dns.answeredAt !== null ? Math.min(now, dns.answeredAt) : now,
      outcome,
      addresses: dns.addresses,
      added: dns.addresses.filter((address) => !known.has(address)),
      removed: (before?.dns.addresses ?? []).filter((address) => !current.has(address)),
      ttlMs: outcome === 'addresses' ? dns.ttlMs : null,
      rcode: dns.rcode,
      server: dns.server,
      transport: dns.transport,
      error: outcome === 'addresses' ? null : dns.error,
      questions: counters.queries - (before?.counters.queries ?? 0),
    };
    changes.push(describeQuery(query, dns, before === null || before.dns.answeredAt === null));
  }
  const cache = describeCache(before?.dns ?? null, dns);
  if (cache !== null)
    changes.push({ at: now, about: 'dns', address: null, text: cache, tone: 'neutral', routine: false });
  if (dns.zone && dns.zone.fallback !== (before?.dns.zone?.fallback ?? false)) {
    const text = dns.zone.fallback
      ? `DNS has no name for the zone ${dns.zone.name}: pods of every zone are used alike`
      : `DNS has names for the zone ${dns.zone.name} again`;
    changes.push({
      at: now,
      about: 'dns',
      address: null,
      text,
      tone: dns.zone.fallback ? 'bad' : 'good',
      routine: false,
    });
  }
  return { query, changes };
}

function describeQuery(query: Omit<QueryView, 'id'>, dns: DnsStatus, first: boolean): Change {
  const { at, outcome, addresses, added, removed } = query;
  const moved = added.length + removed.length > 0;
  const source = [query.server, query.transport].filter((part) => part !== null).join(' over ');
  const from = source === '' ? '' : `, from ${source}`;
  if (outcome === 'addresses') {
    const difference = moved && !first ? ` (${signed(added.length, removed.length)})` : '';
    const ttl = query.ttlMs === null ? '' : `, TTL ${duration(query.ttlMs)}`;
    const text = `answer: ${count(addresses.length, 'address', 'addresses')}${difference}${ttl}${from}`;
    return { at, about: 'dns', address: null, text, tone: 'neutral', routine: !moved };
  }
  const kept = addresses.length > 0 ? `; ${count(addresses.length, 'address stays', 'addresses stay')} in use` : '';
  const row = dns.failures > 1 ? ` (failure ${dns.failures} in a row)` : '';
  const text = `${outcome === 'empty' ? 'no addresses' : 'failed'}: ${query.error ?? query.rcode ?? 'no answer'}${row}${kept}`;
  return { at, about: 'dns', address: null, text, tone: 'bad', routine: false };
}

function signed(added: number, removed: number): string {
  return [added > 0 ? `+${added}` : '', removed > 0 ? `-${removed}` : ''].filter((part) => part !== '').join(' ');
}

function describeCache(before: DnsStatus | null, { cache }: DnsStatus): string | null {
  if (cache === null || cache.state === (before?.cache?.state ?? 'unknown')) return null;
  if (cache.state === 'none') return 'no cache in front: TTLs do not count down, every answer is live';
  if (cache.state === 'unknown') return 'whether a cache is in front is to be found out again';
  const ttl = cache.ttlMs === null ? '' : ` of ${duration(cache.ttlMs)}`;
  return `a cache is in front, with a TTL${ttl}: each entry is read just after it expires`;
}

/** Moments in the place of ages. */
export function toDnsView({ ageMs: _, cache, ...dns }: DnsStatus, now: number): DnsView {
  return {
    ...dns,
    cache: cache && { state: cache.state, ttlMs: cache.ttlMs, expiresAt: cache.expiresInMs.map((ms) => now + ms) },
  };
}
