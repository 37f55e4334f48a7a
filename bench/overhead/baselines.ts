/**
 * The balancers that are compared over a fixed list of pods: grpc-js's two, our two policies, and ours with an option that
 * may cost something for each call.
 */
import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient, type HeadlessOptions } from '../../lib/index.js';
import { createFakeDns } from '../../lib/testing.js';
import { HelloClient } from '../../test/support/hello-service.js';

export const BALANCERS = [
  'grpc-js round_robin',
  'grpc-js pick_first',
  'ours least_request',
  'ours round_robin',
  'ours with retry',
  'ours with drain.timeoutMs',
  'ours with outlier',
  'ours with health',
] as const;

export type Balancer = (typeof BALANCERS)[number];

const OPTIONS: Record<Extract<Balancer, `ours ${string}`>, HeadlessOptions> = {
  'ours least_request': {},
  'ours round_robin': { balance: { policy: 'round_robin' } },
  'ours with retry': { retry: { attempts: 2 } },
  'ours with drain.timeoutMs': { drain: { timeoutMs: 60_000 } },
  'ours with outlier': { outlier: true },
  'ours with health': { health: true },
};

/** The one that the others are compared to. */
export const BASELINE: Balancer = 'grpc-js round_robin';

/** A client over these pods, connected to all of them (`pick_first`: to one). */
export async function connect(balancer: Balancer, ips: readonly string[], port: number): Promise<HelloClient> {
  const client = make(balancer, ips, port);
  await new Promise<void>((resolve, reject) =>
    client.waitForReady(Date.now() + 20_000, (error) => (error ? reject(error) : resolve())),
  );
  return client;
}

function make(balancer: Balancer, ips: readonly string[], port: number): HelloClient {
  switch (balancer) {
    case 'grpc-js round_robin':
    case 'grpc-js pick_first': {
      const policy = balancer.endsWith('round_robin') ? 'round_robin' : 'pick_first';
      const target = `ipv4:${ips.map((ip) => `${ip}:${port}`).join(',')}`;
      return new HelloClient(target, credentials.createInsecure(), {
        'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ [policy]: {} }] }),
      });
    }
    default: {
      const dns = createFakeDns({ 'fixed.list': ips });
      return createHeadlessClient(HelloClient, `fixed.list:${port}`, credentials.createInsecure(), {
        headless: { dns: { lookup: dns.lookup }, ...OPTIONS[balancer] },
      });
    }
  }
}
