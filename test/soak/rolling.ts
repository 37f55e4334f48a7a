/**
 * Two runs counted in calls, not in minutes: 20 pods restarted gracefully, one after the other, then 20 pods killed
 * under a client with a retry policy. No call of the first may fail, and none of the second that the policy covers.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { createHeadlessClient } from '../../lib/index.js';
import { HelloClient } from '../support/hello-service.js';
import { RECOMMENDED_OPTIONS } from '../support/recommended-options.js';
import { SoakCluster } from './cluster.js';
import { clock, count, type Screen } from './screen.js';

const PODS = 20;
const WORKERS = 64;
const POD_DELAY_MS = 10;
const INTERVAL_MS = 1_000;
/** The interval with its jitter, twice over: for the machine. */
const GRACE_MS = 2_500;
/** DNS names a killed pod so long yet. */
const NOTICED_MS = 300;
/** Generous: a busy machine must not look like a lost pod. */
const DEADLINE_MS = 30_000;
/** The last newcomers are waited for so long. */
const WELCOME_MS = 30_000;

export async function rolling(calls: number, screen: Screen): Promise<boolean> {
  const restarted = await part('Graceful rolling restart of 20 pods', restartAll, { calls, kills: false }, screen);
  const killed = await part('Hard kill of 20 pods, with a retry policy', killAll, { calls, kills: true }, screen);
  return restarted && killed;
}

/** What a part may do while the calls go on. */
interface Stage {
  readonly cluster: SoakCluster;
  /** Resolves when this share of the calls has been made. */
  calls(share: number): Promise<void>;
  background(task: Promise<void>): void;
}

async function restartAll({ cluster, calls, background }: Stage): Promise<void> {
  for (let pod = 0; pod < PODS; pod++) {
    await calls((pod + 1) / (PODS + 1));
    await cluster.come(PODS + pod);
    background(cluster.go(pod, GRACE_MS));
  }
}

/**
 * The pods of two processes by RST, one by one; those of the two others with their processes, by SIGKILL, five at a
 * time. Half of them seize up before (as before the kernel kills for want of memory), so that all calls on them are
 * unanswered; the other half die in the middle of everything, some with half an answer out.
 */
async function killAll({ cluster, calls, background }: Stage): Promise<void> {
  const oneByOne = Array.from({ length: PODS }, (_, pod) => pod).filter((pod) => pod % 4 < 2);
  const steps = oneByOne.length + 3;
  let newcomer = PODS;
  for (const [index, pod] of oneByOne.entries()) {
    await calls((index + 1) / steps);
    if (pod % 4 === 0) await cluster.seize(pod, 10 * POD_DELAY_MS);
    await cluster.kill(pod);
    background(sleep(NOTICED_MS).then(() => cluster.forget(pod)));
    await cluster.come(newcomer++, pod % 4);
  }
  for (const home of [2, 3]) {
    await calls((steps - 4 + home) / steps);
    const pods = cluster.podsOf(home);
    if (home === 2) await Promise.all(pods.map((pod) => cluster.seize(pod, 10 * POD_DELAY_MS)));
    await cluster.killProcess(home);
    await sleep(NOTICED_MS);
    for (const pod of pods) cluster.forget(pod);
    await cluster.replaceProcess(home);
    for (const _ of pods) await cluster.come(newcomer++, home);
  }
}

