/** examples/monitoring on a real Prometheus: the rules, the alerts and the dashboard. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serveMetrics } from '../../../examples/monitoring/exporter.js';
import { eventually } from '../../support/eventually.js';
import { leakCheck } from '../../support/leak-check.js';
import { missing } from '../netns/requirements.js';
import { FAULTS, FaultyService } from './faults.js';
import { PROMETHEUS, Prometheus } from './prometheus.js';

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const skip = missing(...PROMETHEUS);
const folder = fileURLToPath(new URL('../../../examples/monitoring/', import.meta.url));
const rules = readFileSync(`${folder}alerts.yml`, 'utf8');
const dashboard: Dashboard = JSON.parse(readFileSync(`${folder}dashboard.json`, 'utf8'));
const alerts = Array.from(rules.matchAll(/- alert: (\w+)/g), ([, name]) => name as string);

/** Minutes become seconds, in ranges and in `for`; an answer is stale after 2 s. */
function hurried(text: string): string {
  const faster = text.replace(/\b(\d+)m\b/g, '$1s').replace(/> 60$/m, '> 2');
  assert.match(faster, /> 2$/m);
  return faster;
}

/** What Grafana puts in the place of its variables. */
function filledIn(expression: string): string {
  const filled = expression.replaceAll('$__rate_interval', '10s').replace(/\$(?:job|instance|target)\b/g, '.*');
  assert.doesNotMatch(filled, /\$/);
  return filled;
}

test('promtool accepts the alert rules', { skip }, () => {
  const output = execFileSync('promtool', ['check', 'rules', `${folder}alerts.yml`], { encoding: 'utf8' });
  assert.match(output, new RegExp(`SUCCESS: ${alerts.length} rules found`));
});

test('every alert has a fault that fires it', () => {
  assert.deepEqual([...new Set(FAULTS.flatMap(({ fires }) => fires))].sort(), alerts.toSorted());
});

test('on a real Prometheus', { skip }, async (t) => {
  const defer = leakCheck(t);
  const page = await serveMetrics({ host: '127.0.0.1', port: 0, addresses: true });
  defer(() => page.close());
  const services = await Promise.all(FAULTS.map((fault, index) => FaultyService.start(defer, fault, index)));
  const prometheus = await Prometheus.start(defer, page.url, hurried(rules));
  const firingFor = async ({ name, target }: FaultyService): Promise<string[]> =>
    (await prometheus.firing())
      .filter((labels) => labels.grpc_target === target || labels.dns_question_name === name)
      .map(({ alertname }) => alertname as string);
  await Promise.all(services.map((service) => service.break()));

  for (const service of services) {
    const { what, fires } = service.fault;
    if (fires.length > 0)
      await t.test(`${fires.join(', ')}: fires where ${what}`, () =>
        eventually(
          async () => {
            const firing = await firingFor(service);
            for (const alert of fires) assert.ok(firing.includes(alert), `only these fire: ${firing}`);
          },
          { timeoutMs: 60_000, intervalMs: 250 },
        ),
      );
  }

  await t.test('no alert fires for a service without a fault', () => {
    const [healthy] = services;
    assert.ok(healthy && healthy.fault.fires.length === 0);
    return eventually(async () => assert.deepEqual(await firingFor(healthy), []), { timeoutMs: 20_000 });
  });

  for (const { title, targets } of dashboard.panels)
    for (const { expr } of targets)
      await t.test(`the panel "${title}" has data: ${expr}`, () =>
        eventually(async () => assert.notDeepEqual(await prometheus.query(filledIn(expr)), []), { timeoutMs: 20_000 }),
      );

  for (const { name, definition } of dashboard.templating.list)
    if (definition !== undefined)
      await t.test(`the variable "${name}" of the dashboard has values`, async () => {
        const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
        assert.ok(selector && label, definition);
        assert.notDeepEqual(await prometheus.labelValues(filledIn(selector), label), []);
      });
});
