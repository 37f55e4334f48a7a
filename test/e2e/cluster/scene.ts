/**
 * One change of a cluster with calls under way: a Kubernetes namespace with Deployments and a headless Service `hello`,
 * and a client with default options that calls it without a pause. Each call is accounted for.
 *
 *     const scene = await Scene.open(net, { title: 'scale 2 → 5', replicas: 2 });
 *     await scene.call();  await scene.scale(5);  await scene.awaitSettled(5);
 *     const { failed } = await scene.close();
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.js';
import type { ClientOptions, LoadReport } from './client-main.js';
import type { PodView } from './kubelet.js';
import { clusterIpService, type DeploymentPlan, deployment, headlessService, namespace } from './manifests.js';
import type { Row } from './scene-table.js';
import type { TestCluster } from './test-cluster.js';
import { DNS_IPS, POD_PORTS } from './topology.js';

/** For what takes other processes a while, on a machine that is busy. */
export const PATIENT = { timeoutMs: 150_000, intervalMs: 100 } as const;
/** What a busy machine may add to a bound. */
const NOISE_MS = 10_000;

/** Of a call that arrived after the server had begun to shut down. */
const REFUSED = 'UNAVAILABLE: Stream refused by server';
/** Calls at the same time. */
export const IN_FLIGHT = 6;

/** The default of `burstMs`, and a poll more. */
const BURST_MS = 31_000;

/** The default interval and its jitter of a tenth. */
export const INTERVAL = { label: 'interval 5 s ± 10 %', ms: 5_500 } as const;

export interface SceneOptions {
  readonly title: string;
  /** Of the Deployment `hello`. */
  readonly plan: DeploymentPlan;
  /** Spec of the Service, beside the example's; `clusterIp` for the example's Service that is not headless. */
  readonly service?: object | 'clusterIp';
  /** Of Ready to first call. Default: `INTERVAL`. */
  readonly bound?: { readonly label: string; readonly ms: number };
}

let opened = 0;

export class Scene {
  readonly namespace: string;
  readonly net: TestCluster;
  readonly #title: string;
  readonly #bound: { readonly label: string; readonly ms: number };
  /** By pod, in epoch milliseconds; of the pods that became Ready after the calls had begun. */
  readonly #readyAt = new Map<string, number>();
  #openedAt = 0;

  /** Resolves when the pods of the plan are Ready. */
  static async open(net: TestCluster, { title, plan, service = {}, bound = INTERVAL }: SceneOptions): Promise<Scene> {
    const scene = new Scene(net, `scene-${++opened}`, title, bound);
    await net.cluster.api('POST', '/api/v1/namespaces', namespace(scene.namespace));
    await scene.createService(service);
    await scene.deploy('hello', plan);
    await scene.awaitReady(plan.replicas);
    return scene;
  }

  /** Of objects that are there, in a namespace that is there. */
  static of(net: TestCluster, namespace: string, title: string): Scene {
    return new Scene(net, namespace, title, INTERVAL);
  }

  private constructor(net: TestCluster, namespace: string, title: string, bound: SceneOptions['bound'] & object) {
    this.net = net;
    this.namespace = namespace;
    this.#title = title;
    this.#bound = bound;
  }

  // --- the cluster ---

  async deploy(name: string, plan: DeploymentPlan): Promise<void> {
    await this.net.cluster.api('POST', `${this.#apps}/deployments`, deployment(name, plan));
  }

  /** @param change of the Deployment's spec. */
  async patch(change: object, name = 'hello'): Promise<void> {
    await this.net.cluster.api('PATCH', `${this.#apps}/deployments/${name}`, { spec: change });
  }

  /** A rollout: as `kubectl rollout restart`, and with this change of the pods' spec. */
  async roll(spec: object = {}): Promise<void> {
    const annotations = { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() };
    await this.patch({ template: { metadata: { annotations }, spec } });
  }

