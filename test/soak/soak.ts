/** The soak itself: plays the scenario under load, and checks every call and every sample against the rules. */
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, status } from '@grpc/grpc-js';
import {
  createHeadlessClient,
  type HeadlessChannel,
  type HeadlessClient,
  type HeadlessOptions,
} from '../../lib/index.js';
import { EVERY_OPTION } from '../support/every-option.js';
import { seededRandom } from '../support/fake-random.js';
import { HelloClient } from '../support/hello-service.js';
import { clockTime, count, mebibytes } from '../support/number-format.js';
import type { ProgressDisplay } from '../support/progress.js';
import { RECOMMENDED_OPTIONS } from '../support/recommended-options.js';
import type { EndedCall } from '../support/recorder.js';
import { appliedBy, applyRules, type RuleLimits, type SoakCall } from './call-rules.js';
import { ClientLoad } from './client-load.js';
import { SoakCluster } from './cluster.js';
import { type Comparison, compare, type Sample, takeSample } from './resource-samples.js';
import { Rulings } from './rulings.js';
import { drawScenario, type ScenarioEvent } from './scenario.js';
import { Stalls } from './stalls.js';

const PROCESSES = 3;
const INTERVAL_MS = 1_000;
const JITTER = 0.1;
const POD_DELAY_MS = 25;
/** Of each of the two clients. */
const UNARY_CALLS = 20;
const STREAMS = 4;
/** For delays of the machine, beside those of its event loop that were measured. */
const SLACK_MS = 700;
/** Both rounds to the one server, 500 ms each. */
const DNS_TIMEOUT_MS = 1_000;
/** How long a pod serves on after it left DNS: longer than the clients' interval. */
const GRACE_MS = 3_500;
/** What a first connection may take, beside the update. */
const CONNECT_MS = 2_000;
/** After so many calls for each client and pod, a new pod without a call counts as left out. */
const FAIR_ROUNDS = 3;
const WARM_UP_MS = 5_000;
/** Each collects all garbage, which takes a while: not more than are needed for a mean of a tenth. */
const SAMPLES = 40;

interface Newcomer {
  readonly since: number;
  /** The number of calls at which it counts as left out; null until it must be connected. */
  enoughCalls: number | null;
}

export interface SoakSettings {
  readonly seed: number;
  readonly durationMs: number;
  readonly pods: number;
  readonly everything: boolean;
}

/** Longer than any call. */
const DRAIN_TIMEOUT_MS = 90_000;

export async function soak(settings: SoakSettings, display: ProgressDisplay): Promise<boolean> {
  const cluster = await SoakCluster.start({
    processes: PROCESSES,
    pod: { delayMs: POD_DELAY_MS },
    intervalMs: INTERVAL_MS,
  });
  try {
    return await new Soak(settings, display, cluster).run();
  } finally {
    await cluster.close();
  }
}

class Soak {
  readonly #settings: SoakSettings;
  readonly #display: ProgressDisplay;
  readonly #cluster: SoakCluster;
  readonly #rulings = new Rulings();
  readonly #loads: ClientLoad[] = [];
  readonly #clients: HeadlessClient<HelloClient>[] = [];
  readonly #samples: Sample[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #stalls = new Stalls();
  /** Not called yet. */
  readonly #newcomers = new Map<string, Newcomer>();
  #happened = 0;
  #startedAt = 0;

  constructor(settings: SoakSettings, display: ProgressDisplay, cluster: SoakCluster) {
    this.#settings = settings;
    this.#display = display;
    this.#cluster = cluster;
  }

