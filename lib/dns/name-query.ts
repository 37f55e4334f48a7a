/** What is asked for under one candidate name of a search: its addresses, by the family that is set. */
import type { Question, RecordType } from './message.js';
import type { QueryOutcome, QueryResult, ResponseOutcome } from './query-result.js';
import type { Family } from './settings.js';

/** Puts one question to the servers. Rejects only with the resolution's signal's reason. */
export type Ask = <T extends RecordType>(
  question: Question<T>,
) => Promise<QueryResult<QueryOutcome | ResponseOutcome<T>>>;

/** The results for one name: at least one, and at most one of each record type. */
export type NameQuery = (hostname: string, ask: Ask) => Promise<QueryResult[]>;

export function addressQuery(family: Family): NameQuery {
  return async (hostname, ask) => {
    switch (family) {
      case 'ipv4':
        return [await ask({ hostname, type: 'A' })];
      case 'ipv6':
        return [await ask({ hostname, type: 'AAAA' })];
      case 'dual':
        return Promise.all([ask({ hostname, type: 'A' }), ask({ hostname, type: 'AAAA' })]);
      case 'auto': {
        const a = await ask({ hostname, type: 'A' });
        const isNoData = a.outcome.kind === 'empty' && a.outcome.failure.reason === 'nodata';
        return isNoData ? [a, await ask({ hostname, type: 'AAAA' })] : [a];
      }
    }
  };
}
