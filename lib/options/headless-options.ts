/**
 * The type of the option `headless`, as users see it in their editor. `npm run options -- --write` makes the comments
 * from lib/options/schema.ts; the compiler proves that the schema has the same options with the same types.
 */
import type { EmptyRule } from '../discovery/membership.js';
import type { TtlRule } from '../discovery/schedule.js';
import type { Lookup } from '../dns/lookup-resolver.js';
import type { Family } from '../dns/settings.js';

/** How a call's pod is chosen. */
export type BalancePolicy = 'least_request' | 'round_robin';

/** Every option may be left out. Every other key of a channel's options belongs to grpc-js. */
export interface HeadlessOptions {
  refresh?: {
    intervalMs?: number | undefined;
    jitter?: number | undefined;
    minIntervalMs?: number | undefined;
    burstMs?: number | undefined;
    ttl?: TtlRule | undefined;
  };
  dns?: {
    servers?: readonly string[] | undefined;
    family?: Family | undefined;
    timeoutMs?: number | undefined;
    attempts?: number | undefined;
    search?: readonly string[] | undefined;
    ndots?: number | undefined;
    resolvConf?: string | undefined;
    lookup?: Lookup | undefined;
  };
  balance?: {
    policy?: BalancePolicy | undefined;
  };
  empty?: EmptyRule | undefined;
  drain?: {
    lingerMs?: number | undefined;
  };
}
