/** The programs' settings, from environment variables, as a Deployment in Kubernetes gives them. */
import type { HeadlessOptions } from '../../lib/index.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where a program listens: `HOST`, or else all addresses; `PORT`. */
export function listenAddress(defaultPort: number): Address {
  return { host: text('HOST') ?? '0.0.0.0', port: wholeNumber('PORT', 0, 65_535) ?? defaultPort };
}

export interface TargetSettings {
  /** `HELLO_TARGET`: the headless Service, such as `hello.shop.svc.cluster.local:50051`. */
  readonly target: string;
  /** `HELLO_DNS`: a DNS server, in the place of resolv.conf's. `HELLO_REFRESH_MS`: how often it is asked. */
  readonly headless: HeadlessOptions;
}

export function targetSettings(): TargetSettings {
  const server = text('HELLO_DNS');
  const intervalMs = wholeNumber('HELLO_REFRESH_MS', 100, 3_600_000);
  return {
    target: text('HELLO_TARGET') ?? 'hello:50051',
    headless: {
      ...(server === undefined ? {} : { dns: { servers: [server] } }),
      ...(intervalMs === undefined ? {} : { refresh: { intervalMs, minIntervalMs: Math.min(intervalMs, 1_000) } }),
    },
  };
}

/** @throws {RangeError} that names the variable. */
export function wholeNumber(name: string, least: number, most: number): number | undefined {
  const value = text(name);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!/^[0-9]+$/.test(value) || number < least || number > most)
    throw new RangeError(`${name} is "${value}": set it to a whole number from ${least} to ${most}, or leave it out`);
  return number;
}

/** Empty is unset. */
function text(name: string): string | undefined {
  return process.env[name]?.trim() || undefined;
}
