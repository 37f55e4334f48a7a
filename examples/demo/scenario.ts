/** What happens to the cluster, step by step, and what each step shows. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientLoad } from './client-load.js';
import type { DemoCluster, PodRecord } from './cluster.js';
import type { View } from './screen.js';
import type { Experiment, ShareOfCalls } from './summary.js';

export interface Step {
  readonly title: string;
  readonly explanation: string;
  run(cluster: DemoCluster): Promise<void>;
}

/** Records what the summary needs, at the moments when it happens. */
export class ExperimentRecorder implements View, Experiment {
  readonly startedAt = performance.now();
  readonly pods: readonly PodRecord[];
  readonly loads: readonly ClientLoad[];
  readonly dnsDown = { from: Number.POSITIVE_INFINITY, until: Number.POSITIVE_INFINITY };
  readonly scaleUp = { pods: [] as readonly string[], podsInAll: 0, calls: new Map<ClientLoad, ShareOfCalls>() };
  readonly #startedBefore = new Map<ClientLoad, number>();

  constructor(cluster: DemoCluster, loads: readonly ClientLoad[]) {
    this.pods = cluster.pods;
    this.loads = loads;
  }

  scaledUp(pods: readonly PodRecord[]): void {
    this.scaleUp.pods = pods.map((pod) => pod.name);
    this.scaleUp.podsInAll = this.pods.filter((pod) => pod.leftDnsAt === undefined).length;
    for (const load of this.loads) this.#startedBefore.set(load, load.recorder.started);
  }

  scaleUpIsOver(): void {
    for (const load of this.loads)
      this.scaleUp.calls.set(load, {
        all: load.recorder.started - (this.#startedBefore.get(load) ?? 0),
        toNewPods: load.answeredBy(this.scaleUp.pods),
      });
  }

  dnsFailed(): void {
    this.dnsDown.from = performance.now();
  }

  dnsReturned(): void {
    this.dnsDown.until = performance.now();
  }
}

/** Processes beyond the first five: two for step 4's scale-up, three replacements, one at the end. */
const LATER_PROCESSES = 6;
export const FIRST_PROCESSES = 5;
export const MAX_PODS = FIRST_PROCESSES + LATER_PROCESSES;

export function scenario(recorder: ExperimentRecorder): readonly Step[] {
  return [
    {
      title: 'Two pods',
      explanation:
        'Both clients resolve the name once and share their calls between the two pods. So far, no difference.',
      async run() {
        await sleep(4_000);
      },
    },
    {
      title: 'Scale up from 2 to 5',
      explanation:
        'Three pods become ready and enter DNS. No connection breaks, and a broken connection is all that makes grpc-js ' +
        'ask DNS again: the new pods stand idle. grpc-headless asks every second.',
      async run(cluster) {
        recorder.scaledUp(await cluster.scaleUp(3));
        await sleep(8_000);
        recorder.scaleUpIsOver();
        // For the steps to come, while no step waits for them.
        void cluster.prepare(LATER_PROCESSES, 'one by one').catch(() => {});
      },
    },
    {
      title: 'Scale down from 5 to 1',
      explanation:
        'Four pods get SIGTERM and leave DNS at once, but serve on for 2.5 s before they close their connections. ' +
        'That time is for clients to turn away; grpc-js cannot know, grpc-headless can.',
      async run(cluster) {
        cluster.scaleDown(4);
        await sleep(4_500);
        await cluster.settled();
      },
    },
    {
      title: 'Back to 3, then replace all three',
      explanation:
        'A rolling update: each new pod is ready and in DNS before an old one is told to go. No call should fail, ' +
        'and no pod should carry what three are there for.',
      async run(cluster) {
        await cluster.scaleUp(2);
        await sleep(3_000);
        for (let replaced = 0; replaced < 3; replaced++) {
          await cluster.scaleUp(1);
          await sleep(1_500);
          cluster.scaleDown(1, 'oldest');
          await sleep(700);
        }
        await cluster.settled();
        await sleep(500);
      },
    },
    {
      title: 'DNS fails, then falls silent, then returns',
      explanation:
        'First every answer is SERVFAIL, then none comes at all. A client that empties its list of pods now has an ' +
        'outage of its own making. When DNS is back, a fourth pod is in it.',
      async run(cluster) {
        recorder.dnsFailed();
        cluster.dns.fail('*', 'SERVFAIL');
        cluster.onEvent('DNS answers SERVFAIL');
        await sleep(3_000);
        cluster.dns.fail('*', 'timeout');
        cluster.onEvent('DNS is silent');
        await sleep(3_500);
        cluster.dns.heal();
        cluster.onEvent('DNS is back');
        recorder.dnsReturned();
        await cluster.scaleUp(1);
        await sleep(3_500);
      },
    },
  ];
}