  async scale(replicas: number, name = 'hello'): Promise<void> {
    await this.patch({ replicas }, name);
  }

  async createService(spec: object | 'clusterIp' = {}): Promise<void> {
    const service = spec === 'clusterIp' ? clusterIpService() : headlessService(spec as object);
    await this.net.cluster.api('POST', `${this.#core}/services`, service);
  }

  async patchService(spec: object): Promise<void> {
    await this.net.cluster.api('PATCH', `${this.#core}/services/hello`, { spec });
  }

  async service(): Promise<{ spec: { clusterIP: string } }> {
    return (await this.net.cluster.api('GET', `${this.#core}/services/hello`)) as { spec: { clusterIP: string } };
  }

  async deleteService(): Promise<void> {
    await this.net.cluster.api('DELETE', `${this.#core}/services/hello`);
  }

  /** As `kubectl delete pod --force`: the object is gone at once. */
  async deleteByForce(pod: string): Promise<void> {
    await this.net.cluster.api('DELETE', `${this.#core}/pods/${pod}?gracePeriodSeconds=0`);
  }

  setReady(pod: string, ready: boolean): Promise<void> {
    return this.net.cluster.setReady(this.namespace, pod, ready);
  }

  /** Those that are not about to end, Ready or not. */
  async pods(): Promise<PodView[]> {
    return (await this.allPods()).filter(({ terminating }) => !terminating);
  }

  /** Those that are about to end too. */
  allPods(): Promise<PodView[]> {
    return this.net.cluster.pods(this.namespace);
  }

  /** Resolves when so many pods are Ready, all of the Deployment's last version, and there are no others. */
  async awaitReady(count: number): Promise<PodView[]> {
    return eventually(async () => {
      const answer = await this.net.cluster.api('GET', `${this.#apps}/deployments/hello`);
      const { spec, status, metadata } = answer as DeploymentStatus;
      const pods = await this.pods();
      const ready = pods.filter((pod) => pod.ready);
      const seen = status.observedGeneration === metadata.generation;
      const updated = (status.updatedReplicas ?? 0) === spec.replicas && (status.replicas ?? 0) === spec.replicas;
      if (!seen || !updated || pods.length !== count || ready.length !== count)
        throw new Error(`${this.namespace}: ${ready.length} of ${pods.length} pods are Ready, not ${count}`);
      return ready;
    }, PATIENT);
  }

  // --- the client ---

  /** Makes the client and begins to call; resolves when every pod that is Ready has answered. */
  async call(options: CallOptions = {}): Promise<void> {
    await this.startCalls(options);
    await this.awaitAnswers();
  }

  /** Makes the client and begins to call. */
  async startCalls({ dnsServers = [DNS_IPS.first], ...options }: CallOptions = {}): Promise<void> {
    const {
      target = `hello.${this.namespace}:${POD_PORTS[0]}`,
      zone,
      balance,
      kubeConfig,
      inFlight = IN_FLIGHT,
      waitForReady = false,
    } = options;
    const dns = { resolvConf: this.net.resolvConf(...dnsServers) };
    const chosen = {
      dns,
      ...(zone ? { zone } : {}),
      ...(balance ? { balance } : {}),
      ...(kubeConfig === undefined ? {} : { kubeConfig }),
    };
    await this.net.client.open(this.namespace, target, chosen, { inFlight, waitForReady });
    this.#openedAt = Date.now();
  }

  /** Lets the fast polls end that follow the first answer, so that what comes next is found by the interval alone. */
  async quiet(): Promise<void> {
    await sleep(BURST_MS);
  }

  report(): Promise<LoadReport> {
    return this.net.client.report(this.namespace);
  }

