/** The program in the restricted pod: a client of this package, and the calls that a test asks it for. */
import { credentials, status } from '@grpc/grpc-js';
import {
  createHeadlessClient,
  type HeadlessChannel,
  type HeadlessClient,
  type HeadlessClientOptions,
} from '../../../lib/index.js';
import { unary } from '../../support/hello-calls.js';
import { HelloClient } from '../../support/hello-service.js';
import { ClosedLoop } from '../../support/load-generator.js';
import type { Recorder } from '../../support/recorder.js';
import { serveRpc } from '../../support/rpc.js';
import { probe } from '../../support/tcp-probe.js';

export interface ClientPlan {
  readonly target: string;
  readonly options: HeadlessClientOptions;
  /** PEM of the authority to trust. Default: plain HTTP/2. */
  readonly ca?: Buffer;
}

export interface CallPlan {
  readonly deadlineMs: number;
  readonly waitForReady?: boolean;
}

/** How calls ended. */
export interface CallsSummary {
  /** Answers by pod. */
  answers: Map<string, number>;
  /** `"UNAVAILABLE: …"`, of each call that failed. */
  failures: string[];
  slowestMs: number;
}

let client: HeadlessClient<HelloClient> | undefined;
let load: ClosedLoop | undefined;

function theClient(): HeadlessClient<HelloClient> {
  if (client === undefined) throw new Error('no client was made');
  return client;
}

function theChannel(): HeadlessChannel {
  return theClient().getChannel();
}

function theLoad(): ClosedLoop {
  if (load === undefined) throw new Error('no load runs');
  return load;
}

/** Between two calls of a load. */
const PAUSE_MS = 10;

function summaryOf({ byPod, failures, latency }: Recorder): CallsSummary {
  const times = [latency.report.maxMs, ...failures.map(({ dueAt, endedAt }) => endedAt - dueAt)];
  return {
    answers: new Map(byPod),
    failures: failures.map(({ code, details }) => `${status[code]}: ${details}`),
    slowestMs: Math.round(Math.max(...times)),
  };
}

const methods = {
  open({ target, options, ca }: ClientPlan): void {
    client = createHeadlessClient(
      HelloClient,
      target,
      ca ? credentials.createSsl(ca) : credentials.createInsecure(),
      options,
    );
  },

  ready: (timeoutMs: number) => theChannel().ready({ timeoutMs }),

  snapshot: () => theChannel().snapshot(),

  /** So many calls, ten at a time. */
  async calls(calls: number, plan: CallPlan): Promise<CallsSummary> {
    const loop = new ClosedLoop(unary(theClient(), plan), { inFlight: 10, calls });
    await loop.run();
    return summaryOf(loop.recorder);
  },

  /** Calls until `stopLoad()`, with a short pause after each. */
  startLoad(inFlight: number, plan: CallPlan): void {
    load = new ClosedLoop(unary(theClient(), plan), { inFlight, pauseMs: () => PAUSE_MS });
    load.start();
  },

  /** The calls since the load started, or since this was last asked. */
  loadSoFar(): CallsSummary {
    const { recorder } = theLoad();
    const summary = summaryOf(recorder);
    recorder.reset();
    return summary;
  },

  /** Waits for the calls that are under way. */
  async stopLoad(): Promise<CallsSummary> {
    await theLoad().stop();
    return summaryOf(theLoad().recorder);
  },

  probe,
};

export type ClientProgram = typeof methods;

serveRpc(methods);
