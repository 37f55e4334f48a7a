/** The options under the key `headless`: types, defaults, validation. Every other key is grpc-js's. */

import type { EmptyRule } from './discovery/membership.js';
import type { RefreshSettings, TtlRule } from './discovery/schedule.js';
import type { Lookup } from './dns/lookup-resolver.js';
import { type DnsSettings, type Family, parseServer } from './dns/settings.js';
import { HeadlessError } from './errors.js';

/** How a call's pod is chosen. */
export type BalancePolicy = 'least_request' | 'round_robin';

/** Every field is optional. */
export interface HeadlessOptions {
  refresh?: {
    /** Milliseconds between two DNS queries. Default 5000; sensible 500 to 30000; at least 10, at most a day. */
    intervalMs?: number | undefined;
    /** Each wait is the interval times 1 to 1 + jitter, so that clients do not ask in step. Default 0.1; 0 to 1. */
    jitter?: number | undefined;
    /** Least milliseconds between two queries asked for by failures, bursts or `refresh()`. Default 1000. */
    minIntervalMs?: number | undefined;
    /**
     * After a change of the set, and while no pod is READY, poll every `minIntervalMs` for so many milliseconds:
     * scale-ups come in bursts. Default 30000; 0 turns it off.
     */
    burstMs?: number | undefined;
    /**
     * `adaptive`: where a cache answers (TTLs are seen counting down), ask once more just after its entry expires.
     * `ignore`: only the interval counts. Default `adaptive`.
     */
    ttl?: TtlRule | undefined;
  };
  dns?: {
    /** `"ip"`, `"ip:port"` or `"[v6]:port"`. Default: resolv.conf's nameservers, re-read when the file changes. */
    servers?: readonly string[] | undefined;
    /** `auto` (default): A, and AAAA only where A is NODATA. `dual`: both at every poll. */
    family?: Family | undefined;
    /** Milliseconds for one server and one attempt. Default: resolv.conf's `timeout`, or else 1000. */
    timeoutMs?: number | undefined;
    /** Rounds over the servers. Default: resolv.conf's `attempts`, or else 2. */
    attempts?: number | undefined;
    /** Search list for names that are not absolute. Default: resolv.conf's. */
    search?: readonly string[] | undefined;
    /** Names with fewer dots go through the search list first. Default: resolv.conf's, or else 1. */
    ndots?: number | undefined;
    /** Path of the resolv.conf. Default `/etc/resolv.conf`. */
    resolvConf?: string | undefined;
    /** Replaces the whole DNS client: mocked DNS, another source of names. */
    lookup?: Lookup | undefined;
  };
  balance?: {
    /** `least_request` (default): of two pods drawn at random, the one with fewer calls in flight. */
    policy?: BalancePolicy | undefined;
  };
  /** `keep` (default): NXDOMAIN and NODATA never empty a working set. `drop`: they do. */
  empty?: EmptyRule | undefined;
  drain?: {
    /** Milliseconds that a removed pod's idle connection is kept for the pod's return. Default 30000. */
    lingerMs?: number | undefined;
  };
}

/** The options, checked and complete. */
export interface HeadlessSettings {
  readonly refresh: RefreshSettings;
  readonly dns: DnsSettings;
  readonly lookup: Lookup | null;
  readonly policy: BalancePolicy;
  readonly empty: EmptyRule;
  readonly lingerMs: number;
}

const DAY_MS = 86_400_000;

/** Turns a raw value into a setting, or throws; `path` is for the message. */
type Check<T> = (value: unknown, path: string) => T;

/**
 * Checks the value of the option `headless`.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` naming the option, the value received and what is allowed.
 */
export function resolveOptions(raw: unknown): HeadlessSettings {
  const top = readGroup(raw, 'headless', ['refresh', 'dns', 'balance', 'empty', 'drain']);
  const refresh = readGroup(top('refresh'), 'headless.refresh', [
    'intervalMs',
    'jitter',
    'minIntervalMs',
    'burstMs',
    'ttl',
  ]);
  const dns = readGroup(top('dns'), 'headless.dns', [
    'servers',
    'family',
    'timeoutMs',
    'attempts',
    'search',
    'ndots',
    'resolvConf',
    'lookup',
  ]);
  const balance = readGroup(top('balance'), 'headless.balance', ['policy']);
  const drain = readGroup(top('drain'), 'headless.drain', ['lingerMs']);
  const setting = <T, D>(value: unknown, path: string, check: Check<T>, otherwise: D): T | D =>
    value === undefined ? otherwise : check(value, path);

  return {
    refresh: {
      intervalMs: setting(refresh('intervalMs'), 'headless.refresh.intervalMs', milliseconds(10, DAY_MS), 5_000),
      jitter: setting(refresh('jitter'), 'headless.refresh.jitter', number(0, 1), 0.1),
      minIntervalMs: setting(
        refresh('minIntervalMs'),
        'headless.refresh.minIntervalMs',
        milliseconds(10, DAY_MS),
        1_000,
      ),
      burstMs: setting(refresh('burstMs'), 'headless.refresh.burstMs', milliseconds(0, DAY_MS), 30_000),
      ttl: setting(refresh('ttl'), 'headless.refresh.ttl', oneOf('adaptive', 'ignore'), 'adaptive' as const),
    },
    dns: {
      servers: setting(dns('servers'), 'headless.dns.servers', servers, null),
      family: setting(dns('family'), 'headless.dns.family', oneOf('auto', 'ipv4', 'ipv6', 'dual'), 'auto' as const),
      timeoutMs: setting(dns('timeoutMs'), 'headless.dns.timeoutMs', milliseconds(1, 60_000), null),
      attempts: setting(dns('attempts'), 'headless.dns.attempts', integer(1, 10), null),
      search: setting(dns('search'), 'headless.dns.search', listOf(domain), null),
      ndots: setting(dns('ndots'), 'headless.dns.ndots', integer(0, 15), null),
      resolvConf: setting(dns('resolvConf'), 'headless.dns.resolvConf', path, '/etc/resolv.conf'),
    },
    lookup: setting(dns('lookup'), 'headless.dns.lookup', lookup, null),
    policy: setting(
      balance('policy'),
      'headless.balance.policy',
      oneOf('least_request', 'round_robin'),
      'least_request' as const,
    ),
    empty: setting(top('empty'), 'headless.empty', oneOf('keep', 'drop'), 'keep' as const),
    lingerMs: setting(drain('lingerMs'), 'headless.drain.lingerMs', milliseconds(0, DAY_MS), 30_000),
  };
}

