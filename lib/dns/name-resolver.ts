/**
 * The contract of whatever turns a name into addresses once: `StubResolver` asks DNS servers, `LookupResolver` the
 * user's own function. The poller decides when to ask.
 */
import type { QueryBits } from './message.js';
import type { Resolution } from './resolution.js';

export interface ResolveOptions {
  /**
   * Ask for the candidates that come before the name in use more often than at their slow pace. For a caller that
   * expects a change. A resolver without a search list ignores it.
   */
  readonly searchNearer?: boolean;
}

export interface NameResolver {
  /**
   * A DNS failure is an outcome, not an error. Rejects only with the signal's reason. Queries whose results only a later
   * resolution needs may go on after it: the signal ends them too.
   * @param bits of the queries to send. Default: neither bit is set. A user's lookup sends none, and ignores them.
   */
  resolve(signal: AbortSignal, bits?: QueryBits, options?: ResolveOptions): Promise<Resolution>;
}
