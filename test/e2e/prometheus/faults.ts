/** Services that have one fault each, with the alerts that it has to fire. Each has pods, DNS and a client of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, status } from '@grpc/grpc-js';
import { createHeadlessClient, type HeadlessOptions } from '../../../lib/index.js';
import { Cluster } from '../../support/cluster.js';
import { eventually } from '../../support/eventually.js';
import { HelloClient, sayHi } from '../../support/hello-service.js';
import type { Defer } from '../../support/leak-check.js';
import type { PodOptions } from '../../support/pod.js';

export interface Fault {
  readonly what: string;
  /** Names of alerts. */
  readonly fires: readonly string[];
  readonly pods?: number;
  readonly pod?: PodOptions;
  readonly headless?: HeadlessOptions;
  /** Called once the client has made calls. */
  cause?(cluster: Cluster, signal: AbortSignal): unknown;
}

const CALL_EVERY_MS = 20;

export const FAULTS: readonly Fault[] = [
  { what: 'nothing is wrong', fires: [] },
  {
    what: 'no pod is left',
    fires: ['GrpcHeadlessNoReadyEndpoint'],
    cause: (cluster) => Promise.all(cluster.pods.map((pod) => pod.kill())),
  },
  {
    what: 'some pods refuse connections',
    fires: ['GrpcHeadlessEndpointsUnreachable'],
    pods: 4,
    cause: (cluster) => Promise.all(cluster.pods.slice(0, 2).map((pod) => pod.kill())),
  },
  {
    what: 'a pod fails its calls',
    fires: ['GrpcHeadlessCallsFailing'],
    cause: (cluster) => cluster.pods[0]?.behave({ failWith: status.INTERNAL }),
  },
  {
    what: 'a pod fails its calls again whenever its ejection ends',
    fires: ['GrpcHeadlessEndpointsStayEjected'],
    headless: { outlier: { intervalMs: 1_000, baseEjectionMs: 1_000, maxEjectionMs: 2_000 } },
    cause: (cluster) => cluster.pods[0]?.behave({ failWith: status.UNAVAILABLE }),
  },
  {
    what: 'a pod in DNS says that it is not serving',
    fires: ['GrpcHeadlessEndpointsUnhealthy'],
    pod: { health: 'SERVING' },
    headless: { health: true },
    cause: (cluster) => cluster.pods[0]?.behave({ health: 'NOT_SERVING' }),
  },
  {
    what: 'every pod says that it is not serving',
    fires: ['GrpcHeadlessPanic', 'GrpcHeadlessEndpointsUnhealthy'],
    pod: { health: 'SERVING' },
    headless: { health: true },
    cause: (cluster) => Promise.all(cluster.pods.map((pod) => pod.behave({ health: 'NOT_SERVING' }))),
  },
  {
    what: 'the pods close their connections all the time',
    fires: ['GrpcHeadlessConnectionsLost'],
    pod: { server: { 'grpc.max_connection_age_ms': 300, 'grpc.max_connection_age_grace_ms': 100 } },
  },
  {
    what: 'the DNS server fails',
    fires: ['GrpcHeadlessDnsFailing'],
    cause: (cluster) => cluster.dns.fail('*', 'SERVFAIL'),
  },
  {
    what: 'DNS has no name for the pods any more',
    fires: ['GrpcHeadlessAnswerStale'],
    cause: (cluster) => cluster.dns.remove(cluster.name),
  },
  {
    what: 'the DNS server is down',
    fires: ['GrpcHeadlessDnsQueriesTimingOut', 'GrpcHeadlessDnsFailing', 'GrpcHeadlessAnswerStale'],
    headless: { dns: { timeoutMs: 50, attempts: 1 } },
    cause: (cluster) => cluster.dns.pause(),
  },
  {
    what: 'DNS servers disagree',
    fires: ['GrpcHeadlessEndpointsFlapping'],
    cause: async ({ dns, name, ips }, signal) => {
      for (let turn = 0; !signal.aborted; turn++) {
        dns.set(name, ips.slice(turn % 2), { ttl: 30 });
        await sleep(500);
      }
    },
  },
];

export class FaultyService {
  readonly fault: Fault;
  readonly name: string;
  readonly target: string;
  readonly #cluster: Cluster;
  readonly #client: HelloClient;
  readonly #stop = new AbortController();

  static async start(defer: Defer, fault: Fault, index: number): Promise<FaultyService> {
    const { pods = 2, pod = {} } = fault;
    const name = `service-${index}.test.svc.cluster.local`;
    const service = new FaultyService(fault, await Cluster.start(defer, { name, pods, pod }), defer);
    // All services start at once, and the time of one for its DNS is short.
    await eventually(() => sayHi(service.#client));
    return service;
  }

  private constructor(fault: Fault, cluster: Cluster, defer: Defer) {
    this.fault = fault;
    this.name = cluster.name;
    this.#cluster = cluster;
    const { headless = {} } = fault;
    this.#client = createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), {
      headless: cluster.headless({ ...headless, dns: { servers: [cluster.dns.address], ...headless.dns } }),
    });
    this.target = this.#client.getChannel().getTarget();
    defer(() => this.#client.close());
    const calls = this.#call();
    defer(async () => {
      this.#stop.abort();
      cluster.dns.resume();
      await calls;
    });
  }

  /** From now on. */
  async break(): Promise<void> {
    const caused = this.fault.cause?.(this.#cluster, this.#stop.signal);
    // One that goes on ends with the test.
    await Promise.race([caused, sleep(100)]);
  }

  async #call(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await sayHi(this.#client).catch(() => {});
      await sleep(CALL_EVERY_MS);
    }
  }
}
