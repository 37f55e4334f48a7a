/** What runs in the projects: programs as a user writes them, in TypeScript, and the JavaScript that comes of it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/**
 * Calls through all entries and all three ways to make a client; each client has to find the pod that comes later. `run` rejects
 * where anything is not as it should be. gRPC's messages are written by hand, so that no project needs a .proto.
 */
export const CALLS = `
import { Client, credentials, type ChannelCredentials, type ServiceError } from '@grpc/grpc-js';
import { createHeadlessClient, HeadlessChannel, HeadlessError, type HeadlessOptions, type Snapshot } from 'grpc-headless';
import 'grpc-headless/register';
import { createFakeDns, type FakeDns } from 'grpc-headless/testing';

const { SERVICE = '', SERVICE_PORT = '', DNS_SERVER = '', FIRST_POD = '' } = process.env;
const target: string = SERVICE + '.:' + SERVICE_PORT;
const insecure: ChannelCredentials = credentials.createInsecure();

function field(number: number, text: string): Buffer {
  const octets = Buffer.from(text);
  return Buffer.concat([Buffer.from([number * 8 + 2, octets.length]), octets]);
}

/** One call. Resolves with the address of the pod that answered. */
function hi(client: Client, message: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/hello.Hello/Hi',
      (text: string) => Buffer.concat([field(1, SERVICE), field(2, text)]),
      (answer: Buffer) => answer.subarray(2, 2 + (answer[1] ?? 0)).toString(),
      message,
      { deadline: Date.now() + 10_000 },
      (error: ServiceError | null, pod?: string) => (error || pod === undefined ? reject(error) : resolve(pod)),
    );
  });
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error('it does not hold: ' + what);
}

export async function run(): Promise<string> {
  const refresh = { intervalMs: 100, minIntervalMs: 50 };
  const headless: HeadlessOptions = { refresh, dns: { servers: [DNS_SERVER] } };
  const channel = new HeadlessChannel(target, insecure, { headless });
  const fake: FakeDns = createFakeDns({ 'svc.ns': [FIRST_POD] });
  const clients: Client[] = [
    createHeadlessClient(Client, target, insecure, { headless }),
    new Client(target, insecure, { channelOverride: channel }),
    new Client('headless://' + DNS_SERVER + '/' + target, insecure, { headless: { refresh } }),
  ];
  const tested = createHeadlessClient(Client, 'svc.ns:' + SERVICE_PORT, insecure, { headless: { dns: { lookup: fake.lookup } } });
  try {
    await channel.ready({ timeoutMs: 10_000 });
    for (const client of [...clients, tested]) check((await hi(client, 'hi')) === FIRST_POD, 'the first pod answers');
    await hi(tested, 'add');
    const deadline = Date.now() + 30_000;
    for (const client of clients)
      while ((await hi(client, 'hi')) === FIRST_POD) {
        check(Date.now() < deadline, 'the pod that came later gets calls');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    const { endpoints }: Snapshot = channel.snapshot();
    check(endpoints.length === 2, 'the snapshot has both pods');
  } finally {
    for (const client of [...clients, tested]) client.close();
  }
  const closed: unknown = await channel.ready().catch((error: unknown) => error);
  check(closed instanceof HeadlessError && closed.code === 'ERR_HEADLESS_CLOSED', 'errors are of the class that is exported');
  return 'every client found the later pod';
}
`;

const MAIN = `
run().then((said) => console.log(said), (error) => {
  console.error(error);
  process.exitCode = 1;
});
`;

/** `CALLS` as a program. */
export const CALLS_MAIN = `${CALLS}${MAIN}`;

/** Loads the package by \`import\` and by \`require\`, and compares. */
export const SHARED = `${toModule(CALLS)}
import { strict as assert } from 'node:assert';
import { createRequire } from 'node:module';
import * as imported from 'grpc-headless';

const require = createRequire(import.meta.url);
const required = require('grpc-headless');
require('grpc-headless/register');

assert.ok(Object.keys(required).length > 0);
for (const name of Object.keys(required)) assert.equal(required[name], imported[name], name);
for (const { HeadlessChannel: Channel } of [required, imported])
  for (const { HeadlessError: Failure } of [required, imported])
    assert.throws(() => new Channel('svc.ns:1', insecure, { headless: { empty: 'wrong' } }), Failure);

// One poller: both channels ask for the same name by the same lookup, so one query is made.
const { createFakeDns: createDns } = require('grpc-headless/testing');
const dns = createDns({ 'svc.ns': [FIRST_POD] });
const settings = { headless: { dns: { lookup: dns.lookup }, refresh: { intervalMs: 3_600_000, burstMs: 0 } } };
const channels = [required, imported].map(({ HeadlessChannel: Channel }) => new Channel('svc.ns:' + SERVICE_PORT, insecure, settings));
await Promise.all(channels.map((channel) => channel.ready({ timeoutMs: 10_000 })));
assert.deepEqual(dns.queries, ['svc.ns']);
for (const channel of channels) channel.close();
${MAIN}`;

