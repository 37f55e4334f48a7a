/** How old the client's set of pods may be, by its interval and the cache in front: the arithmetic of docs/dns.md. Pure. */
import type { Reading } from './facts.js';

export interface NewsAge {
  readonly meanMs: number;
  readonly mostMs: number;
}

/** The default of `refresh.minIntervalMs`: entries are not read more often. */
const MIN_INTERVAL_MS = 1_000;

export function newsAge({ cache, entries, ttlMs }: Reading, intervalMs: number): NewsAge {
  if (cache !== 'present') return { meanMs: intervalMs / 2, mostMs: intervalMs };
  // Just after each entry expires there is an answer as fresh as the authority's: one for each part of the TTL.
  const mostMs = Math.max(ttlMs / entries, Math.min(MIN_INTERVAL_MS, intervalMs));
  return { meanMs: mostMs / 2, mostMs };
}
