/**
 * Queries while servers close their connections: each lost connection asks DNS again, and finds nothing new. Beside it,
 * at the same time, a client of a Service whose pods keep their connections.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { HeadlessChannel } from '../../lib/index.js';
import { Cluster } from '../../test/support/cluster.js';
import { SharedProcesses } from '../../test/support/pods-in-processes.js';

export interface ClosingPlan {
  readonly pods: number;
  readonly closeAfterMs: number;
}

export interface Closing extends ClosingPlan {
  /** Connections that the pods accepted a minute, all pods together. */
  readonly connectionsPerMinute: number;
  readonly queriesPerMinute: number;
  /** Of the client whose pods keep their connections. */
  readonly plainQueriesPerMinute: number;
}

/** Clients ask in their default settings. The name is answered without a cache. */
export async function watchClosing({ pods, closeAfterMs }: ClosingPlan, ms: number): Promise<Closing> {
  const services = [
    await serve(pods, { 'grpc.max_connection_age_ms': closeAfterMs, 'grpc.max_connection_age_grace_ms': 1_000 }),
    await serve(pods, {}),
  ] as const;
  const clients = services.map(
    ({ target, dns }) =>
      new HeadlessChannel(target, credentials.createInsecure(), { headless: { dns: { servers: [dns.address] } } }),
  );
  try {
    await Promise.all(clients.map((client) => client.ready({ timeoutMs: 30_000 })));
    // The first requests are not in vain: the backoff has its full length after them.
    await sleep(closeAfterMs + SETTLE_MS);
    const queries = (): number[] => clients.map((client) => client.snapshot().counters.queries);
    const before = { queries: queries(), accepted: await accepted(services[0]) };
    const startedAt = performance.now();
    await sleep(ms);
    const after = { queries: queries(), accepted: await accepted(services[0]) };
    const minutes = (performance.now() - startedAt) / 60_000;
    const [closing = 0, plain = 0] = after.queries.map((count, index) => count - (before.queries[index] ?? 0));
    return {
      pods,
      closeAfterMs,
      connectionsPerMinute: (after.accepted - before.accepted) / minutes,
      queriesPerMinute: closing / minutes,
      plainQueriesPerMinute: plain / minutes,
    };
  } finally {
    for (const client of clients) client.close();
    await Promise.all(services.map((service) => service.close()));
  }
}

export const SETTLE_MS = 15_000;

async function serve(pods: number, server: Readonly<Record<string, number>>) {
  const cluster = new Cluster(await SharedProcesses.create({ suite: 'bench', processes: 1 }), { pod: { server } });
  await cluster.scaleUp(pods);
  return cluster;
}

async function accepted(service: Awaited<ReturnType<typeof serve>>): Promise<number> {
  const stats = await Promise.all(service.pods.map((pod) => pod.stats()));
  return stats.reduce((sum, pod) => sum + pod.accepted, 0);
}
