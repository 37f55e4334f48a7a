/**
 * What the kubelets do, as far as a Service's clients can tell: a pod that names a node gets an address of the node's
 * range and a real gRPC server there, at the port that its environment has in `PORT`; it becomes Ready when it passes its
 * readiness probe, and at its deletion it gets its preStop sleep, SIGTERM, its grace period and SIGKILL, and its object
 * is removed.
 *
 * A pod is a process of its own unless the annotation `test/process: shared` lets it share one. The server of an image
 * whose tag is `broken` says that it does not serve. `setReady` tells a server what to say.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { passesProbe } from '../../support/health-probe.js';
import { PodHost, type RemotePod } from '../../support/pod-host.js';
import { type Api, ApiError, type KubernetesObject } from './api.js';
import { NODES, type Node } from './topology.js';

interface PodObject extends KubernetesObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly terminationGracePeriodSeconds?: number;
    readonly containers: readonly {
      readonly image: string;
      readonly env?: readonly { readonly name: string; readonly value?: string }[];
      readonly readinessProbe?: { readonly grpc?: { readonly port: number } };
      readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
    }[];
  };
}

interface RunningPod {
  readonly host: PodHost;
  readonly shared: boolean;
  readonly servers: readonly RemotePod[];
  readonly ips: readonly string[];
}

/** A pod, from the start of its server to its end. */
interface PodLife {
  object: PodObject;
  readonly running: Promise<RunningPod>;
  ending: boolean;
  /** When the API had taken it in, in epoch milliseconds; null while it is not Ready. */
  readyAt: number | null;
}

/** Of the pods that the tests ask for. */
export interface PodView {
  readonly name: string;
  readonly ip: string;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly readyAt: number | null;
}

const SHARED_HOSTS = 3;
/** The preStop hook's time in a pod whose object was removed at once. */
const FORCED_GRACE_S = 1;
/** Between SIGTERM and SIGKILL at least, even where the preStop hook has used the grace period up. */
const MINIMUM_GRACE_MS = 2_000;
const DEFAULT_GRACE_S = 30;

export class Kubelet {
  readonly #api: Api;
  readonly #pods = new Map<string, PodLife>();
  readonly #lastIndex = new Map<Node, number>();
  readonly #shared: Promise<PodHost>[] = [];
  #started = 0;
  /** What went wrong, for the message of a test that fails. */
  readonly errors: string[] = [];

  constructor(api: Api) {
    this.#api = api;
  }

