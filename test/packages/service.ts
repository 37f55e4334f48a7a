/**
 * A headless Service for each project: its name, and two pods on loopback that all projects share. DNS names the first pod alone,
 * until a call asks for the second: its message is `add`, and `to_who` is the Service's name.
 */
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { HelloClient, type HiRequest, type HiResponse } from '../support/hello-service.js';
import { type LoopbackSite, openLoopback } from '../support/pod-runner.js';

export class Service {
  readonly #site: LoopbackSite;
  readonly #servers: Server[] = [];
  /** Of each name, the pods that calls reached. */
  readonly #reached = new Map<string, Set<string>>();

  static async start(): Promise<Service> {
    const service = new Service(await openLoopback({ suite: 'test', addresses: 2 }));
    for (const pod of service.#pods) await service.#startPod(pod);
    return service;
  }

  private constructor(site: LoopbackSite) {
    this.#site = site;
  }

  /** Publishes a Service of this name with the first pod. Returns what its client has to be told, as environment variables. */
  publish(name: string): Readonly<Record<string, string>> {
    const [first = ''] = this.#pods;
    this.#site.dns.set(name, [first]);
    this.#reached.set(name, new Set());
    return { SERVICE: name, SERVICE_PORT: `${this.#site.port}`, DNS_SERVER: this.#site.dns.address, FIRST_POD: first };
  }

  /** Whether calls of this Service's client reached both pods. */
  bothReached(name: string): boolean {
    return this.#reached.get(name)?.size === this.#pods.length;
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.forceShutdown();
    await this.#site.close();
  }

  get #pods(): string[] {
    return [0, 1].map((index) => this.#site.ip(index));
  }

  #startPod(ip: string): Promise<void> {
    const server = new Server();
    server.addService(HelloClient.service, {
      Hi: ({ request }: ServerUnaryCall<HiRequest, HiResponse>, callback: sendUnaryData<HiResponse>) => {
        this.#reached.get(request.to_who)?.add(ip);
        if (request.message === 'add') this.#site.dns.set(request.to_who, this.#pods);
        callback(null, { from_who: ip, message: request.message });
      },
    });
    this.#servers.push(server);
    return new Promise((resolve, reject) =>
      server.bindAsync(`${ip}:${this.#site.port}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      ),
    );
  }
}
