/**
 * The contract of whatever turns a name into addresses once: `StubResolver` asks DNS servers, `LookupResolver` the
 * user's own function. The poller decides when to ask.
 */
import type { QueryBits } from './message.js';
import type { Resolution } from './resolution.js';

export interface NameResolver {
  /**
   * A DNS failure is an outcome, not an error. Rejects only with the signal's reason.
   * @param bits of the queries to send. Default: neither bit is set. A user's lookup sends none, and ignores them.
   */
  resolve(signal: AbortSignal, bits?: QueryBits): Promise<Resolution>;
}