  /** Resolves when each pod that is Ready has answered a call. @param among whose names begin so. */
  async awaitAnswers(among = ''): Promise<void> {
    await eventually(async () => {
      const ready = (await this.pods()).filter((pod) => pod.ready && pod.name.startsWith(among));
      const { firstAnswerAt } = await this.report();
      const silent = ready.filter(({ name }) => !firstAnswerAt.has(name));
      if (silent.length > 0) throw new Error(`${silent.length} Ready pods got no call, as ${silent[0]?.name}`);
      for (const { name, readyAt } of ready)
        if (readyAt !== null && readyAt > this.#openedAt) this.#readyAt.set(name, readyAt);
    }, PATIENT);
  }

  /** Resolves when so many pods are Ready, and each has answered. */
  async awaitSettled(count: number): Promise<PodView[]> {
    const pods = await this.awaitReady(count);
    await this.awaitAnswers();
    return pods;
  }

  /** Resolves when only these pods answer calls, and each does. */
  async awaitAnswersFrom(names: readonly string[]): Promise<void> {
    let before = (await this.report()).byPod;
    await eventually(
      async () => {
        const { byPod } = await this.report();
        const answering = [...byPod].filter(([name, count]) => count > (before.get(name) ?? 0)).map(([name]) => name);
        before = byPod;
        assert.deepEqual(answering.sort(), names.toSorted());
      },
      { ...PATIENT, intervalMs: 1_000 },
    );
  }

  /** The first call of the pod is measured anew, from its next time of being Ready. */
  forget(pod: string): Promise<void> {
    return this.net.client.forget(this.namespace, pod);
  }

  endpoints(): Promise<string[]> {
    return this.net.client.endpoints(this.namespace);
  }

  /** Lets so many calls more be answered. */
  async moreCalls(count: number): Promise<void> {
    const { answered } = await this.report();
    await eventually(async () => (await this.report()).answered >= answered + count, PATIENT);
  }

  /**
   * Ends the calls and the pods, and checks that every call was answered, and that every pod that became Ready got its
   * first call in time.
   *
   * @param refused so many calls may fail because a pod that shuts down refused them: grpc-js repeats a call once.
   * @returns the row of the table.
   */
  async close({ refused = 0 }: { refused?: number } = {}): Promise<Row> {
    const report = await this.net.client.stop(this.namespace);
    const { items } = (await this.net.cluster.api('GET', `${this.#apps}/deployments`)) as DeploymentList;
    for (const { metadata } of items) await this.scale(0, metadata.name);
    const times = [...this.#readyAt].map(([pod, readyAt]) => (report.firstAnswerAt.get(pod) ?? Number.NaN) - readyAt);
    const { started, answered, failed, underWay, byPod, failures } = report;
    const unexpected = failures.filter((failure) => refused === 0 || !failure.startsWith(REFUSED));
    assert.deepEqual(unexpected, [], `${this.#title}: ${failed} of ${started} calls failed`);
    assert.ok(failed <= refused, `${failed} of ${started} calls were refused`);
    assert.equal(started, answered + failed, 'each call ended');
    assert.equal(underWay, 0);
    assert.equal(
      [...byPod.values()].reduce((sum, count) => sum + count, 0),
      answered,
      'each answer came from a pod',
    );
    for (const time of times) assert.ok(time <= this.#bound.ms + NOISE_MS, `first call ${time} ms after Ready`);
    return { title: this.#title, calls: started, failed, times, bound: this.#bound.label };
  }

  get #core(): string {
    return `/api/v1/namespaces/${this.namespace}`;
  }

  get #apps(): string {
    return `/apis/apps/v1/namespaces/${this.namespace}`;
  }
}

export interface CallOptions extends Pick<ClientOptions, 'zone' | 'balance' | 'kubeConfig'> {
  /** Default: the first one. */
  readonly dnsServers?: readonly string[];
  readonly target?: string;
  /** Calls at the same time. Default `IN_FLIGHT`. */
  readonly inFlight?: number;
  /** Of the calls. Default false, as in gRPC. */
  readonly waitForReady?: boolean;
}

interface DeploymentStatus {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly replicas: number };
  readonly status: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
  };
}

interface DeploymentList {
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}
