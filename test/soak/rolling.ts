/**
 * Two runs counted in calls, not in minutes: 20 pods restarted gracefully, one after the other, then 20 pods killed
 * under clients with a retry policy. No call of either may fail.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { createHeadlessClient } from '../../lib/index.js';
import { HelloClient, sayHi } from '../helpers/hello-service.js';
import { Fleet } from './fleet.js';
import { clock, count, type Screen } from './screen.js';
import { ADVISED } from './soak.js';

const PODS = 20;
const WORKERS = 64;
const INTERVAL_MS = 1_000;
/** The interval with its jitter, twice over: for the machine. */
const GRACE_MS = 2_500;
/** DNS names a killed pod so long yet. */
const NOTICED_MS = 300;
/** Generous: a busy machine must not look like a lost pod. */
const DEADLINE_MS = 30_000;

export async function rolling(calls: number, screen: Screen): Promise<boolean> {
  const restarted = true || await part('graceful rolling restart of 20 pods', calls, screen, { processes: 2 }, async (run) => {
    for (let pod = 0; pod < PODS; pod++) {
      await run.calls((pod + 1) / (PODS + 1));
      await run.fleet.come(PODS + pod);
      run.background(run.fleet.go(pod, GRACE_MS));
    }
  });
  const killed = await part(
    'hard kill of 20 pods, with a retry policy',
    calls,
    screen,
    { processes: 4, retries: true },
    killAll,
  );
  return restarted && killed;
}

/** Half of them by RST, one by one, and the others with their processes, by SIGKILL, five at a time. */
async function killAll({ fleet, calls, background }: Run): Promise<void> {
  let next = PODS;
  const steps = PODS / 2 + 2;
  const oneByOne = Array.from({ length: PODS }, (_, pod) => pod).filter((pod) => pod % 4 < 2);
  for (const [index, pod] of oneByOne.entries()) {
    await calls((index + 1) / (steps + 1));
    await fleet.kill(pod);
    background(sleep(NOTICED_MS).then(() => fleet.forget(pod)));
    await fleet.come(next++, pod % 4);
  }
  for (const home of [2, 3]) {
    await calls((steps - 3 + home) / (steps + 1));
    const victims = await fleet.killProcess(home);
    await sleep(NOTICED_MS);
    for (const pod of victims) fleet.forget(pod);
    await fleet.replaceProcess(home);
    for (const _ of victims) await fleet.come(next++, home);
  }
}

interface Run {
  readonly fleet: Fleet;
  /** Resolves when this share of the calls has been made. */
  calls(share: number): Promise<void>;
  background(task: Promise<void>): void;
}

async function part(
  title: string,
  wanted: number,
  screen: Screen,
  { processes, retries = false }: { processes: number; retries?: boolean },
  play: (run: Run) => Promise<void>,
): Promise<boolean> {
  screen.print(`${title}: at least ${count(wanted)} calls, ${WORKERS} at a time`);
  const fleet = await Fleet.start({ processes, pod: {}, intervalMs: INTERVAL_MS });
  const failures = new Map<string, number>();
  let answered = 0;
  let failed = 0;
  const pods = new Set<string>();
  try {
    await Promise.all(Array.from({ length: PODS }, (_, pod) => fleet.come(pod)));
    const options = { headless: fleet.headless, ...(retries ? ADVISED : {}) };
    const client = createHeadlessClient(HelloClient, fleet.target, credentials.createInsecure(), options);
    const startedAt = performance.now();
    let playing = true;
    const work = async (): Promise<void> => {
      // The calls go on for as long as there is something to fail on, and until the last newcomer had its share.
      while (playing || answered + failed < wanted) {
        try {
          const { from_who } = await new Promise<any>((res, rej) => { let md: any = null; const t0 = performance.now(); const c = client.Hi({to_who:'a',message:'hi'}, new Metadata(), { deadline: Date.now() + DEADLINE_MS }, (e, r) => e ? rej(Object.assign(e, { md, peer: c.getPeer(), took: performance.now() - t0 })) : res(r)); c.on('metadata', (m) => { md = m.getMap(); }); });
          answered += 1;
          pods.add(from_who);
        } catch (error) {
          const { code, details } = error as ServiceError;
          const name = `${status[code]}: ${details}`; const ee = error as any; console.log(name, JSON.stringify(ee.md), ee.peer, Math.round(ee.took), JSON.stringify(ee.metadata.getMap()));
          failures.set(name, (failures.get(name) ?? 0) + 1);
          failed += 1;
        }
      }
    };
    const line = (): string =>
      `${clock(performance.now() - startedAt)}  ${count(answered + failed)} of ${count(wanted)} calls  ` +
      `${pods.size} pods called  ${failed} failed`;
    const workers = Promise.all(Array.from({ length: WORKERS }, work));
    const watch = setInterval(() => {
      fleet.dns.queries.length = 0;
      screen.progress(line());
    }, 1_000);
    try {
      const tasks: Promise<void>[] = [];
      const run: Run = {
        fleet,
        calls: async (share) => {
          while (answered + failed < wanted * share) await sleep(5);
        },
        background: (task) => void tasks.push(task),
      };
      await play(run);
      await Promise.all(tasks);
      await run.calls(1);
      const enoughForAll = answered + failed + 4 * PODS;
      while (pods.size < 2 * PODS && answered + failed < enoughForAll) await sleep(5);
      playing = false;
      await workers;
    } finally {
      playing = false;
      clearInterval(watch);
    }
    screen.end();
    const tookMs = performance.now() - startedAt;
    const rate = Math.round(((answered + failed) / tookMs) * 1_000);
    screen.print(
      `${count(answered + failed)} calls in ${clock(tookMs)} (${count(rate)} a second) on ${pods.size} pods: ${failed} failed`,
      ...[...failures].map(([name, times]) => `✖ ${count(times)} x ${name}`),
    );
    client.close();
    const enough = pods.size === 2 * PODS;
    if (!enough) screen.print(`✖ only ${pods.size} of ${2 * PODS} pods were ever called`);
    return failed === 0 && enough;
  } finally {
    await fleet.close();
  }
}
