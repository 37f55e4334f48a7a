/**
 * The balancers that are compared over a list of pods: grpc-js's two, HAProxy beside the client, our policies, and ours with
 * an option that costs something for each call.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { HeadlessChannel, type HeadlessOptions } from '../../lib/index.js';
import { createFakeDns } from '../../lib/testing.js';
import { HaProxy } from '../../test/support/haproxy.js';
import { HelloClient } from '../../test/support/hello-service.js';

export const BALANCERS = [
  'grpc-js round_robin',
  'grpc-js pick_first',
  'ours least_request',
  'ours round_robin',
  'ours peak_ewma',
  'ours with retry',
  'ours with drain.timeoutMs',
  'ours with outlier',
  'ours with health',
  'ours with connections',
  'HAProxy sidecar',
] as const;

/** How long a pod takes to warm up, and slow start with it. */
export const WARM_UP_MS = 10_000;

const OURS = {
  'ours least_request': { balance: { policy: 'least_request' } },
  'ours least_request, 4 choices': { balance: { policy: 'least_request', choices: 4 } },
  'ours least_request, slow start': { balance: { policy: 'least_request', slowStartMs: WARM_UP_MS } },
  'ours round_robin': { balance: { policy: 'round_robin' } },
  'ours round_robin, slow start': { balance: { policy: 'round_robin', slowStartMs: WARM_UP_MS } },
  'ours peak_ewma': { balance: { policy: 'peak_ewma' } },
  'ours peak_ewma, 4 choices': { balance: { policy: 'peak_ewma', choices: 4 } },
  'ours peak_ewma, slow start': { balance: { policy: 'peak_ewma', slowStartMs: WARM_UP_MS } },
  'ours with retry': { retry: { attempts: 2 } },
  'ours with drain.timeoutMs': { drain: { timeoutMs: 60_000 } },
  'ours with outlier': { outlier: true },
  'ours with health': { health: true },
  'ours with connections': { balance: { connections: 4 } },
} as const satisfies Record<string, HeadlessOptions>;

export type OurBalancer = keyof typeof OURS;
export type Balancer = (typeof BALANCERS)[number] | OurBalancer;

/** The one that the others are compared to. */
export const BASELINE: Balancer = 'grpc-js round_robin';

export interface Connection {
  readonly client: HelloClient;
  /** CPU time of all that makes the calls, in microseconds: this process, and the proxy where there is one. */
  cpuUsage(): NodeJS.CpuUsage;
  close(): Promise<void>;
}

/** A client over these pods, connected to all of them (`pick_first`: to one; beside HAProxy: to that). */
export async function connect(balancer: Balancer, ips: readonly string[], port: number): Promise<Connection> {
  if (isOurs(balancer)) return alone((await connectGrowing(balancer, ips, port)).client);
  if (balancer === 'HAProxy sidecar') return connectToProxy(ips, port);
  const policy = balancer.endsWith('round_robin') ? 'round_robin' : 'pick_first';
  const target = `ipv4:${ips.map((ip) => `${ip}:${port}`).join(',')}`;
  const client = new HelloClient(target, credentials.createInsecure(), {
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ [policy]: {} }] }),
  });
  await connected(client);
  return alone(client);
}

function alone(client: HelloClient): Connection {
  return { client, cpuUsage: () => process.cpuUsage(), close: async () => client.close() };
}

async function connectToProxy(ips: readonly string[], port: number): Promise<Connection> {
  const proxy = await HaProxy.start({ kind: 'fixed', ips, port });
  const client = new HelloClient(proxy.target, credentials.createInsecure());
  await connected(client);
  return {
    client,
    cpuUsage() {
      const [own, its] = [process.cpuUsage(), proxy.cpuUsage()];
      return { user: own.user + its.user, system: own.system + its.system };
    },
    async close() {
      client.close();
      await proxy.close();
    },
  };
}

export interface GrowingClient {
  readonly client: HelloClient;
  /** From now on the Service has these pods. Resolves when all of them are connected. */
  setPods(ips: readonly string[]): Promise<void>;
}

/** A client of a Service whose pods may change. */
export async function connectGrowing(
  balancer: OurBalancer,
  ips: readonly string[],
  port: number,
): Promise<GrowingClient> {
  const dns = createFakeDns({ 'fixed.list': ips });
  const target = `fixed.list:${port}`;
  const headless = { dns: { lookup: dns.lookup }, ...OURS[balancer] };
  const channel = new HeadlessChannel(target, credentials.createInsecure(), { headless });
  const client = new HelloClient(target, credentials.createInsecure(), { channelOverride: channel });
  await connected(client);
  return {
    client,
    async setPods(next) {
      dns.set('fixed.list', next);
      await channel.refresh();
      const isReady = (): boolean =>
        channel.snapshot().endpoints.filter(({ state }) => state === 'ready').length === next.length;
      while (!isReady()) await sleep(5);
    },
  };
}

export function isOurs(balancer: Balancer): balancer is OurBalancer {
  return balancer in OURS;
}

function connected(client: HelloClient): Promise<void> {
  return new Promise((resolve, reject) =>
    client.waitForReady(Date.now() + 20_000, (error) => (error ? reject(error) : resolve())),
  );
}
