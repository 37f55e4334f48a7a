/** The kubelet's gRPC probe: the health check of a pod, once. */
import { credentials, makeGenericClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';

interface HealthClient {
  check(
    request: { service: string },
    options: { deadline: number },
    done: (error: ServiceError | null, response?: { status: string }) => void,
  ): void;
  close(): void;
}

/** More than the kubelet's second, on a machine that is busy. */
const DEADLINE_MS = 20_000;

const Health = makeGenericClientConstructor(service, 'grpc.health.v1.Health');

/** Whether the server at this address says SERVING. Rejects where it does not answer. */
export function passesProbe(ip: string, port: number): Promise<boolean> {
  const client = new Health(`${ip}:${port}`, credentials.createInsecure(), {
    // Probes must not stand in each other's way.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
  }) as unknown as HealthClient;
  return new Promise((resolve, reject) => {
    client.check({ service: '' }, { deadline: Date.now() + DEADLINE_MS }, (error, response) => {
      client.close();
      if (error !== null) reject(error);
      else resolve(response?.status === 'SERVING');
    });
  });
}
