/**
 * A real DNS server as a child process: its files in a temporary folder, on 127.0.0.1 and a port of its own, ready when
 * it answers, gone with the test. What is peculiar to a product is its `Recipe`.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.js';
import type { Defer } from '../../support/leak-check.js';
import type { Program } from './program.js';
import { MARKER, type Records, ZONES, Zones } from './zone.js';

export const LOOPBACK = '127.0.0.1';

export interface Place {
  readonly folder: string;
  readonly port: number;
}

export interface Recipe {
  readonly program: Program;
  args(place: Place): string[];
  /** All that the server reads, configuration and zones, by file name. */
  files(place: Place, zones: Zones): Record<string, string>;
  /** How to make it read changed zones; null where it looks for itself. */
  readonly reload: NodeJS.Signals | null;
  /** Files that are read at the start only. */
  readonly readOnce?: readonly string[];
}

const running = new Set<ChildProcess>();
const folders = new Set<string>();

function removeFolder(folder: string): void {
  folders.delete(folder);
  rmSync(folder, { recursive: true, force: true });
}

// For tests that are broken off; all others clean up after themselves.
process.on('exit', () => {
  for (const child of running) signalGroup(child, 'SIGKILL');
  for (const folder of folders) removeFolder(folder);
});
// A signal that nobody listens for ends a process without its `exit` event.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** With its own children: dnsmasq has one for each TCP connection. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-(child.pid as number), signal);
  } catch {
    // Already gone.
  }
}

export interface ServerOptions {
  /** Seconds. Default 30. */
  ttl?: number;
}

export class RealDnsServer {
  readonly port: number;
  readonly #recipe: Recipe;
  readonly #zones: Zones;
  readonly #folder: string;
  readonly #path: string;
  readonly #written = new Map<string, string>();
  #child: ChildProcess | undefined;
  #log = '';

  private constructor(recipe: Recipe, zones: Zones, port: number, defer: Defer) {
    this.#recipe = recipe;
    this.#zones = zones;
    this.port = port;
    this.#folder = mkdtempSync(join(tmpdir(), 'grpc-headless-dns-'));
    folders.add(this.#folder);
    defer(() => removeFolder(this.#folder));
    // For servers that give up root's rights.
    chmodSync(this.#folder, 0o755);
    this.#path = recipe.program.install(this.#folder);
  }

  static async start(defer: Defer, recipe: Recipe, { ttl = 30 }: ServerOptions = {}): Promise<RealDnsServer> {
    const server = new RealDnsServer(recipe, new Zones(ttl), await freeServerPort(), defer);
    defer(() => server.kill());
    await server.start();
    return server;
  }

  /** `"ip:port"`. */
  get address(): string {
    return `${LOOPBACK}:${this.port}`;
  }

  get title(): string {
    return this.#recipe.program.title;
  }

  /** Resolves when the server answers so. */
  async set(name: string, records: Records): Promise<void> {
    await this.setAll({ [name]: records });
  }

  /** Several names at once. */
  async setAll(all: Readonly<Record<string, Records>>): Promise<void> {
    for (const [name, records] of Object.entries(all)) this.#zones.set(name, records);
    await this.#publish();
  }

  /** From now on the name does not exist: as for a headless Service without a ready pod. */
  async remove(name: string): Promise<void> {
    this.#zones.remove(name);
    await this.#publish();
  }

  /** Records that take effect with the next start. */
  setWhileDown(name: string, records: Records): void {
    assert.equal(this.#child, undefined, 'the server is up');
    this.#zones.set(name, records);
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    this.#write();
    const { args } = this.#recipe;
    const child = spawn(this.#path, args({ folder: this.#folder, port: this.port }), {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, to be ended as a whole.
      detached: true,
    });
    this.#child = child;
    running.add(child);
    child.on('error', (error) => this.#note(String(error)));
    child.on('exit', () => running.delete(child));
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => this.#note(String(chunk)));
    await this.#answering();
  }

  /** At once, as a crash: what was asked is not answered. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    signalGroup(child, 'SIGKILL');
    await exited;
  }

  /** Takes in queries and does not answer, until `kill`: the moment before a crash. */
  async freeze(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    signalGroup(child, 'SIGSTOP');
    // The signal is on its way; a thread that runs yet may still answer.
    await eventually(() => threadStates(child.pid ?? 0).every((state) => state === 'T'));
  }

  #note(text: string): void {
    this.#log = (this.#log + text).slice(-4_000);
  }

  async #publish(): Promise<void> {
    const changed = this.#write();
    const { reload, readOnce = [] } = this.#recipe;
    if (changed.some((file) => readOnce.includes(file))) {
      await this.kill();
      await this.start();
      return;
    }
    if (reload !== null) this.#child?.kill(reload);
    await this.#answering();
  }

  /** Writes what changed, each file in one step, since the server may read at any time. */
  #write(): string[] {
    const files = this.#recipe.files({ folder: this.#folder, port: this.port }, this.#zones);
    const changed = Object.entries(files).filter(([file, text]) => this.#written.get(file) !== text);
    for (const [file, text] of changed) {
      const path = join(this.#folder, file);
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
      this.#written.set(file, text);
    }
    return changed.map(([file]) => file);
  }

  /** Waits until the marker of each zone shows what was written last; a cache shows what its upstream holds. */
  async #answering(): Promise<void> {
    const resolver = new Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([this.address]);
    const expected = this.#recipe.files({ folder: this.#folder, port: this.port }, this.#zones);
    const isAuthority = Object.values(expected).some((text) => text.includes(this.#zones.stamp));
    try {
      await eventually(
        async () => {
          const child = this.#child;
          if (child?.exitCode !== null || child.signalCode !== null) return true;
          for (const zone of ZONES) {
            const found = await resolver.resolve4(`${MARKER}.${zone}`);
            if (isAuthority) assert.deepEqual(found, [this.#zones.stamp]);
          }
          return true;
        },
        // dnsmasq takes seconds for 5,000 lines of hosts.
        { timeoutMs: 120_000, intervalMs: 20 },
      );
    } catch (cause) {
      throw new Error(`${this.title} does not answer; its log:\n${this.#log}`, { cause });
    }
    const { exitCode = null, signalCode = null } = this.#child ?? {};
    if (exitCode !== null || signalCode !== null)
      throw new Error(`${this.title} ended with ${signalCode ?? exitCode}; its log:\n${this.#log}`);
  }
}

/**
 * Free for UDP and TCP, and below the ports that the kernel gives to outgoing sockets: none of those can take it while
 * the server restarts.
 */
async function freeServerPort(): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const tcp = createServer();
    const udp = createSocket('udp4');
    try {
      tcp.listen(port, LOOPBACK);
      await once(tcp, 'listening');
      udp.bind(port, LOOPBACK);
      await once(udp, 'listening');
      return port;
    } catch (error) {
      if (attempt === 20) throw error;
    } finally {
      await new Promise((resolve) => tcp.close(resolve));
      await new Promise<void>((resolve) => udp.close(resolve));
    }
  }
}

/** One letter a thread, as proc(5) has them: `T` is stopped. */
function threadStates(pid: number): string[] {
  const tasks = `/proc/${pid}/task`;
  // The program's name, in parentheses, may hold anything.
  return readdirSync(tasks).map((id) =>
    readFileSync(`${tasks}/${id}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .charAt(0),
  );
}