/** A reader of one group of options, once its keys are known to be known. */
function readGroup<K extends string>(raw: unknown, path: string, known: readonly K[]): (key: K) => unknown {
  if (raw === undefined) return () => undefined;
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw refuse(path, raw, 'must be an object');
  for (const key of Object.keys(raw)) {
    if ((known as readonly string[]).includes(key)) continue;
    const near = nearest(key, known);
    const hint = near ? `did you mean "${near}"?` : `known are ${known.map((name) => `"${name}"`).join(', ')}`;
    throw new HeadlessError(
      'ERR_HEADLESS_OPTION',
      `unknown option ${path}.${key} (value ${show(raw[key as never])}): ${hint}`,
    );
  }
  return (key) => (raw as Record<string, unknown>)[key];
}

function number(min: number, max: number, unit = 'number'): Check<number> {
  return (value, path) => {
    if (typeof value === 'number' && value >= min && value <= max) return value;
    throw refuse(path, value, `must be a ${unit} from ${min} to ${max}`);
  };
}

function milliseconds(min: number, max: number): Check<number> {
  return number(min, max, 'number of milliseconds');
}

function integer(min: number, max: number): Check<number> {
  return (value, path) => {
    if (Number.isInteger(value)) return number(min, max, 'whole number')(value, path);
    throw refuse(path, value, `must be a whole number from ${min} to ${max}`);
  };
}

function oneOf<T extends string>(...allowed: T[]): Check<T> {
  return (value, path) => {
    const found = allowed.find((name) => name === value);
    if (found !== undefined) return found;
    const near = typeof value === 'string' ? nearest(value, allowed) : undefined;
    const list = allowed.map((name) => `"${name}"`).join(', ');
    throw refuse(path, value, `must be one of ${list}${near ? ` (did you mean "${near}"?)` : ''}`);
  };
}

function listOf<T>(check: Check<T>): Check<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw refuse(path, value, 'must be an array');
    return value.map((item, index) => check(item, `${path}[${index}]`));
  };
}

const servers: Check<DnsSettings['servers']> = (value, path) => {
  const list = listOf((item, itemPath) => {
    const server = typeof item === 'string' ? parseServer(item) : null;
    if (!server) throw refuse(itemPath, item, 'must be "ip", "ip:port" or "[v6]:port" (a DNS server has no name)');
    return server;
  })(value, path);
  if (list.length === 0) throw refuse(path, value, 'must name at least one server; leave it out to use resolv.conf');
  return list;
};

const domain: Check<string> = (value, path) => {
  const name = typeof value === 'string' ? value.replace(/\.$/, '') : '';
  if (/^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$/.test(name) && name.length <= 253) return name;
  throw refuse(path, value, 'must be a domain name such as "svc.cluster.local"');
};

const path: Check<string> = (value, option) => {
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
  throw refuse(option, value, 'must be the path of a file');
};

const lookup: Check<Lookup> = (value, option) => {
  if (typeof value === 'function') return value as Lookup;
  throw refuse(option, value, 'must be a function (hostname, { signal }) => Promise<{ addresses, ttlMs }>');
};

function refuse(option: string, value: unknown, rule: string): HeadlessError {
  return new HeadlessError('ERR_HEADLESS_OPTION', `option ${option} ${rule}, got ${show(value)}`);
}

function show(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'function') return 'a function';
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

/** The known name within three edits of the one given, or half of its length: a typo or a unit left out, no more. */
function nearest<T extends string>(given: string, known: readonly T[]): T | undefined {
  const scored = known.map((name) => ({ name, distance: editDistance(given.toLowerCase(), name.toLowerCase()) }));
  scored.sort((a, b) => a.distance - b.distance);
  const best = scored[0];
  return best && best.distance <= Math.min(3, Math.ceil(best.name.length / 2)) ? best.name : undefined;
}

/** Levenshtein's distance, a row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line++) {
    const next = [line];
    for (let column = 1; column <= to.length; column++) {
      const substituted = (row[column - 1] ?? 0) + (from[line - 1] === to[column - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
