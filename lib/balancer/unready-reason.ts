/** Why a channel has no endpoint that takes calls, in the words of its errors. */
import { ConnectionError } from '../errors.js';
import type { Endpoint } from './endpoint.js';

/** What the reason depends on. */
export interface UnreadyChannel {
  /** `name:port`. */
  readonly authority: string;
  /** Endpoints in the set. */
  readonly listed: number;
  /** Pods that are to be connected: with several connections to a pod there are more endpoints. */
  readonly pods: number;
  /** Why there is no set. */
  readonly note: string;
  /** Try to connect for the first time, or are connected and still to be found healthy; the oldest first. */
  readonly connecting: Iterable<Endpoint>;
  /** Why the last DNS query brought no addresses; null where it did. */
  readonly dnsError: Error | null;
  /** Wall-clock milliseconds since the epoch. */
  readonly now: number;
}

export class UnreadyReason {
  /** Those whose last attempt to connect failed, in the order of these failures. */
  readonly #failed = new Set<Endpoint>();
  /** The last one of them. */
  #lastFailed: Endpoint | null = null;

  noteFailure(endpoint: Endpoint): void {
    this.#failed.delete(endpoint);
    this.#failed.add(endpoint);
    this.#lastFailed = endpoint;
  }

  /** It is connected, or has left: its failure is no longer why calls fail. */
  forgetFailure(endpoint: Endpoint): void {
    this.#failed.delete(endpoint);
    if (this.#lastFailed !== endpoint) return;
    this.#lastFailed = null;
    for (const other of this.#failed) this.#lastFailed = other;
  }

  /** The last attempt to connect that failed, or else the one that has been without a result for the longest time. */
  connectionError({ listed, connecting, now }: UnreadyChannel): ConnectionError | null {
    if (listed === 0) return null;
    if (this.#lastFailed) return new ConnectionError(this.#lastFailed.name, this.#lastFailed.lastError);
    const [oldest] = connecting;
    if (!oldest) return null;
    const ms = now - oldest.since;
    return new ConnectionError(oldest.name, oldest.state === 'checking' ? unanswered(ms) : unfinished(ms));
  }

  /** For the details of calls that fail. */
  text(channel: UnreadyChannel): string {
    const { authority, listed, pods, note, dnsError } = channel;
    if (listed === 0) return `headless: no address for ${authority}: ${note || 'the set is empty'}`;
    const dns = dnsError ? `; the last DNS query failed too: ${dnsError.message}` : '';
    const error = this.connectionError(channel)?.message ?? 'none was given';
    return `headless: no connection to any of the ${pods} pods of ${authority}. Last error: ${error}${dns}`;
  }
}

function unanswered(ms: number): string {
  return `no answer to its health check; it has been connecting for ${Math.max(0, Math.round(ms))} ms`;
}

/** A host that accepts connections and sends nothing looks the same as one whose packets are lost. */
export function unfinished(ms: number): string {
  return `no answer to the TCP, TLS or HTTP/2 handshake for ${Math.max(0, Math.round(ms))} ms`;
}
