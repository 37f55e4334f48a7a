/**
 * Proxies in the environment, by the rules of grpc-js (its http_proxy.ts): it maps a target to the proxy's before any resolver sees
 * it, unless the channel option `grpc.enable_http_proxy` is 0.
 */
import { isIPv4 } from 'node:net';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Proxy {
  /** The name of the variable that is used. */
  readonly variable: string;
  /** As set: it may contain a password. */
  readonly value: string;
}

/** In grpc-js's order. It reads no others, and none in upper case. */
const PROXY_VARIABLES = ['grpc_proxy', 'https_proxy', 'http_proxy'] as const;

/** The proxy that grpc-js takes for targets that no list excludes; null where it takes none. */
export function proxyOf(env: Environment): Proxy | null {
  const variable = PROXY_VARIABLES.find((name) => env[name]);
  const value = variable === undefined ? undefined : env[variable];
  if (variable === undefined || value === undefined || !URL.canParse(value)) return null;
  return new URL(value).protocol === 'http:' ? { variable, value } : null;
}

/**
 * Whether `no_grpc_proxy`, or else `no_proxy`, excludes the host.
 *
 * @param host as written in the target: with its final dot, an IPv6 address without brackets.
 */
export function isExcluded(env: Environment, host: string): boolean {
  const list = env['no_grpc_proxy'] || env['no_proxy'];
  return list ? coversHost(list.split(','), host) : false;
}

/** An entry is the end of a host's name, an address, or a block of IPv4 addresses. An empty one is the end of every name. */
export function coversHost(entries: readonly string[], host: string): boolean {
  return entries.some((entry) => host.endsWith(entry) || isInBlock(host, entry));
}

function isInBlock(host: string, block: string): boolean {
  const [base = '', length = '', ...more] = block.split('/');
  const bits = Number.parseInt(length, 10);
  if (!isIPv4(host) || !isIPv4(base) || more.length > 0 || !(bits >= 0 && bits <= 32)) return false;
  const mask = -1 << (32 - bits);
  return (toInteger(host) & mask) === (toInteger(base) & mask);
}

function toInteger(address: string): number {
  return address.split('.').reduce((sum, octet) => (sum << 8) + Number(octet), 0);
}

let warned = false;

/** Warns, once in a process, that grpc-js connects a channel to the proxy. Without effect where no proxy is set. */
export function warnOfProxy(target: string, env: Environment): void {
  const proxy = proxyOf(env);
  if (warned || proxy === null) return;
  warned = true;
  process.emitWarning(
    `${proxy.variable} is set, so grpc-js connects the channel to ${target} to the proxy, not to its pods; ` +
      "set the channel option 'grpc.enable_http_proxy' to 0 (a HeadlessChannel and createHeadlessClient do so unless you set it), " +
      "or name the target's host in no_grpc_proxy, as it is written in the target",
    { code: 'GRPC_HEADLESS_PROXY' },
  );
}
