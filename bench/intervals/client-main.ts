/**
 * A client process: clients with different settings of one Service, calls at a rate on each, and a log of what each
 * saw and when.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectivityState, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { RefreshSettings } from '../../lib/discovery/schedule.js';
import { HeadlessChannel } from '../../lib/index.js';
import { EventLoopDelay } from '../../test/support/event-loop-delay.js';
import { seededRandom } from '../../test/support/fake-random.js';
import { HelloClient, sayHi } from '../../test/support/hello-service.js';
import { serveRpc } from '../../test/support/rpc.js';
import { ChannelObserver } from './channel-observer.js';
import { machineMs } from './clock.js';
import { GoObserver } from './go-observer.js';
import type { ClientLog, ClientSettings, Observer } from './observer.js';

export interface ProcessReport {
  readonly logs: readonly ClientLog[];
  /** Of the whole process, over the time measured; processes beside it, as of HAProxy and of grpc-go, not included. */
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
        const { client } = settings;
        const observer =
          client.kind === 'kuberesolver'
            ? new GoObserver(settings)
            : new ChannelObserver({ ...settings, client }, seed + index);
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
