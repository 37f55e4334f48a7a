/**
 * A pod: it has a random id, and answers `Hi` with it.
 *
 *     PORT=50051 npm run ts -- examples/hello/server.ts
 *
 * `HOST` and `PORT` say where it listens, `LAME_DUCK_MS` (default 0) how long it serves on after SIGTERM.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { HelloClient, type HiRequest, type HiResponse } from './hello-service.js';
import { listenAddress, wholeNumber } from './settings.js';

const WORD_GAP_MS = 100;

const id = randomBytes(4).toString('hex');
const { host, port } = listenAddress(50_051);
const lameDuckMs = wholeNumber('LAME_DUCK_MS', 0, 600_000) ?? 0;

const server = new Server();
// What a readiness probe of Kubernetes asks, and a client with health checks.
const health = new HealthImplementation({ '': 'SERVING' });
health.addToServer(server);
server.addService(HelloClient.service, {
  Hi: (call: ServerUnaryCall<HiRequest, HiResponse>, answer: sendUnaryData<HiResponse>) => {
    const { to_who, message } = call.request;
    answer(null, { from_who: id, message: `Hi, ${to_who}!${message && ` You said: ${message}`}` });
  },
  HiMany: (call: ServerWritableStream<HiRequest, HiResponse>) => void answerWords(call),
});

async function answerWords(call: ServerWritableStream<HiRequest, HiResponse>): Promise<void> {
  for (const word of call.request.message.split(' ')) {
    if (call.cancelled) return;
    call.write({ from_who: id, message: word });
    await sleep(WORD_GAP_MS);
  }
  call.end();
}

server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
  if (error) throw error;
  console.log(`pod ${id} listens on ${host}:${bound}`);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, async () => {
    health.setStatus('', 'NOT_SERVING');
    // The pod has left DNS: clients find out when they ask again, and until then they call.
    if (signal === 'SIGTERM') await sleep(lameDuckMs);
    server.tryShutdown(() => process.exit(0));
  });
