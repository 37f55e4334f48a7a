/**
 * A separate process that serves pods: many (a benchmark's hundred in one or two processes) or one (see
 * `pod-process.ts`). Its children die with this process, however it ends.
 *
 *     const host = await PodHost.spawn();
 *     const pod = await host.start('127.0.0.2', port, { delayMs: 2 });
 *     await pod.behave({ hang: true });  await pod.stats();  await pod.stop();
 *     await host.close();
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { PodBehaviour, PodStats } from './pod.js';

/** What crosses a process boundary: server credentials do not. */
export interface RemotePodOptions extends Partial<PodBehaviour> {
  name?: string;
}

type Order =
  | { do: 'start'; ip: string; port: number; options: RemotePodOptions }
  | { do: 'stop' | 'kill'; address: string }
  | { do: 'behave'; address: string; changes: Partial<PodBehaviour> }
  | { do: 'stats' }
  | { do: 'lameDuck'; ms: number };

export type PodCommand = Order & { id: number };

export type PodReply = { id: number; result: unknown } | { id: number; error: string };

export interface RemotePod {
  readonly ip: string;
  readonly port: number;
  /** `"ip:port"`. */
  readonly address: string;
  readonly name: string;
  behave(changes: Partial<PodBehaviour>): Promise<void>;
  stats(): Promise<PodStats>;
  /** Gracefully; the process lives on. */
  stop(): Promise<void>;
  /** RST on every connection; the process lives on. */
  kill(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL('./pod-main.ts', import.meta.url));
const LOADER = new URL('../../.ts-node.mjs', import.meta.url).href;

const children = new Set<ChildProcess>();

// A stopped (SIGSTOP) child would not notice that its IPC channel closed: SIGKILL reaches it all the same.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export class PodHost {
  readonly process: ChildProcess;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  #lastId = 0;

  /** Starts the process and waits until it takes commands: about a second of CPU, most of it for TypeScript. */
  static async spawn(): Promise<PodHost> {
    const child = fork(PROGRAM, [], { execArgv: ['--import', LOADER], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const host = new PodHost(child);
    await new Promise<unknown>((resolve, reject) => host.#waiting.set(0, { resolve, reject }));
    return host;
  }

  private constructor(child: ChildProcess) {
    this.process = child;
    children.add(child);
    child.on('message', (reply: PodReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('error' in reply) waiting?.reject(new Error(reply.error));
      else waiting?.resolve(reply.result);
    });
    child.on('exit', (code, signal) => {
      children.delete(child);
      for (const { reject } of this.#waiting.values())
        reject(new Error(`pod process ended with ${signal ?? code} before it replied`));
      this.#waiting.clear();
    });
  }

  /** Resolves when the pod accepts connections. `port` 0 takes any free one. */
  async start(ip: string, port = 0, options: RemotePodOptions = {}): Promise<RemotePod> {
    const started = (await this.#order({ do: 'start', ip, port, options })) as { port: number };
    const address = `${ip}:${started.port}`;
    return {
      ip,
      port: started.port,
      address,
      name: options.name ?? ip,
      behave: async (changes) => void (await this.#order({ do: 'behave', address, changes })),
      stats: async () => {
        const stats = (await this.stats()).get(address);
        if (stats === undefined) throw new Error(`no pod at ${address} any more`);
        return stats;
      },
      stop: async () => void (await this.#order({ do: 'stop', address })),
      kill: async () => void (await this.#order({ do: 'kill', address })),
    };
  }

  /** By `"ip:port"`, in the order of starting. */
  async stats(): Promise<Map<string, PodStats>> {
    return new Map(Object.entries((await this.#order({ do: 'stats' })) as Record<string, PodStats>));
  }

  /** How long SIGTERM leaves the pods serving before they say GOAWAY. Default 0. */
  async setLameDuck(ms: number): Promise<void> {
    await this.#order({ do: 'lameDuck', ms });
  }

  /** Ends the process and its pods at once. */
  async close(): Promise<void> {
    await this.signal('SIGKILL');
  }

  /** Sends a signal and waits until the process has exited. */
  async signal(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { process: child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  #order(order: Order): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (!this.process.connected) return reject(new Error('pod process has ended'));
      this.#waiting.set(id, { resolve, reject });
      this.process.send({ ...order, id });
    });
  }
}
