/** One simulation: so many clients of one kind, through one scenario. */
import type { Random } from '../../lib/runtime.js';
import { mean } from '../harness/statistics.js';
import { createClient, type SimulatedClient } from './clients.js';
import { DnsService } from './dns-service.js';
import { EventClock } from './event-clock.js';
import type { FleetPlan } from './grid.js';
import { type ClientNews, FleetNews, type NewsSummary } from './news.js';
import { QueryRate } from './query-rate.js';
import { scenarioOf } from './scenarios.js';

export interface FleetFigures {
  /** Queries a second that were sent to DNS, with each attempt and transport counted, while nothing happened. */
  readonly calmMean: number;
  readonly calmWorst: number;
  /** From the event on. */
  readonly worst: number;
  /** From the event on, of the seconds in which DNS answered; as `worst` where there was no outage. */
  readonly worstAnswered: number;
  /** After everything was over, the bursts too: higher than `calmWorst` where clients now ask in step. */
  readonly settledWorst: number;
  /** From the end of an outage until the last client has an answer, null where one has none. Missing without an outage. */
  readonly lastBackMs?: number | null;
  /** Missing where no pod changes. */
  readonly news?: NewsSummary;
  /** Queries of each second, from 10 s before the event on. */
  readonly queriesPerSecond: readonly number[];
}

/** grpc-js's connection backoff. */
const RECONNECT_MS = 1_000;
const RECONNECT_FACTOR = 1.6;
const RECONNECT_JITTER = 0.2;
const LEAD_MS = 10_000;

export async function simulateFleet(plan: FleetPlan, random: Random): Promise<FleetFigures> {
  const clock = new EventClock();
  const sent = new QueryRate();
  const scenario = scenarioOf(plan.scenario, plan.pods, plan.cacheTtl);
  const { history, outage, losses, endMs, eventMs, settledMs, calm } = scenario;
  const { replicas, cacheTtl } = plan;
  const dnsPlan = { replicas, cacheTtl, lagMs: scenario.lagMs, loss: scenario.loss };
  const service = new DnsService(history, dnsPlan, clock, random, sent);
  const news = new FleetNews(history);
  const context = { clock, random, exchange: service.exchange };
  for (let index = 0; index < plan.clients; index++) {
    const own = news.client();
    const client = createClient(plan.kind, context, own);
    clock.setTimer(random() * scenario.spreadMs, () => client.start());
    for (const { atMs, version } of losses)
      clock.setTimer(atMs, () => reconnect(clock, random, client, own, version, RECONNECT_MS));
  }
  if (outage !== null) {
    clock.setTimer(outage.fromMs, () => service.fail(outage.kind));
    clock.setTimer(outage.toMs, () => {
      service.restart();
      for (const client of news.clients) client.awaitAnswer();
    });
  }
  await clock.run(endMs);
  const rates = sent.between(eventMs, endMs);
  const answered = outage === null ? rates : sent.between(outage.toMs, endMs);
  const summary = news.summarise();
  return {
    calmMean: mean(sent.between(...calm)),
    calmWorst: Math.max(...sent.between(...calm)),
    worst: Math.max(...rates),
    worstAnswered: Math.max(...answered),
    settledWorst: Math.max(...sent.between(settledMs, endMs)),
    ...(outage === null ? {} : { lastBackMs: news.lastAnswerAfter(outage.toMs) }),
    ...(summary === null ? {} : { news: summary }),
    queriesPerSecond: sent.between(Math.max(0, eventMs - LEAD_MS), endMs),
  };
}

/** The pod is gone: each attempt to connect again fails and asks for a re-resolution, until the client drops the pod. */
function reconnect(
  clock: EventClock,
  random: Random,
  client: SimulatedClient,
  news: ClientNews,
  version: number,
  waitMs: number,
): void {
  if (news.oldest >= version) return;
  client.connectionLost();
  const jitter = 1 + RECONNECT_JITTER * (2 * random() - 1);
  clock.setTimer(waitMs * jitter, () => reconnect(clock, random, client, news, version, waitMs * RECONNECT_FACTOR));
}
