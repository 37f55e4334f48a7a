/** The program in the restricted pod: a client of this package, and the calls that a test wants of it. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, Metadata, status } from '@grpc/grpc-js';
import { createHeadlessClient, type HeadlessChannel, type HeadlessClientOptions } from '../../../lib/index.js';
import { HelloClient, sayHi } from '../../support/hello-service.js';
import { serveRpc } from '../../support/rpc.js';

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

/** What calls came to. */
export interface Tally {
  /** Answers by pod. */
  answers: Map<string, number>;
  /** `"UNAVAILABLE: …"`, of each call that failed. */
  failures: string[];
  slowestMs: number;
}

let client: HelloClient | undefined;
let load: { readonly tally: Tally; ending: boolean; readonly done: Promise<unknown> } | undefined;

function theClient(): HelloClient {
  if (client === undefined) throw new Error('no client was made');
  return client;
}

function theChannel(): HeadlessChannel {
  return theClient().getChannel() as HeadlessChannel;
}

function newTally(): Tally {
  return { answers: new Map(), failures: [], slowestMs: 0 };
}

async function callOnce(tally: Tally, { deadlineMs, waitForReady = false }: CallPlan): Promise<void> {
  const begin = performance.now();
  const metadata = new Metadata({ waitForReady });
  try {
    const { from_who } = await sayHi(theClient(), { metadata, deadline: Date.now() + deadlineMs });
    tally.answers.set(from_who, (tally.answers.get(from_who) ?? 0) + 1);
  } catch (error) {
    const { code, details } = error as { code: status; details: string };
    tally.failures.push(`${status[code]}: ${details}`);
  }
  tally.slowestMs = Math.max(tally.slowestMs, Math.round(performance.now() - begin));
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
  async calls(count: number, plan: CallPlan): Promise<Tally> {
    const tally = newTally();
    let left = count;
    const worker = async (): Promise<void> => {
      while (left-- > 0) await callOnce(tally, plan);
    };
    await Promise.all(Array.from({ length: Math.min(10, count) }, worker));
    return tally;
  },

  /** Calls without end: each worker makes one after the other, with a breath between them. */
  startLoad(workers: number, plan: CallPlan): void {
    const state = { tally: newTally(), ending: false };
    const worker = async (): Promise<void> => {
      while (!state.ending) {
        await callOnce(state.tally, plan);
        await sleep(10);
      }
    };
    load = Object.assign(state, { done: Promise.all(Array.from({ length: workers }, worker)) });
  },

  /** What the load came to since it started, or since this was last asked. */
  loadSoFar(): Tally {
    if (load === undefined) throw new Error('no load runs');
    const copy = { ...load.tally };
    Object.assign(load.tally, newTally());
    return copy;
  },

  /** Waits for the calls that are under way. */
  async stopLoad(): Promise<Tally> {
    if (load === undefined) throw new Error('no load runs');
    load.ending = true;
    await load.done;
    return load.tally;
  },

  /** What a plain TCP connection comes to: `"connected"`, `"timeout"`, or an errno. */
  probe(host: string, port: number, timeoutMs: number): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect({ host, port, timeout: timeoutMs });
      const end = (outcome: string): void => {
        socket.destroy();
        resolve(outcome);
      };
      socket.on('connect', () => end('connected'));
      socket.on('timeout', () => end('timeout'));
      socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    });
  },
};

export type ClientProgram = typeof methods;

serveRpc(methods);
