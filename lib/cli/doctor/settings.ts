/** The command line of the doctor, validated and complete. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseServer, type ServerAddress } from '../../dns/settings.js';
import { parseTarget, type Target } from '../../target.js';
import { readAuthorityFile } from '../authority-file.js';
import { INTERVAL_LIMITS, readTime, refuseTime } from '../time-argument.js';
import type { TlsSettings } from './pod-connection.js';

export interface DoctorSettings {
  /** As the user wrote it. */
  readonly text: string;
  readonly target: Target;
  /** null: those of resolv.conf. */
  readonly servers: readonly ServerAddress[] | null;
  readonly resolvConf: string;
  /** null: plain text. */
  readonly tls: TlsSettings | null;
  /** The file of `--ca`, as written. */
  readonly caPath: string | null;
  /** Of one DNS query; a pod has twice as long to accept and to speak HTTP/2. */
  readonly timeoutMs: number;
  readonly idleMs: number;
  readonly intervalMs: number;
  readonly maxPods: number;
  readonly json: boolean;
}

/** The arguments cannot be used. The message is for the user. */
export class UsageError extends Error {}

const OPTIONS = {
  'resolv-conf': { type: 'string', default: '/etc/resolv.conf' },
  server: { type: 'string', multiple: true },
  tls: { type: 'boolean', default: false },
  ca: { type: 'string' },
  timeout: { type: 'string', default: '1000' },
  idle: { type: 'string', default: '2' },
  interval: { type: 'string', default: '5000' },
  pods: { type: 'string', default: '100' },
  json: { type: 'boolean', default: false },
} as const;

/** @throws UsageError, or a HeadlessError with the code `ERR_HEADLESS_TARGET`. */
export function readSettings(args: readonly string[]): DoctorSettings {
  const { values, positionals } = parse(args);
  const [text, ...more] = positionals;
  if (text === undefined) throw new UsageError('the target is missing, such as hello.shop:50051');
  if (more.length > 0)
    throw new UsageError(`one target at a time, not ${positionals.length}: ${positionals.join(' ')}`);
  const { ca } = values;
  if (ca !== undefined && !values.tls) throw new UsageError('--ca needs --tls');
  if (values['resolv-conf'] !== OPTIONS['resolv-conf'].default) readFile('--resolv-conf', values['resolv-conf']);
  return {
    text,
    target: parseTarget(text),
    servers: values.server ? values.server.map(readServer) : null,
    resolvConf: values['resolv-conf'],
    tls: values.tls ? { ca: ca === undefined ? null : readAuthorities(ca) } : null,
    caPath: ca ?? null,
    timeoutMs: readNumber('--timeout', values.timeout, 1, 60_000),
    idleMs: 1_000 * readNumber('--idle', values.idle, 0, 3_600),
    intervalMs: readInterval(values.interval),
    maxPods: readNumber('--pods', values.pods, 1, 10_000),
    json: values.json,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    // TypeErrors with codes ERR_PARSE_ARGS_...: their messages name the argument.
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function readServer(text: string): ServerAddress {
  const server = parseServer(text);
  if (server === null) throw new UsageError(`--server must be an IP address with an optional port, got "${text}"`);
  return server;
}

function readNumber(option: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || number < least || number > most)
    throw new UsageError(`${option} must be a number from ${least} to ${most}, got "${text}"`);
  return number;
}

function readInterval(text: string): number {
  const ms = readTime(text, INTERVAL_LIMITS);
  if (ms === null) throw new UsageError(refuseTime('--interval', text, INTERVAL_LIMITS));
  return ms;
}

function readAuthorities(path: string): Buffer {
  try {
    return readAuthorityFile(path);
  } catch (error) {
    throw new UsageError(`--ca ${JSON.stringify(path)} cannot be used: ${(error as Error).message}`, { cause: error });
  }
}

function readFile(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`${option} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
