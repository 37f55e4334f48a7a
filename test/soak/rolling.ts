/**
 * Three runs counted in calls, not in minutes: 20 pods restarted gracefully, one after the other; the same with pods that at
 * SIGTERM only turn NOT_SERVING, under a client with health checks; then 20 pods killed under a client with a retry policy.
 * No call of the first two may fail, and none of the third that the policy covers.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, status } from '@grpc/grpc-js';
import { createHeadlessClient } from '../../lib/index.js';
import { unary } from '../support/hello-calls.js';
import { HelloClient } from '../support/hello-service.js';
import { ClosedLoop } from '../support/load-generator.js';
import { clockTime, count } from '../support/number-format.js';
import type { ProgressDisplay } from '../support/progress.js';
import { RECOMMENDED_OPTIONS } from '../support/recommended-options.js';
import type { Recorder } from '../support/recorder.js';
import { SoakCluster } from './cluster.js';

const PODS = 20;
const IN_FLIGHT = 64;
const POD_DELAY_MS = 10;
const INTERVAL_MS = 1_000;
/** The default. With health checks DNS need not be quick. */
const HEALTH_INTERVAL_MS = 5_000;
/** A pod that says NOT_SERVING ends when no call has come for so long. A busy machine reads the word late. */
const QUIET_MS = 500;
/** Twice the interval with its jitter: a busy machine is slow. */
const GRACE_MS = 2_500;
/** How long the record of a killed pod stays in DNS. */
const NOTICED_MS = 300;
/** Generous: a busy machine must not look like a lost pod. */
const DEADLINE_MS = 30_000;
/** How long the first calls of the last new pods may take. */
const LAST_PODS_MS = 30_000;

export async function rolling(calls: number, display: ProgressDisplay): Promise<boolean> {
  const restarted = await part('Graceful rolling restart of 20 pods', restartAll, { calls, kind: 'restart' }, display);
  const title = 'Rolling restart of 20 pods that only turn NOT_SERVING, without preStop, at an interval of 5 s';
  const retired = await part(title, retireAll, { calls, kind: 'health' }, display);
  const killed = await part('Hard kill of 20 pods, with a retry policy', killAll, { calls, kind: 'kill' }, display);
  return restarted && retired && killed;
}

/** What a part works with while the calls go on. */
interface Part {
  readonly cluster: SoakCluster;
  /** Resolves when this share of the calls has been made. */
  calls(share: number): Promise<void>;
  background(task: Promise<void>): void;
}

async function restartAll({ cluster, calls, background }: Part): Promise<void> {
  for (let pod = 0; pod < PODS; pod++) {
    await calls((pod + 1) / (PODS + 1));
    await cluster.come(PODS + pod);
    background(cluster.go(pod, GRACE_MS));
  }
}

async function retireAll({ cluster, calls, background }: Part): Promise<void> {
  for (let pod = 0; pod < PODS; pod++) {
    await calls((pod + 1) / (PODS + 1));
    await cluster.come(PODS + pod);
    background(cluster.retire(pod, QUIET_MS));
  }
}

/**
 * The pods of two processes by RST, one by one; those of the two others with their processes, by SIGKILL, five at a
 * time. Half of them hang before that (as when the kernel then kills a process that is out of memory), so that no call on
 * them is answered; the other half die while they answer.
 */
async function killAll({ cluster, calls, background }: Part): Promise<void> {
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
  play: (context: Part) => Promise<void>,
  { calls, kind }: { calls: number; kind: 'restart' | 'health' | 'kill' },
  display: ProgressDisplay,
): Promise<boolean> {
  display.print('', `${title}: at least ${count(calls)} calls, ${IN_FLIGHT} at a time`);
  const kills = kind === 'kill';
  const cluster = await SoakCluster.start({
    processes: kills ? 4 : 2,
    pod: { delayMs: POD_DELAY_MS, health: kind === 'health' ? 'SERVING' : null },
    intervalMs: kind === 'health' ? HEALTH_INTERVAL_MS : INTERVAL_MS,
  });
  try {
    await Promise.all(Array.from({ length: PODS }, (_, pod) => cluster.come(pod)));
    const headless = { ...cluster.headless, health: kind === 'health' };
    const options = { headless, ...(kills ? RECOMMENDED_OPTIONS : {}) };
    const client = createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), options);
    const load = new ClosedLoop(unary(client, { deadlineMs: DEADLINE_MS }), { inFlight: IN_FLIGHT });
    const { recorder } = load;
    const summary = new PartSummary(recorder, kills);
    const startedAt = performance.now();
    const watch = setInterval(() => {
      cluster.dns.queries.length = 0;
      display.update([`${clockTime(performance.now() - startedAt)}  ${count(calls)} wanted, ${summary.text}`]);
    }, 1_000);
    try {
      load.start();
      const tasks: Promise<void>[] = [];
      await play({
        cluster,
        calls: (share) => recorder.until(() => recorder.ended >= calls * share),
        background: (task) => void tasks.push(task),
      });
      await Promise.all(tasks);
      await recorder.until(() => recorder.ended >= calls);
      const allPods = recorder.until(() => recorder.byPod.size >= 2 * PODS);
      await Promise.race([allPods, sleep(LAST_PODS_MS, undefined, { ref: false })]);
      await load.stop();
    } finally {
      clearInterval(watch);
    }
    client.close();
    display.end();
    const tookMs = performance.now() - startedAt;
    const rate = Math.round((recorder.ended / tookMs) * 1_000);
    display.print(`${summary.text}, in ${clockTime(tookMs)}, ${count(rate)} a second`, ...summary.complaints);
    if (recorder.byPod.size < 2 * PODS)
      display.print(`✖ only ${recorder.byPod.size} of ${2 * PODS} pods were ever called`);
    return summary.failed === 0 && recorder.byPod.size === 2 * PODS;
  } finally {
    await cluster.close();
  }
}

/** What came of the calls of a part. */
class PartSummary {
  readonly #recorder: Recorder;
  readonly #failures = new Map<string, number>();
  /** The pod was killed when it had begun to answer: no retry policy applies to such a call (gRFC A6, "committed"). */
  #killedAfterHeaders = 0;

  constructor(recorder: Recorder, kills: boolean) {
    this.#recorder = recorder;
    recorder.subscribe(({ code, details, committed }) => {
      if (code === status.OK) return;
      if (kills && committed && code === status.UNAVAILABLE) {
        this.#killedAfterHeaders += 1;
        return;
      }
      const name = `${status[code]}: ${details}`;
      this.#failures.set(name, (this.#failures.get(name) ?? 0) + 1);
    });
  }

  get failed(): number {
    return [...this.#failures.values()].reduce((sum, times) => sum + times, 0);
  }

  get text(): string {
    const { ended, byPod } = this.#recorder;
    const killed = this.#killedAfterHeaders;
    const half = killed > 0 ? `, ${killed} killed after response headers (gRFC A6: no retry)` : '';
    return `${count(ended)} calls on ${byPod.size} pods: ${this.failed} failed${half}`;
  }

  get complaints(): string[] {
    return [...this.#failures].map(([name, times]) => `✖ ${count(times)} x ${name}`);
  }
}
