/**
 * HAProxy as a sidecar has it: on loopback beside its client, HTTP/2 on both sides, one stream for each call. Its servers are
 * a fixed list, or those that DNS names (`resolvers` and `server-template`).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packaged } from '../e2e/real-dns/program.js';
import { eventually } from './eventually.js';
import { freePort } from './pod.js';
import { probe } from './tcp-probe.js';

const haproxy = packaged('HAProxy', 'haproxy', 'haproxy');

/** What is missing, and how to get it; null where it is there. Throws where `CI` is set: nothing is left out there. */
export function missingHaProxy(): string | null {
  if (haproxy.missing === undefined) return null;
  if (process.env.CI) throw new Error(haproxy.missing);
  return haproxy.missing;
}

export type Servers =
  | { readonly kind: 'fixed'; readonly ips: readonly string[]; readonly port: number }
  | {
      readonly kind: 'dns';
      /** `name:port`. */
      readonly target: string;
      /** `ip:port` of the DNS server. */
      readonly dns: string;
      /** HAProxy has a fixed number of places for servers. */
      readonly most: number;
    };

const HOST = '127.0.0.1';
/** The kernel counts a process's CPU time in ticks of 10 ms (`getconf CLK_TCK`). */
const TICK_US = 10_000;
/** Of `/proc/PID/stat`, counted behind the name, which may hold spaces. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

const running = new Set<ChildProcess>();
// For runs that are broken off.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class HaProxy {
  /** What a grpc-js client calls. */
  readonly target: string;
  readonly #port: number;
  readonly #folder: string;
  readonly #child: ChildProcess;
  #log = '';

  /** Resolves when it accepts connections. Throws where HAProxy is missing. */
  static async start(servers: Servers): Promise<HaProxy> {
    const proxy = new HaProxy(servers, await freePort([HOST]));
    try {
      await eventually(async () => {
        const outcome = await probe(HOST, proxy.#port, 1_000);
        if (outcome !== 'connected') throw new Error(`HAProxy: ${outcome}\n${proxy.#log}`);
      });
    } catch (error) {
      await proxy.close();
      throw error;
    }
    return proxy;
  }

  private constructor(servers: Servers, port: number) {
    if (haproxy.path === undefined) throw new Error(haproxy.missing);
    this.#port = port;
    this.target = `ipv4:${HOST}:${port}`;
    this.#folder = mkdtempSync(join(tmpdir(), 'grpc-headless-haproxy-'));
    const file = join(this.#folder, 'haproxy.cfg');
    writeFileSync(file, configuration(servers, port));
    this.#child = spawn(haproxy.path, ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.#child);
    this.#child.on('exit', () => running.delete(this.#child));
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk) => {
        this.#log = (this.#log + chunk).slice(-4_000);
      });
  }

  /** CPU time since its start, in microseconds. Linux only. */
  cpuUsage(): NodeJS.CpuUsage {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { user: Number(fields[USER_TICKS]) * TICK_US, system: Number(fields[SYSTEM_TICKS]) * TICK_US };
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One thread, as a sidecar is given. All else that is not named is HAProxy's default. */
function configuration(servers: Servers, port: number): string {
  const backend =
    servers.kind === 'fixed'
      ? servers.ips.map((ip, index) => `  server pod${index + 1} ${ip}:${servers.port} proto h2`)
      : [`  server-template pod ${servers.most} ${servers.target} proto h2 resolvers cluster init-addr none`];
  const resolvers =
    servers.kind === 'fixed'
      ? []
      : ['resolvers cluster', `  nameserver dns ${servers.dns}`, '  accepted_payload_size 8192', ''];
  return [
    ...['global', '  nbthread 1', ''],
    ...resolvers,
    ...['defaults', '  mode http', '  timeout connect 5s', '  timeout client 1h', '  timeout server 1h', ''],
    ...['frontend calls', `  bind ${HOST}:${port} proto h2`, '  default_backend pods', ''],
    // By the streams that are open: the counterpart of least_request.
    ...['backend pods', '  balance leastconn', ...backend, ''],
  ].join('\n');
}
