/**
 * The client under test: reads calls from stdin, makes them through `createHeadlessTransport`, and writes what came of them to
 * stdout. Its one argument is the folder of the suite's .proto files.
 */
import { credentials } from '@grpc/grpc-js';
import { createHeadlessTransport, type HeadlessTransport } from '../../../lib/connect.js';
import { frame, readFrames } from './framing.js';
import { Invocation } from './invocation.js';
import { type ClientRequest, COMPRESSION_GZIP, SuiteMessages } from './suite-messages.js';

/** Calls at the same time. */
const AT_ONCE = 8;

const suite = new SuiteMessages(process.argv[2] ?? '');
const running = new Set<Promise<void>>();
for await (const octets of readFrames(process.stdin)) {
  const done = answer(suite.readRequest(octets)).finally(() => running.delete(done));
  running.add(done);
  if (running.size >= AT_ONCE) await Promise.race(running);
}
await Promise.all(running);

async function answer(request: ClientRequest): Promise<void> {
  const result = await perform(request).catch((error: Error) => error);
  process.stdout.write(frame(suite.writeResponse(request.testName, result)));
}

async function perform(request: ClientRequest) {
  const transport = transportFor(request);
  try {
    return await new Invocation(transport, request, suite).run();
  } finally {
    transport.close();
  }
}

function transportFor({ host, port, compression, messageReceiveLimit, ...tls }: ClientRequest): HeadlessTransport {
  return createHeadlessTransport({
    target: `${host}:${port}`,
    credentials: credentialsFor(tls),
    sendCompression: compression === COMPRESSION_GZIP ? 'gzip' : 'identity',
    // The suite's messages are small.
    compressMinBytes: 0,
    readMaxBytes: messageReceiveLimit === 0 ? undefined : messageReceiveLimit,
  });
}

function credentialsFor({ serverTlsCert, clientTlsCreds }: Pick<ClientRequest, 'serverTlsCert' | 'clientTlsCreds'>) {
  if (serverTlsCert.length === 0) return credentials.createInsecure();
  const client = clientTlsCreds ? [Buffer.from(clientTlsCreds.key), Buffer.from(clientTlsCreds.cert)] : [];
  return credentials.createSsl(Buffer.from(serverTlsCert), ...client);
}