  async run(): Promise<boolean> {
    const { seed, durationMs, pods } = this.#settings;
    const scenario = drawScenario({
      seed,
      durationMs,
      maxPods: pods,
      minPods: Math.ceil(pods * 0.4),
      graceMs: GRACE_MS,
    });
    await Promise.all(Array.from({ length: scenario.pods }, (_, pod) => this.#cluster.come(pod)));
    this.#openClients();
    await Promise.all(this.#channels.map((channel) => channel.ready({ timeoutMs: 30_000 })));
    for (const load of this.#loads) load.start();
    // Code that is compiled once and caches that are filled once are no leak.
    await sleep(WARM_UP_MS);
    this.#stalls.start();
    this.#startedAt = performance.now();
    const watch = setInterval(() => this.#watch(), 1_000);
    const sampling = setInterval(() => this.#sample(), Math.min(10_000, durationMs / SAMPLES));
    try {
      await this.#play(scenario.events);
      await sleep(Math.max(0, durationMs - this.#elapsedMs));
    } finally {
      clearInterval(watch);
      clearInterval(sampling);
    }
    await Promise.all(this.#loads.map((load) => load.stop()));
    await Promise.all(this.#underWay);
    for (const load of this.#loads) for (const sentence of load.lost) this.#rulings.break(sentence);
    for (const client of this.#clients) client.close();
    return this.#conclude();
  }

  #openClients(): void {
    const { target, headless: basic } = this.#cluster;
    const headless: HeadlessOptions = this.#settings.everything
      ? { ...basic, ...EVERY_OPTION, drain: { ...basic.drain, timeoutMs: DRAIN_TIMEOUT_MS } }
      : basic;
    // Two clients with connections of their own: one with the default options, one with the recommended ones.
    for (const recommendedOptions of [false, true]) {
      const options = { headless, ...(recommendedOptions ? RECOMMENDED_OPTIONS : {}) };
      const client = createHeadlessClient(HelloClient, target, credentials.createInsecure(), options);
      const random = seededRandom(this.#settings.seed + Number(recommendedOptions));
      const load = new ClientLoad({ client, random, unaryCalls: UNARY_CALLS, streams: STREAMS });
      load.recorder.subscribe((call) => this.#onCallEnded(call, recommendedOptions));
      this.#clients.push(client);
      this.#loads.push(load);
    }
  }

  get #channels(): HeadlessChannel[] {
    return this.#clients.map((client) => client.getChannel());
  }

  get #elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  get #limits(): RuleLimits {
    const slackMs = SLACK_MS + this.#stalls.recentMs;
    const updateMs = INTERVAL_MS * (1 + JITTER) + slackMs;
    return {
      updateMs,
      updateAfterOutageMs: updateMs + DNS_TIMEOUT_MS,
      disconnectMs: slackMs,
      starved: this.#stalls.starved,
    };
  }

  #onCallEnded({ dueAt: startedAt, pod: answeredBy, peer, ...call }: EndedCall, recommendedOptions: boolean): void {
    const pod = answeredBy ?? peer?.split(':')[0] ?? null;
    if (pod !== null && call.code === status.OK) this.#newcomers.delete(pod);
    const soakCall: SoakCall = { ...call, recommendedOptions, startedAt, pod };
    this.#rulings.add(soakCall, applyRules(soakCall, this.#cluster.history, this.#limits));
    if (call.mismatch !== null) this.#rulings.break(`call ${call.id} (${call.kind}) ${call.mismatch}`);
  }

  async #play(events: readonly ScenarioEvent[]): Promise<void> {
    for (const event of events) {
      await sleep(Math.max(0, event.atMs - this.#elapsedMs));
      const happening = this.#perform(event).catch((error: unknown) =>
        this.#rulings.break(`the scenario itself failed at ${event.kind}: ${error}`),
      );
      this.#underWay.add(happening);
      void happening.then(() => this.#underWay.delete(happening));
    }
  }

  async #perform(event: ScenarioEvent): Promise<void> {
    const cluster = this.#cluster;
    this.#happened += 1;
    switch (event.kind) {
      case 'come':
        await cluster.come(event.pod);
        this.#newcomers.set(cluster.ipOf(event.pod), { since: performance.now(), enoughCalls: null });
        return;
      case 'go':
        this.#newcomers.delete(cluster.ipOf(event.pod));
        return cluster.go(event.pod, GRACE_MS);
      case 'kill':
        await this.#crash(event.pod);
        await sleep(event.noticedMs);
        return cluster.forget(event.pod);
      case 'restart': {
        await this.#crash(event.pod);
        await sleep(Math.min(event.noticedMs, event.downMs));
        if (event.noticedMs < event.downMs) {
          cluster.unpublish(event.pod);
          await sleep(event.downMs - event.noticedMs);
        }
        return cluster.revive(event.pod);
      }
      case 'hang':
        this.#newcomers.delete(cluster.ipOf(event.pod));
        return cluster.hang(event.pod, event.forMs);
      case 'slow':
        return cluster.slow(event.pod, event.forMs, event.delayMs);
      case 'outage':
        return cluster.outage(event.failure, event.forMs);
    }
  }

  #crash(pod: number): Promise<void> {
    this.#newcomers.delete(this.#cluster.ipOf(pod));
    return this.#cluster.kill(pod);
  }

  #watch(): void {
    const now = performance.now();
    const { history, dns } = this.#cluster;
    const limits = this.#limits;
    const { calls } = this.#rulings;
    for (const [ip, newcomer] of this.#newcomers) {
      if (now < appliedBy(newcomer.since, history.outages, limits) + CONNECT_MS) continue;
      newcomer.enoughCalls ??= calls + FAIR_ROUNDS * this.#cluster.size * this.#loads.length;
      if (calls < newcomer.enoughCalls) continue;
      this.#newcomers.delete(ip);
      this.#rulings.break(`the new pod ${ip} got no call within ${Math.round(now - newcomer.since)} ms of its record`);
    }
    history.forget(now);
    dns.queries.length = 0;
    this.#stalls.turn();
    this.#display.update([this.#status()]);
  }

  #sample(): void {
    const endpoints = this.#channels.flatMap((channel) => channel.snapshot().endpoints);
    const connected = endpoints.filter(({ state }) => state === 'ready' || state === 'draining').length;
    this.#samples.push(takeSample(this.#elapsedMs / this.#settings.durationMs, connected));
  }

  #status(): string {
    const { durationMs, seed } = this.#settings;
    const last = this.#samples.at(-1);
    const underWay = this.#loads.reduce((sum, load) => sum + load.recorder.underWay.size, 0);
    const outage = this.#cluster.history.outages.at(-1);
    return [
      `${clockTime(this.#elapsedMs)} of ${clockTime(durationMs)}`,
      `${this.#cluster.size} pods`,
      `dns ${outage && outage.until > performance.now() ? 'down' : 'up'}`,
      `${count(this.#rulings.calls)} calls`,
      `${underWay} under way`,
      `${this.#rulings.failed} failed, explained`,
      `${this.#rulings.broken} unexplained`,
      last ? mebibytes(last.heapBytes) : '',
      `seed ${seed}`,
    ].join('  ');
  }

  #conclude(): boolean {
    const rulings = this.#rulings;
    const comparisons = compare(this.#samples);
    for (const comparison of comparisons.filter(({ flat }) => !flat))
      rulings.break(
        `${NAMES[comparison.measure]} grew from ${show(comparison, 'first')} to ${show(comparison, 'last')}`,
      );
    this.#display.end();
    const ok = [...rulings.ok].map(([kind, times]) => `${count(times)} ${kind}`).join(', ');
    this.#display.print(
      '',
      `${count(rulings.calls)} calls in ${clockTime(this.#elapsedMs)}, ${this.#happened} events; longest stall ${Math.round(this.#stalls.longestMs)} ms`,
      `OK: ${ok}`,
      ...[...rulings.explained].map(([reason, times]) => `explained: ${count(times)} x ${reason}`),
      ...comparisons.map(
        (comparison) =>
          `${NAMES[comparison.measure]}: ${show(comparison, 'first')} in the first tenth, ${show(comparison, 'last')} in the last`,
      ),
      ...rulings.sentences.map((sentence) => `✖ ${sentence}`),
      ...(rulings.broken > rulings.sentences.length ? [`✖ and ${rulings.broken - rulings.sentences.length} more`] : []),
    );
    return rulings.broken === 0;
  }
}

const NAMES = { heapBytes: 'heap', rssBytes: 'rss', handles: 'handles', sockets: 'sockets beyond pods' } as const;

function show(comparison: Comparison, tenth: 'first' | 'last'): string {
  const value = comparison[tenth];
  return comparison.measure.endsWith('Bytes') ? mebibytes(value) : value.toFixed(1);
}