async function part(
  title: string,
  play: (stage: Stage) => Promise<void>,
  { calls, kills }: { calls: number; kills: boolean },
  screen: Screen,
): Promise<boolean> {
  screen.print('', `${title}: at least ${count(calls)} calls, ${WORKERS} at a time`);
  const cluster = await SoakCluster.start({
    processes: kills ? 4 : 2,
    pod: { delayMs: POD_DELAY_MS },
    intervalMs: INTERVAL_MS,
  });
  try {
    await Promise.all(Array.from({ length: PODS }, (_, pod) => cluster.come(pod)));
    const options = { headless: cluster.headless, ...(kills ? RECOMMENDED_OPTIONS : {}) };
    const client = createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), options);
    const crowd = new Crowd(client, kills);
    const startedAt = performance.now();
    const watch = setInterval(() => {
      cluster.dns.queries.length = 0;
      screen.progress(`${clock(performance.now() - startedAt)}  ${count(calls)} wanted, ${crowd.summary()}`);
    }, 1_000);
    try {
      crowd.start();
      const tasks: Promise<void>[] = [];
      await play({
        cluster,
        calls: (share) => crowd.made(calls * share),
        background: (task) => void tasks.push(task),
      });
      await Promise.all(tasks);
      await crowd.made(calls);
      await crowd.met(2 * PODS, WELCOME_MS);
      await crowd.stop();
    } finally {
      clearInterval(watch);
    }
    client.close();
    screen.end();
    const tookMs = performance.now() - startedAt;
    const rate = Math.round((crowd.calls / tookMs) * 1_000);
    screen.print(`${crowd.summary()}, in ${clock(tookMs)}, ${count(rate)} a second`, ...crowd.complaints());
    if (crowd.pods < 2 * PODS) screen.print(`✖ only ${crowd.pods} of ${2 * PODS} pods were ever called`);
    return crowd.failed === 0 && crowd.pods === 2 * PODS;
  } finally {
    await cluster.close();
  }
}

/** Workers that make one call each at a time, and what came of the calls. */
class Crowd {
  readonly #client: HelloClient;
  readonly #kills: boolean;
  readonly #pods = new Set<string>();
  readonly #failures = new Map<string, number>();
  #answered = 0;
  /** The pod was killed when it had begun to answer: no policy may try such a call again (gRFC A6, "committed"). */
  #halfAnswered = 0;
  #stopping = false;
  #workers: Promise<unknown> = Promise.resolve();

  constructor(client: HelloClient, kills: boolean) {
    this.#client = client;
    this.#kills = kills;
  }

  get failed(): number {
    return [...this.#failures.values()].reduce((sum, times) => sum + times, 0);
  }

  get calls(): number {
    return this.#answered + this.#halfAnswered + this.failed;
  }

  /** That answered a call. */
  get pods(): number {
    return this.#pods.size;
  }

  start(): void {
    this.#workers = Promise.all(
      Array.from({ length: WORKERS }, async () => {
        while (!this.#stopping) await this.#call();
      }),
    );
  }

  async made(calls: number): Promise<void> {
    while (this.calls < calls) await sleep(5);
  }

  /** Resolves when so many pods have answered, or after `timeoutMs`. */
  async met(pods: number, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.pods < pods && performance.now() < deadline) await sleep(5);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#workers;
  }

  summary(): string {
    const half = this.#halfAnswered > 0 ? `, ${this.#halfAnswered} killed in mid-answer (gRFC A6: no retry)` : '';
    return `${count(this.calls)} calls on ${this.pods} pods: ${this.failed} failed${half}`;
  }

  complaints(): string[] {
    return [...this.#failures].map(([name, times]) => `✖ ${count(times)} x ${name}`);
  }

  #call(): Promise<void> {
    return new Promise((resolve) => {
      let begun = false;
      const options = { deadline: Date.now() + DEADLINE_MS };
      const call = this.#client.Hi({ to_who: 'pod', message: 'hi' }, new Metadata(), options, (error, response) => {
        if (response) {
          this.#answered += 1;
          this.#pods.add(response.from_who);
        } else this.#fail(error as ServiceError, begun);
        resolve();
      });
      call.on('metadata', () => {
        begun = true;
      });
    });
  }

  #fail({ code, details }: ServiceError, begun: boolean): void {
    if (this.#kills && begun && code === status.UNAVAILABLE) {
      this.#halfAnswered += 1;
      return;
    }
    const name = `${status[code]}: ${details}`;
    this.#failures.set(name, (this.#failures.get(name) ?? 0) + 1);
  }
}
