/**
 * A balancer of layer 4, as a cluster IP is one: an address whose connections it hands to pods in turn. What goes over a
 * connection stays with its pod.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Defer } from './leak-check.js';

export class ConnectionBalancer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #accepted = 0;

  /** At any free port of an address of this host; closed when the test ends. */
  static async start(defer: Defer, host: string, pods: readonly { ip: string; port: number }[]) {
    const balancer = new ConnectionBalancer(pods);
    balancer.#server.listen(0, host);
    await once(balancer.#server, 'listening');
    defer(() => balancer.#close());
    return balancer;
  }

  private constructor(pods: readonly { ip: string; port: number }[]) {
    this.#server = createServer({ noDelay: true }, (client) => {
      const { ip, port } = pods[this.#accepted % pods.length] as { ip: string; port: number };
      this.#accepted += 1;
      this.#join(client, connect({ host: ip, port, noDelay: true }));
    });
  }

  /** `"ip:port"`. */
  get address(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `${address}:${port}`;
  }

  /** Connections ever accepted. */
  get accepted(): number {
    return this.#accepted;
  }

  #join(client: Socket, pod: Socket): void {
    for (const [socket, other] of [
      [client, pod],
      [pod, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }

  #close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
