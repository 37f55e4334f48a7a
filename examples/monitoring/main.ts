/**
 * Something to watch: a Service whose pods come, go and fail, a client that calls it, and the page with its metrics.
 *
 *     npm run monitoring                 until Ctrl+C, on http://127.0.0.1:9464/metrics
 *     npm run monitoring -- --port 9000
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { credentials, status } from '@grpc/grpc-js';
import { createHeadlessClient } from '../../lib/index.js';
import { Cluster } from '../../test/support/cluster.js';
import { HelloClient, sayHi } from '../../test/support/hello-service.js';
import { PodsInProcess } from '../../test/support/pods-in-process.js';
import { serveMetrics } from './exporter.js';

const CALL_EVERY_MS = 10;
const CHANGE_EVERY_MS = 20_000;
const MOST_PODS = 6;

const { values } = parseArgs({ options: { port: { type: 'string', default: '9464' } } });

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: stop.signal }).catch(() => {});

const page = await serveMetrics({ host: '127.0.0.1', port: Number(values.port), addresses: true });
const cluster = new Cluster(await PodsInProcess.create({ suite: 'demo' }), {
  name: 'hello.shop.svc.cluster.local',
  pod: { health: 'SERVING' },
});
await cluster.scaleUp(3);
const client = createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), {
  headless: { dns: { servers: [cluster.dns.address] }, outlier: true, health: true },
});
console.log(`metrics on ${page.url}`);

/** One after the other, for ever. */
const changes: readonly [what: string, make: () => unknown][] = [
  ['a pod is added', () => (cluster.pods.length < MOST_PODS ? cluster.scaleUp(1) : undefined)],
  ['a pod fails its calls', () => cluster.pods[0]?.behave({ failWith: status.INTERNAL })],
  ['no pod fails its calls', () => cluster.pods[0]?.behave({ failWith: null })],
  ['a pod says that it is not serving', () => cluster.pods[0]?.behave({ health: 'NOT_SERVING' })],
  ['every pod says that it is serving', serveAll],
  ['the DNS server fails', () => cluster.dns.fail('*', 'SERVFAIL')],
  ['the DNS server answers again', () => cluster.dns.heal()],
  ['the oldest pod is removed', () => cluster.pods[0] && cluster.unpublish(cluster.pods[0])],
];

async function serveAll(): Promise<void> {
  for (const pod of cluster.pods) await pod.behave({ health: 'SERVING' });
}

async function makeCalls(): Promise<void> {
  while (!stop.signal.aborted) {
    await sayHi(client).catch(() => {});
    await pause(CALL_EVERY_MS);
  }
}

async function makeChanges(): Promise<void> {
  for (let turn = 0; !stop.signal.aborted; turn++) {
    await pause(CHANGE_EVERY_MS);
    const [what, make] = changes[turn % changes.length] as (typeof changes)[number];
    if (stop.signal.aborted) return;
    await make();
    console.log(what);
  }
}

await Promise.all([makeCalls(), makeChanges()]);
client.close();
await page.close();
await cluster.close();
