/**
 * How many calls a connection takes at the same time: the peer's SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113 section 6.5.2).
 * grpc-js shows it nowhere, and neither does channelz; node:http2 does, on the session. The way there leads through members
 * that are private by their TypeScript declaration, so each step is checked, and without one of them the limit is unknown.
 */
import type { Subchannel } from './experimental.js';

interface Settings {
  readonly maxConcurrentStreams?: number;
}

/** As grpc-js 1.14 has them. */
interface RealSubchannel {
  readonly transport?: { readonly session?: { readonly remoteSettings?: Settings } } | null;
}

/** @returns null while there is no connection, and where grpc-js has no such members. */
export function streamLimit(subchannel: Subchannel): number | null {
  const { transport } = subchannel.getRealSubchannel() as unknown as RealSubchannel;
  const limit = transport?.session?.remoteSettings?.maxConcurrentStreams;
  return typeof limit === 'number' ? limit : null;
}
