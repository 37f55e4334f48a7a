/**
 * What a service adds to be watched by Prometheus: a page with the metrics of all its channels. In a project of your own
 * the last import is from 'grpc-headless/opentelemetry'.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { registerMetrics } from '../../lib/opentelemetry.js';

export interface MetricsPage {
  readonly url: string;
  close(): Promise<void>;
}

export interface MetricsPageOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Series for each pod. */
  readonly addresses?: boolean;
}

export async function serveMetrics({ host, port, addresses = false }: MetricsPageOptions): Promise<MetricsPage> {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  const unregister = registerMetrics(provider, { addresses });
  const server = createServer((request, response) => exporter.getMetricsRequestHandler(request, response));
  server.listen(port, host);
  await once(server, 'listening');
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/metrics`,
    close: async () => {
      unregister();
      server.closeAllConnections();
      server.close();
      await provider.shutdown();
    },
  };
}
