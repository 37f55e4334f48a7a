import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type ClientGrpc, ClientsModule, type GrpcOptions, Transport } from '@nestjs/microservices';
import { channels } from 'grpc-headless';
// The first changed line: it is new.
import 'grpc-headless/register';
import { firstValueFrom, type Observable } from 'rxjs';

// In a pod, the name of the headless Service. 'headless://DNS-SERVER:PORT/NAME:PORT' asks a DNS server of your choice.
const url = process.env.HELLO_TARGET ?? 'headless:///hello.shop.svc.cluster.local:50051';

interface HelloService {
  hi(request: { toWho: string; message: string }): Observable<{ fromWho: string }>;
}

const grpc: GrpcOptions['options'] = {
  package: 'hello',
  protoPath: 'hello.proto',
  // The second changed line. It was: url: 'hello.shop.svc.cluster.local:50051'
  url,
};

@Controller('health')
class HealthController {
  /** Every open channel of the process, those that NestJS made too. */
  @Get()
  show() {
    return channels().map((channel) => {
      const { state, endpoints } = channel.snapshot();
      return { target: channel.target, state, pods: endpoints.map(({ address, state }) => ({ address, state })) };
    });
  }
}

class Callers {
  readonly #services: ReadonlyMap<string, HelloService>;

  constructor(@Inject('HELLO') hello: ClientGrpc, @Inject('HELLO_WITH_OPTIONS') withOptions: ClientGrpc) {
    this.#services = new Map([
      ['url', hello.getService<HelloService>('Hello')],
      ['options', withOptions.getService<HelloService>('Hello')],
    ]);
  }

  /** One call by each client. Prints the client and the pod that answered. */
  async callAll(): Promise<void> {
    for (const [name, service] of this.#services) {
      const { fromWho } = await firstValueFrom(service.hi({ toWho: 'pod', message: 'hi' }));
      console.log(name, fromWho);
    }
  }
}

@Module({
  imports: [
    ClientsModule.register([
      { name: 'HELLO', transport: Transport.GRPC, options: grpc },
      {
        name: 'HELLO_WITH_OPTIONS',
        transport: Transport.GRPC,
        // All options of this package, under the one key.
        options: { ...grpc, channelOptions: { headless: { refresh: { intervalMs: 1_000 } } } },
      },
    ]),
  ],
  controllers: [HealthController],
  providers: [Callers],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
await app.listen(process.env.PORT ?? 3000);
const callers = app.get(Callers);

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true));

while (!stopped) {
  await callers.callAll();
  await sleep(50);
}
const health = await fetch(new URL('/health', await app.getUrl()));
console.error(`GET /health answers ${health.status}: ${await health.text()}`);
await app.close();
