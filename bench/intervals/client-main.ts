/**
 * A client process: channels with different settings to one Service, calls at a rate on each, and a log of what each
 * channel saw and when. All times in the logs are `machineMs()`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectivityState, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { RefreshSettings } from '../../lib/discovery/schedule.js';
import { HeadlessChannel } from '../../lib/index.js';
import { endpointSlices } from '../../lib/kubernetes.js';
import { EventLoopDelay } from '../../test/support/event-loop-delay.js';
import { kubeConfigOf } from '../../test/support/fake-api-server.js';
import { seededRandom } from '../../test/support/fake-random.js';
import { unary } from '../../test/support/hello-calls.js';
import { HelloClient, sayHi } from '../../test/support/hello-service.js';
import { OpenLoop } from '../../test/support/load-generator.js';
import type { CallsReport } from '../../test/support/recorder.js';
import { serveRpc } from '../../test/support/rpc.js';
import { machineMs, performanceOffsetMs, wallOffsetMs } from './clock.js';
import type { Client } from './grid.js';

export interface ClientSettings {
  readonly id: string;
  readonly client: Client;
  /** `"ip:port"`. */
  readonly dns: string;
  /** `name:port`; of HAProxy, its own address. */
  readonly target: string;
  /** URL of the API server. */
  readonly api: string;
  readonly callsPerSecond: number;
}

/** What one channel saw. */
export interface ClientLog {
  readonly id: string;
  /** Addresses as `ip:port`. */
  readonly updates: readonly { at: number; added: readonly string[]; removed: readonly string[] }[];
  /** When an added endpoint was READY, in the order of updates. */
  readonly connected: readonly { at: number; address: string }[];
  /** Answered calls: when due, how long from then, and whose answer (an index into `pods`). */
  readonly dueAt: Float64Array;
  readonly latencyMs: Float32Array;
  readonly pod: Uint16Array;
  readonly pods: readonly string[];
  readonly calls: CallsReport;
  /** Null for the baselines, which do not count. */
  readonly polls: number | null;
  readonly queries: number | null;
}

export interface ProcessReport {
  readonly logs: readonly ClientLog[];
  /** Of the whole process, over the time measured. */
  readonly ms: number;
  readonly cpuUs: number;
  /** How late a timer fired. */
  readonly eventLoopDelayP99Ms: number;
}

export interface CostRequest {
  readonly dns: string;
  readonly target: string;
  readonly intervalMs: number;
  readonly ms: number;
}

/** A client that starts, and makes one call at once. */
export interface ColdCall {
  readonly dns: string;
  readonly target: string;
  readonly refresh: RefreshSettings;
  /** `machineMs()`. */
  readonly startAt: number;
  readonly timeoutMs: number;
}

export interface CostReport {
  readonly cpuUs: number;
  readonly polls: number;
}

/** Starts are spread over this, so that polls of different cells do not come together. */
const STAGGER_MS = 5_000;
/** Long: on a busy machine a dozen clients start at once. */
const READY_WITHIN_MS = 60_000;
const WATCH_MS = 20;

class Observer {
  readonly #settings: ClientSettings;
  readonly #channel: HeadlessChannel | null;
  readonly #client: HelloClient;
  readonly #load: OpenLoop;
  readonly #updates: { at: number; added: readonly string[]; removed: readonly string[] }[] = [];
  readonly #connected: { at: number; address: string }[] = [];
  readonly #unconnected = new Set<string>();
  #watching: NodeJS.Timeout | null = null;
  readonly #dueAt: number[] = [];
  readonly #latencyMs: number[] = [];
  readonly #pod: number[] = [];
  readonly #pods = new Map<string, number>();
  #before = { polls: 0, queries: 0 };

