/** The DNS server in a process of its own, so that its CPU is not the clients'. */
import { DnsServer } from '../../test/support/dns-server.js';
import { serveRpc } from '../harness/rpc.js';

let server: DnsServer | undefined;

const orders = {
  /** Answers every name of `zone` with its addresses; resolves with `"ip:port"`. */
  async start(zone: Readonly<Record<string, readonly string[]>>): Promise<string> {
    server = await DnsServer.start();
    for (const [name, ips] of Object.entries(zone)) server.set(name, [...ips], { ttl: 30 });
    return server.address;
  },

  /** Queries so far. */
  async asked(name: string): Promise<number> {
    return server?.asked(name) ?? 0;
  },
};

export type DnsOrders = typeof orders;

serveRpc(orders);
