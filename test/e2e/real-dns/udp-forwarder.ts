/** One address for several DNS servers, as a Service of Kubernetes is: each datagram goes to any of them. UDP alone. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Random } from '../../../lib/runtime.js';
import type { Defer } from '../../support/leak-check.js';
import { LOOPBACK } from './server.js';

/** Resolves with its `"ip:port"`. */
export async function forwardToAnyOf(
  defer: Defer,
  servers: readonly { readonly port: number }[],
  random: Random,
): Promise<string> {
  const front = createSocket('udp4');
  // One socket for each client and server, so that a reply finds its way back.
  const routes = new Map<string, Socket>();
  defer(async () => {
    await Promise.all([front, ...routes.values()].map((socket) => new Promise<void>((done) => socket.close(done))));
  });
  front.on('message', (query, client) => {
    const server = servers[Math.floor(random() * servers.length)];
    if (server === undefined) throw new RangeError('there are no servers');
    const key = `${client.address} ${client.port} ${server.port}`;
    let route = routes.get(key);
    if (route === undefined) {
      route = createSocket('udp4');
      route.on('message', (reply) => front.send(reply, client.port, client.address));
      routes.set(key, route);
    }
    route.send(query, server.port, LOOPBACK);
  });
  front.bind(0, LOOPBACK);
  await once(front, 'listening');
  return `${LOOPBACK}:${front.address().port}`;
}
