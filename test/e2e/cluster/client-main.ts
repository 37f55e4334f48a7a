/** The program in the client's network namespace: clients with default options, and their calls. */
import { credentials, status } from '@grpc/grpc-js';
import { KubeConfig } from '@kubernetes/client-node';
import { createHeadlessClient, type HeadlessClient, type HeadlessOptions } from '../../../lib/index.js';
import { endpointSlices } from '../../../lib/kubernetes.js';
import type { DiscoveryStatus } from '../../../lib/telemetry/snapshot.js';
import { unary } from '../../support/hello-calls.js';
import { HelloClient } from '../../support/hello-service.js';
import { ClosedLoop } from '../../support/load-generator.js';
import { serveRpc } from '../../support/rpc.js';
import { probe } from '../../support/tcp-probe.js';
import { GoClient, type GoReport } from './go-client.js';

/** What the environment decides; all else keeps its default. */
export interface ClientOptions extends Pick<HeadlessOptions, 'dns' | 'zone' | 'balance'> {
  /** Path of a kubeconfig: EndpointSlices are watched with it. */
  readonly kubeConfig?: string;
}

export interface LoadReport {
  readonly started: number;
  readonly answered: number;
  readonly failed: number;
  readonly underWay: number;
  /** `"UNAVAILABLE: …"`, of the first ten calls that failed. */
  readonly failures: readonly string[];
  /** Answers by pod. */
  readonly byPod: ReadonlyMap<string, number>;
  /** By pod, in epoch milliseconds, as `forget` has left it. */
  readonly firstAnswerAt: ReadonlyMap<string, number>;
}

export interface LoadPlan {
  readonly inFlight: number;
  readonly waitForReady: boolean;
}

interface Session {
  readonly client: HeadlessClient<HelloClient>;
  readonly load: ClosedLoop;
  readonly firstAnswerAt: Map<string, number>;
  /** Pods whose answers are counted from the call of `forget`. */
  readonly since: Map<string, number>;
}

/** Between two calls. */
const PAUSE_MS = 20;
const DEADLINE_MS = 20_000;
/** Of calls that wait for ready: pods have to start in between, and on a busy machine that takes a while. */
const WAITING_DEADLINE_MS = 60_000;
/** Of the first connection: CoreDNS waits for up to a minute before it goes back to an API server that was down. */
const CONNECTED_WITHIN_MS = 150_000;

const sessions = new Map<string, Session>();

let goClient: GoClient | undefined;

function runningGoClient(): GoClient {
  if (goClient === undefined) throw new Error('the client of grpc-go was not started');
  return goClient;
}

function watchWith(file: string): ReturnType<typeof endpointSlices> {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(file);
  return endpointSlices({ kubeConfig });
}

function sessionOf(name: string): Session {
  const session = sessions.get(name);
  if (session === undefined) throw new Error(`no client is called ${name}`);
  return session;
}

function reportOf({ load: { recorder }, firstAnswerAt }: Session): LoadReport {
  const { started, answered, failed, failures, byPod, underWay } = recorder;
  const messages = failures.slice(0, 10).map(({ code, details, peer }) => `${status[code]}: ${details} (${peer})`);
  return {
    started,
    answered,
    failed,
    underWay: underWay.size,
    failures: messages,
    byPod: new Map(byPod),
    firstAnswerAt: new Map(firstAnswerAt),
  };
}

const methods = {
  /**
   * Makes a client and begins to call with it, once it is connected to a pod: CoreDNS may hear of pods later than the API server
   * shows them. Calls that wait for ready begin at once. They follow each other until `stop`.
   */
  async open(
    name: string,
    target: string,
    options: ClientOptions,
    { inFlight, waitForReady }: LoadPlan,
  ): Promise<void> {
    const { kubeConfig, ...rest } = options;
    const headless = kubeConfig === undefined ? rest : { ...rest, source: watchWith(kubeConfig) };
    const client = createHeadlessClient(HelloClient, target, credentials.createInsecure(), { headless });
    const load = new ClosedLoop(
      unary(client, { deadlineMs: waitForReady ? WAITING_DEADLINE_MS : DEADLINE_MS, waitForReady }),
      {
        inFlight,
        pauseMs: () => PAUSE_MS,
      },
    );
    const session: Session = { client, load, firstAnswerAt: new Map(), since: new Map() };
    load.recorder.subscribe(({ pod, dueAt, endedAt }) => {
      if (pod === null || session.firstAnswerAt.has(pod) || dueAt < (session.since.get(pod) ?? 0)) return;
      session.firstAnswerAt.set(pod, performance.timeOrigin + endedAt);
    });
    sessions.set(name, session);
    if (!waitForReady) await client.getChannel().ready({ timeoutMs: CONNECTED_WITHIN_MS });
    load.start();
  },

  report: (name: string): LoadReport => reportOf(sessionOf(name)),

  discovery: (name: string): DiscoveryStatus | undefined => sessionOf(name).client.getChannel().snapshot().discovery,

  /** Starts the client of grpc-go with these arguments. */
  startGo(...args: string[]): void {
    goClient = new GoClient(args);
  },

  reportGo: (): GoReport => runningGoClient().report(),

  stopGo: (): Promise<GoReport> => runningGoClient().stop(),

  /** Addresses of the client's endpoints. */
  endpoints: (name: string): string[] =>
    sessionOf(name)
      .client.getChannel()
      .snapshot()
      .endpoints.map(({ address }) => address),

  /** The first answer of a pod is taken anew, of the calls that start from now on. */
  forget(name: string, pod: string): void {
    const { firstAnswerAt, since } = sessionOf(name);
    firstAnswerAt.delete(pod);
    since.set(pod, performance.now());
  },

  /** Waits for the calls that are under way, and closes the client. */
  async stop(name: string): Promise<LoadReport> {
    const session = sessionOf(name);
    await session.load.stop();
    sessions.delete(name);
    session.client.close();
    return reportOf(session);
  },

  probe,
};

export type ClientProgram = typeof methods;

serveRpc(methods);