  /** Makes the Node objects and begins to watch. */
  async start(): Promise<void> {
    for (const { name, zone } of NODES) {
      const labels = { 'topology.kubernetes.io/zone': zone, 'kubernetes.io/hostname': name };
      await this.#api.send('POST', '/api/v1/nodes', { metadata: { name, labels } });
      const conditions = [{ type: 'Ready', status: 'True' }];
      await this.#api.send('PATCH', `/api/v1/nodes/${name}/status`, { status: { conditions } });
    }
    void this.#api.watch<PodObject>(
      '/api/v1/pods',
      (pods) => {
        const listed = new Set(pods.map(keyOf));
        for (const pod of pods) this.#observe(pod);
        for (const key of this.#pods.keys()) if (!listed.has(key)) this.#removed(key);
      },
      ({ type, object }) => (type === 'DELETED' ? this.#removed(keyOf(object)) : this.#observe(object)),
    );
  }

  /** Pods with an address in a Kubernetes namespace. */
  async pods(namespace: string): Promise<PodView[]> {
    const lives = [...this.#pods.values()].filter(({ object }) => object.metadata.namespace === namespace);
    return Promise.all(
      lives.map(async ({ object, running, ending, readyAt }) => ({
        name: object.metadata.name,
        ip: (await running).ips[0] as string,
        ready: readyAt !== null,
        terminating: ending || object.metadata.deletionTimestamp !== undefined,
        readyAt,
      })),
    );
  }

  /** What the pod's readiness probe finds from now on. */
  async setReady(namespace: string, name: string, ready: boolean): Promise<void> {
    const life = this.#pods.get(`${namespace}/${name}`);
    if (life === undefined) throw new Error(`no pod ${namespace}/${name}`);
    const { servers } = await life.running;
    await Promise.all(servers.map((server) => server.behave({ health: ready ? 'SERVING' : 'NOT_SERVING' })));
    await this.#probe(life);
  }

  #observe(object: PodObject): void {
    const key = keyOf(object);
    const life = this.#pods.get(key);
    if (life !== undefined) {
      life.object = object;
      const { deletionTimestamp, deletionGracePeriodSeconds } = object.metadata;
      if (deletionTimestamp !== undefined) this.#end(key, life, deletionGracePeriodSeconds ?? DEFAULT_GRACE_S);
      return;
    }
    const node = NODES.find(({ name }) => name === object.spec.nodeName);
    if (node === undefined || object.metadata.deletionTimestamp !== undefined) return;
    const begun: PodLife = { object, running: this.#run(object, node), ending: false, readyAt: null };
    this.#pods.set(key, begun);
    this.#inBackground(key, () => this.#probe(begun));
  }

  /** The object is gone without a grace period: a deletion by force. */
  #removed(key: string): void {
    const life = this.#pods.get(key);
    if (life !== undefined) this.#end(key, life, FORCED_GRACE_S, true);
  }

  #end(key: string, life: PodLife, graceS: number, gone = false): void {
    if (life.ending) return;
    life.ending = true;
    this.#inBackground(key, async () => {
      const { host, servers, shared } = await life.running;
      const killAt = performance.now() + graceS * 1000;
      const preStopS = life.object.spec.containers[0]?.lifecycle?.preStop?.sleep?.seconds ?? 0;
      await sleep(Math.min(preStopS, graceS) * 1000);
      const stopped = shared ? Promise.all(servers.map((server) => server.stop())) : host.end('SIGTERM');
      const inTime = await Promise.race([
        stopped.then(() => true),
        sleep(Math.max(MINIMUM_GRACE_MS, killAt - performance.now()), false),
      ]);
      if (!inTime) await (shared ? Promise.all(servers.map((server) => server.kill())) : host.close());
      if (!gone) await this.#delete(life.object);
      this.#pods.delete(key);
    });
  }

  async #run(object: PodObject, node: Node): Promise<RunningPod> {
    const { name, annotations } = object.metadata;
    const index = (this.#lastIndex.get(node) ?? 0) + 1;
    this.#lastIndex.set(node, index);
    const shared = annotations?.['test/process'] === 'shared';
    const host = await (shared ? this.#sharedHost() : PodHost.spawn());
    const [container] = object.spec.containers;
    const port = Number(container?.env?.find((entry) => entry.name === 'PORT')?.value);
    if (!(port > 0)) throw new Error(`${name} has no PORT in its environment`);
    const health = container?.image.endsWith(':broken') ? 'NOT_SERVING' : 'SERVING';
    const ips = [node.ip(index), node.ipv6(index)];
    const servers = await Promise.all(ips.map((ip) => host.start(ip, port, { name, health })));
    return { host, shared, servers, ips };
  }

  #sharedHost(): Promise<PodHost> {
    const index = this.#started++ % SHARED_HOSTS;
    this.#shared[index] ??= PodHost.spawn();
    return this.#shared[index];
  }

  async #probe(life: PodLife): Promise<void> {
    const running = await life.running;
    const probe = life.object.spec.containers[0]?.readinessProbe?.grpc;
    // Without a probe it is Ready once it runs.
    const ready = probe === undefined || (await passesProbe(running.ips[0] as string, probe.port));
    await this.#report(life, running, ready);
  }

  async #report(life: PodLife, { ips }: RunningPod, ready: boolean): Promise<void> {
    if (life.ending) return;
    const status = ready ? 'True' : 'False';
    await this.#api.send('PATCH', `${pathOf(life.object)}/status`, {
      status: {
        phase: 'Running',
        podIP: ips[0],
        podIPs: ips.map((ip) => ({ ip })),
        conditions: ['Ready', 'ContainersReady', 'PodScheduled', 'Initialized'].map((type) => ({
          type,
          status: type === 'Ready' || type === 'ContainersReady' ? status : 'True',
          lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ''),
        })),
      },
    });
    life.readyAt = ready ? performance.timeOrigin + performance.now() : null;
  }

  /** Until the API is there to take it. */
  async #delete(object: PodObject): Promise<void> {
    for (;;) {
      try {
        await this.#api.send('DELETE', `${pathOf(object)}?gracePeriodSeconds=0`);
        return;
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return;
        await sleep(500);
      }
    }
  }

  #inBackground(key: string, work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      // The object may be deleted at any moment.
      if (!(error instanceof ApiError && error.status === 404)) this.errors.push(`${key}: ${error}`);
    });
  }
}

function keyOf({ metadata }: PodObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function pathOf({ metadata }: PodObject): string {
  return `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
}
