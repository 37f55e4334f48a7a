/** Random texts for the readers of text: targets, servers, resolv.conf, names. They may throw only our own errors. */
import { isIP } from 'node:net';
import { hostnameFault } from '../../lib/dns/hostname.js';
import { encodeQuery } from '../../lib/dns/message.js';
import { parseResolvConf } from '../../lib/dns/resolv-conf.js';
import { candidateNames } from '../../lib/dns/search-list.js';
import { formatServer, parseServer } from '../../lib/dns/settings.js';
import { HeadlessError } from '../../lib/errors.js';
import { formatTarget, parseTarget } from '../../lib/target.js';
import { cpuTime, MOST_MS } from './oracle.js';
import type { RandomSource } from './random-source.js';

export interface TextFlaw {
  readonly reader: string;
  readonly text: string;
  readonly detail: string;
}

interface Reader {
  readonly words: readonly string[];
  /** Throws if it finds a flaw; otherwise returns the outcome in a few words. */
  read(text: string): string;
}

const LABEL = 'a'.repeat(63);
const NAMES = ['svc.ns', 'svc.cluster.local', 'a..b', 'xn--e1afmkfd', 'é', '\0', ' ', '_x', LABEL, `${LABEL}a`, '-'];
const ADDRESSES = ['127.0.0.1', '10.96.0.10', '::1', 'fe80::1%eth0', '[::1]', '256.1.1.1', '1.2.3', '::ffff:1.2.3.4'];
const PORTS = [':', ':0', ':53', ':65535', ':65536', ':99999', ':-1', ':1e3', ':٥٣'];

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

const READERS: Readonly<Record<string, Reader>> = {
  parseTarget: {
    words: [
      'headless:',
      'dns:',
      'http:',
      'unix:',
      '//',
      '/',
      '?',
      '#',
      '@',
      '[',
      ']',
      '.',
      '_x.',
      '_tcp.',
      ...NAMES,
      ...ADDRESSES,
      ...PORTS,
    ],
    read(text) {
      let target: ReturnType<typeof parseTarget>;
      try {
        target = parseTarget(text);
      } catch (error) {
        must(error instanceof HeadlessError && error.code === 'ERR_HEADLESS_TARGET', `threw ${error}`);
        return 'refused';
      }
      if (target.port !== null) must(target.port >= 1 && target.port <= 65_535, `port ${target.port}`);
      else must(/^_[^.]+\._tcp\../i.test(target.hostname), `a named port of ${target.hostname}`);
      // DNS can be asked for every host that a target may have.
      if (isIP(target.hostname) === 0) encodeQuery({ id: 1, hostname: target.hostname, type: 'A', edns: true });
      const again = parseTarget(formatTarget(target));
      must(JSON.stringify(again) === JSON.stringify(target), `reads its own form as ${JSON.stringify(again)}`);
      return `${target.absolute} ${target.server !== null} ${isIP(target.hostname)} ${target.port === null}`;
    },
  },
  parseServer: {
    words: ['[', ']', ':', '.', ' ', ...ADDRESSES, ...ADDRESSES, ...PORTS, ...NAMES],
    read(text) {
      const server = parseServer(text);
      if (server === null) return 'refused';
      must(isIP(server.host) !== 0 && server.port >= 1 && server.port <= 65_535, JSON.stringify(server));
      const again = parseServer(formatServer(server));
      must(again?.host === server.host && again.port === server.port, `reads its own form as ${JSON.stringify(again)}`);
      return `${isIP(server.host)} ${server.port === 53}`;
    },
  },
  parseResolvConf: {
    words: [
      ...['nameserver ', 'search ', 'domain ', 'options ', 'sortlist ', '\n', '\n', '\r\n', '\t', ' ', '#', ';'],
      ...['ndots:', 'timeout:', 'attempts:', 'rotate', '-1', '5', '99', '0x10', '1e9', '99999999999999999999', 'NaN'],
      ...ADDRESSES,
      ...NAMES,
    ],
    read(text) {
      const { servers, search, ndots, timeoutMs, attempts } = parseResolvConf(text);
      must(servers.length >= 1 && servers.length <= 3, `${servers.length} servers`);
      must(
        servers.every(({ host, port }) => isIP(host) !== 0 && port === 53),
        JSON.stringify(servers),
      );
      must(search.length <= 32, `${search.length} search domains`);
      must(within(ndots, 0, 15) && within(timeoutMs, 1_000, 30_000) && within(attempts, 1, 5), 'numbers out of range');
      for (const absolute of [true, false])
        for (const name of candidateNames('svc.ns', absolute, { search, ndots: ndots ?? 1 }))
          must(hostnameFault(name) === undefined, `a candidate that DNS cannot ask for: ${name}`);
      return [servers.length, Math.min(search.length, 3), ndots, timeoutMs, attempts].join();
    },
  },
};

function within(value: number | undefined, least: number, most: number): boolean {
  return value === undefined || (Number.isInteger(value) && value >= least && value <= most);
}

/** Tries one text with one reader; `seen` collects the outcomes. */
export function tryText(random: RandomSource, seen: Set<string>): TextFlaw | null {
  const reader = random.pick(Object.keys(READERS));
  const { words } = READERS[reader] as Reader;
  const text = writeText(random, words);
  const detail = flawIn(reader, text, seen);
  return detail === null ? null : { reader, text, detail };
}

function flawIn(reader: string, text: string, seen: Set<string>): string | null {
  const { read } = READERS[reader] as Reader;
  const started = performance.now();
  try {
    seen.add(`${reader} ${read(text)}`);
  } catch (error) {
    return String((error as Error)?.stack ?? error);
  }
  let ms = performance.now() - started;
  for (let run = 0; run < 20 && ms >= MOST_MS; run++)
    ms = Math.min(
      ms,
      cpuTime(() => read(text)),
    );
  return ms < MOST_MS ? null : `took ${ms.toFixed(1)} ms at best`;
}

/** Mostly words that the reader understands, some random characters, and rarely a very long text. */
function writeText(random: RandomSource, words: readonly string[]): string {
  const count = random.chance(0.01) ? 5_000 : random.between(0, 8);
  const one = random.pick(words);
  const repeat = random.chance(0.3);
  let text = '';
  for (let index = 0; index < count; index++)
    text += random.chance(0.15) ? String.fromCodePoint(random.below(0x2fff)) : repeat ? one : random.pick(words);
  return text;
}
