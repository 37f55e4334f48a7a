/** The arguments of `watch`: read by `parseArgs` of node:util, and checked. */

import { parseArgs } from 'node:util';
import { MAX_TIMER_MS } from '../../runtime.js';
import { INTERVAL_LIMITS, readTime, refuseTime, type TimeLimits } from '../time-argument.js';

/** Also the list that the help and docs/watch.md are checked against. */
export const OPTIONS = {
  interval: { type: 'string' },
  server: { type: 'string', multiple: true },
  'resolv-conf': { type: 'string' },
  tls: { type: 'boolean' },
  ca: { type: 'string' },
  'dns-only': { type: 'boolean' },
  calls: { type: 'string' },
  health: { type: 'string' },
  outlier: { type: 'boolean' },
  web: { type: 'string' },
  once: { type: 'boolean' },
  duration: { type: 'string' },
  changes: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export interface WatchArguments {
  readonly target: string;
  /** null: the library's default. */
  readonly intervalMs: number | null;
  /** Empty: resolv.conf's. */
  readonly servers: readonly string[];
  readonly resolvConf: string | null;
  readonly tls: boolean;
  /** Path of a PEM file. */
  readonly ca: string | null;
  readonly dnsOnly: boolean;
  /** Health checks a second; 0: none. */
  readonly calls: number;
  /** The service that the health checks ask for; empty: the server as a whole. null: no health checks. */
  readonly health: string | null;
  /** Eject pods whose calls fail. */
  readonly outlier: boolean;
  /** The port of the page; null: no page. */
  readonly web: { readonly port: number; readonly chosen: boolean } | null;
  readonly once: boolean;
  /** null: until interrupted. */
  readonly durationMs: number | null;
  readonly changesOnly: boolean;
  readonly json: boolean;
}

/** What is wrong with the arguments, in a sentence for the user. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

const DEFAULT_WEB_PORT = 8053;
const MOST_CALLS = 1_000;
/** A number of seconds without its unit is refused: as milliseconds it would end the command at once. */
const DURATION_LIMITS: TimeLimits = { leastMs: 100, mostMs: MAX_TIMER_MS };

/** @throws {ArgumentError} */
export function parseArguments(args: readonly string[]): WatchArguments {
  const { values, positionals } = parse(args);
  const [target, ...more] = positionals;
  if (target === undefined) {
    const taken = values.health ? ` (${JSON.stringify(values.health)} is taken for the service of --health)` : '';
    throw new ArgumentError(`the target is missing: write the name and the port of the Service${taken}`);
  }
  if (more.length > 0)
    throw new ArgumentError(`there is one target, and ${JSON.stringify(more.join(' '))} is left over`);
  const tls = values.tls ?? false;
  const dnsOnly = values['dns-only'] ?? false;
  if (values.ca !== undefined && !tls) throw new ArgumentError('--ca needs --tls');
  if (dnsOnly && tls) throw new ArgumentError('--dns-only opens no connection, so --tls has no meaning beside it');
  const calls = values.calls === undefined ? 0 : numberUpTo('calls', values.calls, MOST_CALLS);
  if (dnsOnly && calls > 0) throw new ArgumentError('--dns-only opens no connection, so --calls cannot be made');
  if (dnsOnly && values.health !== undefined)
    throw new ArgumentError('--dns-only opens no connection, so --health cannot ask the pods');
  if (dnsOnly && values.outlier) throw new ArgumentError('--dns-only opens no connection, so --outlier ejects no pod');
  if (values.outlier && calls === 0)
    throw new ArgumentError(
      '--outlier ejects pods whose calls fail, so it needs --calls: write for example --calls 10',
    );
  if (values.once && values.web !== undefined)
    throw new ArgumentError('--once ends at once, so --web would serve nothing');
  return {
    target,
    intervalMs: values.interval === undefined ? null : time('interval', values.interval, INTERVAL_LIMITS),
    servers: values.server ?? [],
    resolvConf: values['resolv-conf'] ?? null,
    tls,
    ca: values.ca ?? null,
    dnsOnly,
    calls,
    health: values.health ?? null,
    outlier: values.outlier ?? false,
    web: values.web === undefined ? null : webPort(values.web),
    once: values.once ?? false,
    durationMs: values.duration === undefined ? null : time('duration', values.duration, DURATION_LIMITS),
    changesOnly: values.changes ?? false,
    json: values.json ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: withLeftOutValues(args), options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // The first sentence; the rest explains how to pass a positional that starts with a dash.
    const [sentence = ''] = (error as Error).message.split('. ');
    throw new ArgumentError(sentence.replace(/\.$/, ''), { cause: error });
  }
}

/**
 * Options whose value may be left out, which parseArgs does not offer: an empty one is put in where the next argument is no
 * value. The name of a gRPC service has no colon; a target has one, or begins with that of a port.
 */
const VALUES: Readonly<Record<string, RegExp>> = { '--web': /^\d+$/, '--health': /^[^-_:][^:]*$/ };

function withLeftOutValues(args: readonly string[]): string[] {
  return args.map((arg, index) => {
    const value = Object.hasOwn(VALUES, arg) ? VALUES[arg] : undefined;
    return value !== undefined && !value.test(args[index + 1] ?? '') ? `${arg}=` : arg;
  });
}

function webPort(text: string): { port: number; chosen: boolean } {
  if (text === '') return { port: DEFAULT_WEB_PORT, chosen: false };
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new ArgumentError(`--web takes a port from 0 to 65535 (0: any free one), got ${JSON.stringify(text)}`);
  return { port, chosen: true };
}

function numberUpTo(name: string, text: string, most: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= most))
    throw new ArgumentError(`--${name} takes a number from 0 (none) to ${most}, got ${JSON.stringify(text)}`);
  return value;
}

/** @throws {ArgumentError} */
function time(name: string, text: string, limits: TimeLimits): number {
  const ms = readTime(text, limits);
  if (ms === null) throw new ArgumentError(refuseTime(`--${name}`, text, limits));
  return ms;
}
