/** The command `watch`: a live view of a headless Service, in a terminal, as plain lines, and as a page. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { ipVersion } from '../../address.js';
import { localAddresses } from '../../dns/local-names.js';
import { parseServer } from '../../dns/settings.js';
import { HeadlessChannel, HeadlessError, type HeadlessOptions } from '../../index.js';
import { type Runtime, systemRuntime } from '../../runtime.js';
import { parseTarget } from '../../target.js';
import { isInPanic } from '../../telemetry/availability.js';
import { readAuthorityFile } from '../authority-file.js';
import { type Command, type CommandContext, EXIT_COULD_NOT_RUN } from '../command.js';
import { createPaint, wantsColour } from '../styled-text.js';
import { ArgumentError, parseArguments, type WatchArguments } from './arguments.js';
import { DNS_ONLY, DnsOnly } from './dns-only.js';
import { frame } from './frame.js';
import { HealthCalls } from './health-calls.js';
import { HELP } from './help.js';
import { History } from './history.js';
import { readPageAssets } from './page-assets.js';
import { PlainLines } from './plain-lines.js';
import { Screen } from './screen.js';
import { type Watched, Watcher } from './watcher.js';
import { WebServer } from './web-server.js';

const EXIT_NOT_READY = 1;
/** With `--once`, pods that are still connecting are shown as such after this time. */
const ONCE_MS = 5_000;
const DEFAULT_INTERVAL_MS = 5_000;
const DEFAULT_MIN_INTERVAL_MS = 1_000;
/** Wide enough for every column where the output is no terminal. */
const PLAIN_COLUMNS = 120;
/** So that the channel does not go IDLE for want of calls. The most that Node's timers take. */
const NEVER_IDLE_MS = 2 ** 31 - 1;

export const watch: Command = {
  help: HELP,
  run: (args, context) => runWatch(args, context, systemRuntime),
};

/** @param runtime for tests. */
export async function runWatch(args: readonly string[], context: CommandContext, runtime: Runtime): Promise<number> {
  try {
    const parsed = parseArguments(args);
    return await show(parsed, await open(parsed, runtime), context, runtime);
  } catch (error) {
    if (!(error instanceof ArgumentError || error instanceof HeadlessError)) throw error;
    context.err(`grpc-headless watch: ${error.message}\n\n\`grpc-headless watch --help\` explains the arguments.\n`);
    return EXIT_COULD_NOT_RUN;
  }
}

interface Opened {
  readonly watched: Watched;
  /** null with `--dns-only`. */
  readonly channel: HeadlessChannel | null;
}

async function open(args: WatchArguments, runtime: Runtime): Promise<Opened> {
  const intervalMs = args.intervalMs ?? DEFAULT_INTERVAL_MS;
  if (args.resolvConf !== null) await checkResolvConf(args.resolvConf);
  if (args.dnsOnly) return { watched: openDnsOnly(args, intervalMs, runtime), channel: null };
  const headless: HeadlessOptions = {
    refresh: { intervalMs, minIntervalMs: Math.min(intervalMs, DEFAULT_MIN_INTERVAL_MS) },
    dns: {
      ...(args.servers.length > 0 ? { servers: args.servers } : {}),
      ...(args.resolvConf === null ? {} : { resolvConf: args.resolvConf }),
    },
    health: args.health === null ? false : { service: args.health },
    outlier: args.outlier,
  };
  const options = { headless, 'grpc.client_idle_timeout_ms': NEVER_IDLE_MS };
  const channel = new HeadlessChannel(args.target, credentialsOf(args), options, runtime);
  return { watched: channel, channel };
}

function openDnsOnly(args: WatchArguments, intervalMs: number, runtime: Runtime): DnsOnly {
  const servers = args.servers.map((text) => {
    const server = parseServer(text);
    if (server === null)
      throw new ArgumentError(`--server takes an IP address with an optional port, got ${JSON.stringify(text)}`);
    return server;
  });
  const settings = {
    servers: servers.length > 0 ? servers : null,
    family: 'auto',
    timeoutMs: null,
    attempts: null,
    search: null,
    ndots: null,
    resolvConf: args.resolvConf ?? '/etc/resolv.conf',
  } as const;
  const target = parseTarget(args.target);
  if (localAddresses(target.hostname, 'auto') !== null) {
    const what = ipVersion(target.hostname) === 0 ? 'a name of this host' : 'an address';
    throw new ArgumentError(
      `--dns-only asks DNS, and no DNS server is asked for ${JSON.stringify(target.hostname)}, which is ${what}: ` +
        'leave --dns-only out, or write the name of a Service',
    );
  }
  return new DnsOnly(target, settings, intervalMs, runtime);
}