/**
 * A Connect client, whose own copies of Connect and protobuf-es are those of `import` or of `require`, while the transport has
 * those of `require`. The descriptor is what generated code has.
 */
export const CONNECT = `
import { create } from '@bufbuild/protobuf';
import { fileDesc, serviceDesc } from '@bufbuild/protobuf/codegenv2';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { credentials } from '@grpc/grpc-js';
import { createHeadlessTransport, type HeadlessTransport } from 'grpc-headless/connect';

const { SERVICE = '', SERVICE_PORT = '', DNS_SERVER = '', FIRST_POD = '' } = process.env;

const text = (name: string, number: number) => ({ name, number, type: 9, label: 1 });
const file = create(FileDescriptorProtoSchema, {
  name: 'hello.proto',
  package: 'hello',
  syntax: 'proto3',
  messageType: [
    { name: 'HiRequest', field: [text('to_who', 1), text('message', 2)] },
    { name: 'HiResponse', field: [text('from_who', 1), text('message', 2)] },
  ],
  service: [{ name: 'Hello', method: [{ name: 'Hi', inputType: '.hello.HiRequest', outputType: '.hello.HiResponse' }] }],
});
const encoded = Buffer.from(toBinary(FileDescriptorProtoSchema, file)).toString('base64');
const Hello = serviceDesc(fileDesc(encoded), 0);

async function run(): Promise<string> {
  const own: HeadlessTransport = createHeadlessTransport({
    target: SERVICE + '.:' + SERVICE_PORT,
    credentials: credentials.createInsecure(),
    headless: { refresh: { intervalMs: 100, minIntervalMs: 50 }, dns: { servers: [DNS_SERVER] } },
  });
  const transport: Transport = own;
  const client = createClient(Hello, transport) as unknown as {
    hi(request: { toWho: string; message: string }, options?: { timeoutMs?: number }): Promise<{ fromWho: string }>;
  };
  const hi = async (message: string) => (await client.hi({ toWho: SERVICE, message }, { timeoutMs: 10_000 })).fromWho;
  try {
    if ((await hi('add')) !== FIRST_POD) throw new Error('the first pod answers');
    const deadline = Date.now() + 30_000;
    while ((await hi('hi')) === FIRST_POD) {
      if (Date.now() > deadline) throw new Error('the pod that came later gets calls');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    own.close();
  }
  const error: unknown = await hi('hi').catch((reason: unknown) => reason);
  if (!(error instanceof ConnectError) || error.code !== Code.Canceled) throw new Error('errors are of the class of the user');
  return 'the Connect client found the later pod';
}
${MAIN}`;

/** NestJS takes a target alone. With the module's own loading, of this package and of grpc-js. */
const NEST = `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientsModule, Transport } from '@nestjs/microservices';
import 'grpc-headless/register';
import { firstValueFrom } from 'rxjs';

const { SERVICE = '', SERVICE_PORT = '', DNS_SERVER = '', FIRST_POD = '' } = process.env;

class AppModule {}
Module({
  imports: [
    ClientsModule.register([
      {
        name: 'HELLO',
        transport: Transport.GRPC,
        options: {
          url: 'headless://' + DNS_SERVER + '/' + SERVICE + '.:' + SERVICE_PORT,
          package: 'hello',
          protoPath: 'hello.proto',
          loader: { keepCase: true },
          channelOptions: { headless: { refresh: { intervalMs: 100, minIntervalMs: 50 } } },
        },
      },
    ]),
  ],
})(AppModule);

async function run() {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
  const hello = app.get('HELLO').getService('Hello');
  const hi = async (message) => (await firstValueFrom(hello.hi({ to_who: SERVICE, message }))).from_who;
  if ((await hi('add')) !== FIRST_POD) throw new Error('the first pod answers');
  const deadline = Date.now() + 30_000;
  while ((await hi('hi')) === FIRST_POD) {
    if (Date.now() > deadline) throw new Error('the pod that came later gets calls');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await app.close();
  return 'NestJS found the later pod';
}
${MAIN}`;

export const NEST_MODULE = toModule(NEST);
export const NEST_COMMONJS = toCommonJs(NEST);

export const HELLO_PROTO = readFileSync(fileURLToPath(new URL('../support/hello.proto', import.meta.url)), 'utf8');

/** As an ES module in JavaScript. */
export function toModule(source: string): string {
  return transpile(source, ts.ModuleKind.ESNext);
}

/** As CommonJS in JavaScript. */
export function toCommonJs(source: string): string {
  return transpile(source, ts.ModuleKind.CommonJS);
}

function transpile(source: string, module: ts.ModuleKind): string {
  return ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module, esModuleInterop: true },
  }).outputText;
}
