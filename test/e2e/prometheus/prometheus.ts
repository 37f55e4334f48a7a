/**
 * A real Prometheus as a child process: it scrapes one page twice a second and evaluates rules as often. Its files are in
 * a temporary folder, its port on 127.0.0.1; it is gone with the test.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { eventually } from '../../support/eventually.js';
import type { Defer } from '../../support/leak-check.js';
import { command } from '../netns/requirements.js';

/** Both programs are in one package of Debian's. */
export const PROMETHEUS = ['prometheus', 'promtool'].map((name) => command(name, 'prometheus'));

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export class Prometheus {
  readonly #url: string;

  /** @param rules of alerts, as YAML. */
  static async start(defer: Defer, page: string, rules: string): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'grpc-headless-prometheus-'));
    defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const { host, pathname } = new URL(page);
    writeFileSync(join(folder, 'rules.yml'), rules);
    // JSON is YAML.
    const config = {
      global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
      rule_files: ['rules.yml'],
      scrape_configs: [{ job_name: 'client', metrics_path: pathname, static_configs: [{ targets: [host] }] }],
    };
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const port = await freePort();
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const log: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (line: string) => log.push(line));
    const exited = once(child, 'exit');
    const kill = (): boolean => child.kill('SIGKILL');
    process.once('exit', kill);
    defer(async () => {
      process.off('exit', kill);
      child.kill('SIGTERM');
      await exited;
    });
    const prometheus = new Prometheus(`http://127.0.0.1:${port}`);
    await eventually(() => prometheus.#get('/-/ready'), { timeoutMs: 20_000 }).catch((error: unknown) => {
      throw new Error(`Prometheus did not become ready: ${log.join('')}`, { cause: error });
    });
    return prometheus;
  }

  private constructor(url: string) {
    this.#url = url;
  }

  /** Series of an instant query, without those that are not a number. */
  async query(expression: string): Promise<Series[]> {
    const { result } = (await this.#api(`query?query=${encodeURIComponent(expression)}`)) as {
      result: { metric: Record<string, string>; value: [time: number, value: string] }[];
    };
    const series = result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
    return series.filter(({ value }) => !Number.isNaN(value));
  }

  /** Labels of the alerts that fire, `alertname` among them. */
  async firing(): Promise<Readonly<Record<string, string>>[]> {
    const { alerts } = (await this.#api('alerts')) as { alerts: { state: string; labels: Record<string, string> }[] };
    return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels);
  }

  /** Values of a label in the series that match. */
  async labelValues(selector: string, label: string): Promise<string[]> {
    return (await this.#api(`label/${label}/values?match[]=${encodeURIComponent(selector)}`)) as string[];
  }

  async #api(path: string): Promise<unknown> {
    const { status, data, error } = JSON.parse(await this.#get(`/api/v1/${path}`));
    if (status !== 'success') throw new Error(`${path}: ${error}`);
    return data;
  }

  /** Each with a connection of its own, so that none stays open. */
  async #get(path: string): Promise<string> {
    const request = get(`${this.#url}${path}`, { agent: false });
    const [response] = await once(request, 'response');
    const body = await text(response);
    if (response.statusCode !== 200) throw new Error(`${path}: status ${response.statusCode}: ${body}`);
    return body;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