/** The resolver goes on without the default file, as resolv.conf(5) says; a file that was named must be there. */
async function checkResolvConf(path: string): Promise<void> {
  try {
    await readFile(path);
  } catch (error) {
    const shown = JSON.stringify(path);
    throw new ArgumentError(`--resolv-conf ${shown} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

function credentialsOf({ tls, ca }: WatchArguments): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  if (ca === null) return credentials.createSsl();
  try {
    return credentials.createSsl(readAuthorityFile(ca));
  } catch (error) {
    throw new ArgumentError(`--ca ${JSON.stringify(ca)} cannot be used: ${(error as Error).message}`, { cause: error });
  }
}

async function show(
  args: WatchArguments,
  { watched, channel }: Opened,
  context: CommandContext,
  { clock }: Runtime,
): Promise<number> {
  const history = new History(
    { session: randomUUID(), calls: args.calls > 0, outlier: args.outlier },
    clock.wallTime(),
  );
  const watcher = new Watcher(watched, history, clock);
  const cleanUps: (() => unknown)[] = [() => watched.close(), () => watcher.stop()];
  try {
    const web = args.web === null ? null : await serve(args.web, watcher, clock);
    if (web) cleanUps.push(() => web.close());
    const frameAtEnd = args.once && !args.json && !args.changesOnly;
    if (!frameAtEnd) cleanUps.push(present(args, watcher, context, web?.url ?? null, clock));
    void watched.refresh();
    watcher.start();
    if (channel && args.calls > 0) {
      const calls = new HealthCalls(channel, args.calls, clock);
      calls.start();
      cleanUps.push(() => calls.stop());
    }
    await ended(args, watched, watcher, context.signal, clock);
    if (frameAtEnd) {
      const columns = context.terminal?.columns || PLAIN_COLUMNS;
      const paint = createPaint(context.terminal !== null && wantsColour(context.env));
      const view = history.since(0, clock.wallTime());
      const lines = frame(view, { columns, rows: Number.POSITIVE_INFINITY, paint, url: null, live: false });
      context.out(`${lines.join('\n')}\n`);
    }
    return context.signal.aborted || isReady(watched) ? 0 : EXIT_NOT_READY;
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  }
}

/** A default port that is taken is no reason to fail; a chosen one is. */
async function serve(
  { port, chosen }: NonNullable<WatchArguments['web']>,
  watcher: Watcher,
  clock: Runtime['clock'],
): Promise<WebServer> {
  const assets = await readPageAssets();
  try {
    return await WebServer.start(watcher, assets, port, clock);
  } catch (error) {
    if (chosen) throw new ArgumentError(`--web ${port}: ${(error as Error).message}`, { cause: error });
    return await WebServer.start(watcher, assets, 0, clock);
  }
}

/** Draws in place on a terminal, writes lines elsewhere. Returns how to end that. */
function present(
  args: WatchArguments,
  watcher: Watcher,
  context: CommandContext,
  url: string | null,
  clock: Runtime['clock'],
): () => void {
  const { out, terminal, env } = context;
  const { history } = watcher;
  if (terminal === null || args.json || args.once || env['TERM'] === 'dumb') {
    // Standard output has nothing but lines of changes.
    if (url !== null) (args.json ? context.err : out)(`The page is at ${url}\n`);
    const lines = new PlainLines(out, { json: args.json, changesOnly: args.changesOnly });
    return watcher.onChange((changes) => lines.write(changes));
  }
  const paint = createPaint(wantsColour(env));
  const screen = new Screen({ out, terminal }, clock, ({ columns, rows }) =>
    history.revision === 0 ? [] : frame(history.since(0, clock.wallTime()), { columns, rows, paint, url, live: true }),
  );
  screen.start();
  const stop = watcher.onChange(() => screen.redraw());
  return () => {
    stop();
    screen.stop();
    if (history.revision > 0) out(`${lastWords(history, clock.wallTime())}\n`);
  };
}

/** What stays on the screen of the terminal. */
function lastWords(history: History, now: number): string {
  const { target, pods, queries } = history.since(0, now);
  const present = pods.filter(({ goneAt }) => goneAt === null).length;
  const changes = queries.filter(({ added, removed }) => added.length + removed.length > 0).length;
  const name = target.replace(/^headless:\/\/[^/]*\//, '');
  return `${name}: ${present} pods at the end, ${pods.length} seen; ${queries.length} DNS answers, ${changes} changed the set.`;
}

/** Resolves when it is time to end. */
function ended(
  { once, durationMs }: WatchArguments,
  watched: Watched,
  watcher: Watcher,
  signal: AbortSignal,
  clock: Runtime['clock'],
): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const limitMs = durationMs ?? (once ? ONCE_MS : null);
    const timer = limitMs === null ? null : clock.setTimer(limitMs, () => end());
    const stop = watcher.onChange(() => {
      if (once && isSettled(watched)) end();
    });
    const end = (): void => {
      timer?.cancel();
      stop();
      signal.removeEventListener('abort', end);
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
  });
}

/** DNS has answered or failed, and each pod is connected or cannot be. */
function isSettled(watched: Watched): boolean {
  const { dns, endpoints } = watched.snapshot();
  return (dns.answeredAt !== null || dns.error !== null) && endpoints.every(({ state }) => state !== 'connecting');
}

function isReady(watched: Watched): boolean {
  const snapshot = watched.snapshot();
  const { state, endpoints } = snapshot;
  return (state === 'READY' && !isInPanic(snapshot)) || ((state as string) === DNS_ONLY && endpoints.length > 0);
}