  constructor(settings: ClientSettings, seed: number) {
    this.#settings = settings;
    // Cells of one process must not share connections.
    const common = { 'grpc.use_local_subchannel_pool': 1 };
    const { client } = settings;
    if (client.kind === 'headless' || client.kind === 'watch') {
      const chosen =
        client.kind === 'watch'
          ? { source: endpointSlices({ kubeConfig: kubeConfigOf(settings.api) }) }
          : { refresh: client.refresh };
      this.#channel = new HeadlessChannel(settings.target, credentials.createInsecure(), {
        ...common,
        headless: { ...chosen, dns: { servers: [settings.dns], search: [] } },
      });
      this.#channel.on('update', ({ added, removed }) => this.#onUpdate(added, removed));
      this.#client = new HelloClient(settings.target, credentials.createInsecure(), { channelOverride: this.#channel });
    } else if (client.kind === 'haproxy') {
      this.#channel = null;
      this.#client = new HelloClient(settings.target, credentials.createInsecure(), common);
    } else {
      this.#channel = null;
      this.#client = new HelloClient(`dns://${settings.dns}/${settings.target}`, credentials.createInsecure(), {
        ...common,
        'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
        'grpc.dns_min_time_between_resolutions_ms': client.dnsFloorMs,
      });
    }
    this.#load = new OpenLoop(unary(this.#client), {
      callsPerSecond: settings.callsPerSecond,
      random: seededRandom(seed),
    });
    this.#load.recorder.subscribe(({ code, pod, dueAt, endedAt }) => {
      if (code !== status.OK || pod === null) return;
      this.#dueAt.push(dueAt + performanceOffsetMs);
      this.#latencyMs.push(endedAt - dueAt);
      const known = this.#pods.get(pod);
      this.#pod.push(known ?? this.#pods.size);
      if (known === undefined) this.#pods.set(pod, this.#pods.size);
    });
  }

  async connect(): Promise<void> {
    // The error of `ready()` says what prevents it.
    if (this.#channel) await this.#channel.ready({ timeoutMs: READY_WITHIN_MS });
    else
      await new Promise<void>((resolve, reject) =>
        this.#client.waitForReady(Date.now() + READY_WITHIN_MS, (error) =>
          error ? reject(new Error(`${this.#settings.id}: ${error.message}`)) : resolve(),
        ),
      );
  }

  call(): void {
    this.#load.start();
  }

  /** What came before does not count. */
  begin(): void {
    this.#load.recorder.reset();
    this.#dueAt.length = 0;
    this.#latencyMs.length = 0;
    this.#pod.length = 0;
    this.#before = this.#counters;
  }

  async finish(): Promise<ClientLog> {
    const { polls, queries } = this.#counters;
    await this.#load.stop();
    if (this.#watching) clearInterval(this.#watching);
    this.#client.close();
    const ours = this.#channel !== null;
    return {
      id: this.#settings.id,
      updates: this.#updates,
      connected: this.#connected,
      dueAt: Float64Array.from(this.#dueAt),
      latencyMs: Float32Array.from(this.#latencyMs),
      pod: Uint16Array.from(this.#pod),
      pods: [...this.#pods.keys()],
      calls: this.#load.recorder.report(),
      polls: ours ? polls - this.#before.polls : null,
      queries: ours ? queries - this.#before.queries : null,
    };
  }

  get #counters(): { polls: number; queries: number } {
    return this.#channel?.snapshot().counters ?? { polls: 0, queries: 0 };
  }

  #onUpdate(added: readonly string[], removed: readonly string[]): void {
    this.#updates.push({ at: performance.now() + performanceOffsetMs, added, removed });
    for (const address of added) this.#unconnected.add(address);
    for (const address of removed) this.#unconnected.delete(address);
    this.#watching ??= setInterval(() => this.#watch(), WATCH_MS);
  }

  /** Snapshots say since when an endpoint is READY, so looking seldom costs no precision. */
  #watch(): void {
    for (const { address, state, since } of this.#channel?.snapshot().endpoints ?? [])
      if (state === 'ready' && this.#unconnected.delete(address))
        this.#connected.push({ at: since + wallOffsetMs(), address });
    if (this.#unconnected.size > 0 || !this.#watching) return;
    clearInterval(this.#watching);
    this.#watching = null;
  }
}

const observers: Observer[] = [];
const delay = new EventLoopDelay();
let began = { at: 0, cpu: process.cpuUsage() };

async function coldCall({ dns, target, refresh, startAt, timeoutMs }: ColdCall): Promise<number | null> {
  await sleep(Math.max(0, startAt - machineMs()));
  const channel = new HeadlessChannel(target, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    headless: { refresh, dns: { servers: [dns], search: [] } },
  });
  const client = new HelloClient(target, credentials.createInsecure(), { channelOverride: channel });
  try {
    await sayHi(client, { metadata: new Metadata({ waitForReady: true }), deadline: Date.now() + timeoutMs });
    return machineMs();
  } catch (error) {
    if ((error as Partial<ServiceError>).code === status.DEADLINE_EXCEEDED) return null;
    throw error;
  } finally {
    client.close();
  }
}

const methods = {
  async connect({ cells, seed }: { cells: readonly ClientSettings[]; seed: number }): Promise<void> {
    const random = seededRandom(seed);
    await Promise.all(
      cells.map(async (settings, index) => {
        await sleep(random() * STAGGER_MS);
        const observer = new Observer(settings, seed + index);
        observers.push(observer);
        await observer.connect();
      }),
    );
  },

  /** Only when all clients are connected: calls would take the CPU that connecting needs. */
  async call(): Promise<void> {
    for (const observer of observers) observer.call();
  },

  async begin(): Promise<void> {
    for (const observer of observers) observer.begin();
    delay.start();
    began = { at: performance.now(), cpu: process.cpuUsage() };
  },

  async finish(): Promise<ProcessReport> {
    const { user, system } = process.cpuUsage(began.cpu);
    const ms = performance.now() - began.at;
    delay.stop();
    const logs = await Promise.all(observers.map((observer) => observer.finish()));
    return { logs, ms, cpuUs: user + system, eventLoopDelayP99Ms: delay.p99Ms };
  },

  /** When each call was answered; null for one that was not in its time. */
  async coldCalls(calls: readonly ColdCall[]): Promise<(number | null)[]> {
    return Promise.all(calls.map(coldCall));
  },

  /** CPU of this process while one channel polls at an interval and makes no calls. */
  async cost({ dns, target, intervalMs, ms }: CostRequest): Promise<CostReport> {
    const channel = new HeadlessChannel(target, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      headless: {
        refresh: { intervalMs, minIntervalMs: 10, jitter: 0, burstMs: 0, ttl: 'ignore' },
        dns: { servers: [dns], search: [] },
      },
    });
    try {
      await channel.ready({ timeoutMs: 10_000 });
      while (channel.snapshot().endpoints.some(({ state }) => state !== 'ready')) await sleep(10);
      const polls = channel.snapshot().counters.polls;
      const cpu = process.cpuUsage();
      await sleep(ms);
      const { user, system } = process.cpuUsage(cpu);
      if (channel.getConnectivityState(false) !== connectivityState.READY) throw new Error('the channel lost its pods');
      return { cpuUs: user + system, polls: channel.snapshot().counters.polls - polls };
    } finally {
      channel.close();
    }
  },
};

export type ClientProgram = typeof methods;

serveRpc(methods);
