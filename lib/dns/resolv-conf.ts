/** resolv.conf: its text as settings, by glibc's rules (resolv.conf(5)), and the file, which is read again when it changes. */
import { readFileSync, type Stats, statSync } from 'node:fs';
import { ipVersion } from '../address.js';
import { DNS_PORT, type ServerAddress } from './settings.js';

export interface ResolvConf {
  /** At least one, at most three, in order. */
  readonly servers: readonly ServerAddress[];
  /** Without final dots. */
  readonly search: readonly string[];
  /** 0 to 15. `undefined`, here and below: the file does not set it. */
  readonly ndots: number | undefined;
  /** For one server, one attempt: 1000 to 30,000. */
  readonly timeoutMs: number | undefined;
  /** Rounds over the servers: 1 to 5. */
  readonly attempts: number | undefined;
  /** Begin with another server at each resolution. */
  readonly rotate: boolean;
}

/** glibc's MAXNS. */
const MAX_SERVERS = 3;
/** glibc has had no limit since 2.26; this is the Kubernetes API's, and limits the queries of one resolution. */
const MAX_SEARCH = 32;
const LOCALHOST: ServerAddress = { host: '127.0.0.1', port: DNS_PORT };

/**
 * Never fails: what is not understood is ignored, as in glibc. Without `nameserver` the server is 127.0.0.1. Unlike in
 * glibc, the machine's own domain is not used where the file has no search list.
 */
export function parseResolvConf(text: string): ResolvConf {
  const servers: ServerAddress[] = [];
  let search: string[] = [];
  const options = new Map<string, number>();
  for (const line of text.split(/\r?\n/)) {
    // A keyword is the first thing in its line: an indented line is ignored.
    const [keyword, ...values] = (line.split(/[#;]/, 1)[0] as string).split(/\s+/);
    if (keyword === 'nameserver') {
      const host = values[0] ?? '';
      if (ipVersion(host) !== 0 && servers.length < MAX_SERVERS) servers.push({ host, port: DNS_PORT });
    } else if (keyword === 'domain') search = toDomains(values.slice(0, 1));
    else if (keyword === 'search') search = toDomains(values);
    else if (keyword === 'options') for (const value of values) readOption(value, options);
  }
  const timeoutS = options.get('timeout');
  return {
    servers: servers.length > 0 ? servers : [LOCALHOST],
    search,
    ndots: options.get('ndots'),
    timeoutMs: timeoutS === undefined ? undefined : timeoutS * 1000,
    attempts: options.get('attempts'),
    rotate: options.has('rotate'),
  };
}

/** The root alone (`search .`) adds nothing to a name. */
function toDomains(values: readonly string[]): string[] {
  const domains = values.map((value) => value.replace(/\.+$/, '')).filter((domain) => domain !== '');
  return domains.slice(0, MAX_SEARCH);
}

/** The limits that glibc clamps values to; `timeout` in seconds. */
const RANGES: ReadonlyMap<string, readonly [least: number, most: number]> = new Map([
  ['ndots', [0, 15]],
  ['timeout', [1, 30]],
  ['attempts', [1, 5]],
]);

function readOption(option: string, options: Map<string, number>): void {
  if (option === 'rotate') options.set('rotate', 1);
  const [name, digits] = option.split(':', 2) as [string, string | undefined];
  const range = RANGES.get(name);
  const value = Number.parseInt(digits ?? '', 10);
  if (range === undefined || !(value >= 0)) return;
  options.set(name, Math.min(Math.max(value, range[0]), range[1]));
}

const NAMESERVER = /^nameserver\s/m;

/**
 * One resolv.conf, read again when it was replaced or written to. Synchronous on purpose: the asynchronous fs API
 * shares a pool of four threads with `dns.lookup`, whose calls may hang while DNS is down, and then this would hang
 * too. The file is small and local, and usually one `stat` is enough.
 */
export class ResolvConfFile {
  readonly #path: string;
  #stamp: string | undefined;
  #namedServers = false;
  #settings = parseResolvConf('');
  #problem: string | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * What the file says now; while it cannot be read, or names no server any more, what it said last, or else what an
   * empty file means.
   */
  read(): ResolvConf {
    try {
      // Stamp first: a change between the two calls is then noticed at the next read.
      const stamp = toStamp(statSync(this.#path));
      if (stamp !== this.#stamp) {
        const text = readFileSync(this.#path, 'utf8');
        const namesServers = NAMESERVER.test(text);
        // Written in place, a file is empty for a moment: that must not start the search for the Service's name anew.
        if (this.#namedServers && !namesServers) throw new Error('it names no server any more; the last contents hold');
        this.#namedServers = namesServers;
        this.#settings = parseResolvConf(text);
        this.#stamp = stamp;
      }
      this.#problem = null;
    } catch (error) {
      this.#problem = `${this.#path} could not be read: ${error instanceof Error ? error.message : String(error)}`;
    }
    return this.#settings;
  }

  /** Why the last `read` could not read the file; null where it could. */
  get problem(): string | null {
    return this.#problem;
  }
}

/** Kubernetes replaces the file by a rename (another inode); editors write to it (another time or size). */
function toStamp({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(' ');
}
