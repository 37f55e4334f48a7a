/**
 * The whole example on one machine, in some 15 seconds: `npm run hello`.
 *
 * Starts a DNS server, two pods and the gateway, each in a process of its own, sends HTTP requests to the gateway, scales the
 * Service from 2 to 5 pods and back to 1, and counts which pods answer. Exits 1 where a pod was not called, or a request
 * failed. Nothing leaves 127.0.0.0/8.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DnsServer } from '../../test/support/dns-server.js';
import { claimLoopback } from '../../test/support/loopback.js';
import { freePort } from '../../test/support/pod.js';
import { Program } from './program.js';

const SERVICE = 'hello.shop.svc.cluster.local';
const REFRESH_MS = 500;
const REQUESTS = 100;
/** Far more than a refresh and a connection take. */
const FOUND_WITHIN_MS = 5_000;
const MOST_PODS = 5;

interface Pod {
  readonly ip: string;
  /** Its random id. */
  readonly id: string;
  readonly program: Program;
}

// Ends through `exit`, which takes the programs along.
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const closers: (() => Promise<unknown>)[] = [];
const range = await claimLoopback('demo', MOST_PODS);
closers.push(() => range.release());
const dns = await DnsServer.start({ shuffle: true });
closers.push(() => dns.close());
const port = await freePort([range.ip(0)]);
const pods: Pod[] = [];

async function startPod(index: number): Promise<Pod> {
  const ip = range.ip(index);
  const program = await Program.start('server.ts', {
    HOST: ip,
    PORT: `${port}`,
    LAME_DUCK_MS: `${3 * REFRESH_MS}`,
  });
  return { ip, program, id: /pod (\w+)/.exec(program.greeting)?.[1] ?? '' };
}

async function scaleTo(count: number): Promise<void> {
  const leavers = pods.splice(count);
  const added = Array.from({ length: count - pods.length }, (_, index) => startPod(pods.length + index));
  pods.push(...(await Promise.all(added)));
  dns.set(
    SERVICE,
    pods.map(({ ip }) => ip),
    { ttl: 5 },
  );
  console.log(`\n${count} ${count === 1 ? 'pod' : 'pods'}: ${pods.map(({ id }) => id).join(', ')}`);
  await Promise.all(leavers.map(({ program }) => program.stop()));
}

async function ask(url: string): Promise<string> {
  const response = await fetch(url);
  const answer = (await response.json()) as { fromWho?: string };
  if (!response.ok || answer.fromWho === undefined)
    throw new Error(`${url} was answered ${response.status}: ${JSON.stringify(answer)}`);
  return answer.fromWho;
}

/** Asks until each pod has answered and no other does, and then counts. */
async function showSpread(url: string): Promise<void> {
  const wanted = new Set(pods.map(({ id }) => id));
  const deadline = performance.now() + FOUND_WITHIN_MS;
  const answered = new Set<string>();
  while (answered.size < wanted.size && performance.now() < deadline) {
    answered.add(await ask(url));
    for (const id of answered) if (!wanted.has(id)) answered.delete(id);
    await sleep(10);
  }
  const counts = new Map<string, number>();
  for (let request = 0; request < REQUESTS; request++) {
    const id = await ask(url);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const shares = [...counts].map(([id, count]) => `${id} ${count}`);
  console.log(`${REQUESTS} requests were answered by: ${shares.join(', ')}`);
  const missing = [...wanted].filter((id) => !counts.has(id));
  if (missing.length > 0) throw new Error(`not called: ${missing.join(', ')}`);
  const gone = [...counts.keys()].filter((id) => !wanted.has(id));
  if (gone.length > 0) throw new Error(`called after they had gone: ${gone.join(', ')}`);
}

try {
  console.log('Starting a DNS server, two pods and the gateway ...');
  await scaleTo(2);
  const gateway = await Program.start('gateway.ts', {
    HELLO_TARGET: `${SERVICE}.:${port}`,
    HELLO_DNS: dns.address,
    HELLO_REFRESH_MS: `${REFRESH_MS}`,
    HOST: '127.0.0.1',
    PORT: '0',
  });
  closers.unshift(() => gateway.stop());
  const base = /http:\S+/.exec(gateway.greeting)?.[0] ?? '';
  const words = `${base}/v1/hi/ann/words?message=one+two+three`;
  console.log(`${gateway.greeting}\n\n  curl ${base}/v1/hi/ann\n  curl -N '${words}'\n`);
  console.log(`GET /v1/hi/ann: ${await (await fetch(`${base}/v1/hi/ann`)).text()}`);
  console.log(`GET /v1/hi/ann/words: ${(await (await fetch(words)).text()).trimEnd().replaceAll('\n', ', ')}`);
  await showSpread(`${base}/v1/hi/ann`);
  for (const count of [5, 1]) {
    await scaleTo(count);
    await showSpread(`${base}/v1/hi/ann`);
  }
  console.log(
    '\nEvery pod was called within moments of its start, no request failed, and no pod was called after it had gone.',
  );
} catch (error) {
  process.exitCode = 1;
  console.error(`\n${(error as Error).message}`);
} finally {
  await Promise.all(pods.map(({ program }) => program.stop()));
  for (const close of closers) await close();
}
