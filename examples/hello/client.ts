/**
 * A client that says Hi every few seconds, and prints which pod answers.
 *
 *     HELLO_TARGET=hello.shop.svc.cluster.local:50051 npm run ts -- examples/hello/client.ts
 *
 * `EVERY_MS` (default 2000) is the time between two calls, `CALLS` how many it makes; without it there is no end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient } from '../../lib/index.js';
import { HelloClient, type HiResponse } from './hello-service.js';
import { targetSettings, wholeNumber } from './settings.js';

const DEADLINE_MS = 5_000;

const { target, headless } = targetSettings();
const everyMs = wholeNumber('EVERY_MS', 1, 3_600_000) ?? 2_000;
const calls = wholeNumber('CALLS', 1, 1_000_000_000) ?? Number.POSITIVE_INFINITY;

const client = createHeadlessClient(HelloClient, target, credentials.createInsecure(), { headless });
client.getChannel().on('update', ({ added, removed }) => {
  if (added.length > 0) console.log(`pods came: ${added.join(', ')}`);
  if (removed.length > 0) console.log(`pods went: ${removed.join(', ')}`);
});

function sayHi(message: string): Promise<HiResponse> {
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + DEADLINE_MS };
    client.Hi({ to_who: 'pod', message }, options, (error, response) =>
      error || !response ? reject(error) : resolve(response),
    );
  });
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

for (let call = 1; call <= calls && !stop.signal.aborted; call++) {
  await sayHi(`call ${call}`).then(
    ({ from_who, message }) => console.log(`${from_who}: ${message}`),
    (error: Error) => console.error(error.message),
  );
  if (call < calls) await sleep(everyMs, undefined, { signal: stop.signal }).catch(() => {});
}
client.close();
