/**
 * The experiment that started this library, on one machine and in less than a minute: `npm run demo`.
 *
 * Two clients call one Service side by side, grpc-js as it is and grpc-headless, while pods come and go and DNS
 * fails. Exits 1 when grpc-headless did not keep what it promises. Nothing leaves 127.0.0.0/8.
 */
import './plain-resolver.js';

import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient } from '../../lib/index.js';
import { EventLoopDelay } from '../../test/support/event-loop-delay.js';
import { HelloClient } from '../../test/support/hello-service.js';
import { seconds } from '../../test/support/number-format.js';
import { wrap } from '../../test/support/terminal-text.js';
import { ClientLoad } from './client-load.js';
import { DemoCluster } from './cluster.js';
import { ExperimentRecorder, FIRST_PROCESSES, MAX_PODS, scenario } from './scenario.js';
import { Screen } from './screen.js';
import { bullet, findings, LIMIT_MS, lessons, shortcomings, table } from './summary.js';

const SERVICE = 'hello.demo.svc.cluster.local';
const CALLS_PER_SECOND = 100;
const REFRESH_MS = 1_000;
/** From here on the summary says that the machine, and not a client, was late. */
const NOTABLE_STALL_MS = 300;

function createLoads(cluster: DemoCluster): [plain: ClientLoad, ours: ClientLoad] {
  const plain = new HelloClient(
    `dns://${cluster.dns.address}/${cluster.service}:${cluster.port}`,
    credentials.createInsecure(),
    {
      'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
      // In its favour: 30 s is the default.
      'grpc.dns_min_time_between_resolutions_ms': REFRESH_MS,
    },
  );
  const ours = createHeadlessClient(
    HelloClient,
    `${cluster.service}:${cluster.port}`,
    credentials.createInsecure(),
    // `search`: no search list of this machine's resolv.conf.
    { headless: { refresh: { intervalMs: REFRESH_MS }, dns: { servers: [cluster.dns.address], search: [] } } },
  );
  return [new ClientLoad('grpc-js', plain, CALLS_PER_SECOND), new ClientLoad('grpc-headless', ours, CALLS_PER_SECOND)];
}

/** A comparison with a client that never worked would prove nothing. */
function requireFairStart(plain: ClientLoad): void {
  if (plain.recorder.answered === 0)
    throw new Error(
      `no call of ${plain.name} was answered (${plain.recorder.failures[0]?.details}): there is nothing to compare with`,
    );
}

async function run(screen: Screen): Promise<boolean> {
  const { paint } = screen;
  screen.print(
    paint.bold('grpc-headless: the experiment that started it'),
    ...wrap(
      `Two clients call one headless Service, ${CALLS_PER_SECOND} times a second each: grpc-js with dns:// and ` +
        `round_robin, and grpc-headless, which asks DNS every ${seconds(REFRESH_MS)}. Each pod is a process of its own.`,
      screen.width,
    ).map(paint.dim),
    '',
    `Starting a DNS server and ${FIRST_PROCESSES} processes ...`,
  );
  const cluster = await DemoCluster.start({ service: SERVICE, ttl: 5, lameDuckMs: 2_500, maxPods: MAX_PODS });
  try {
    await cluster.prepare(FIRST_PROCESSES, 'at once');
    await cluster.scaleUp(2);
    const loads = createLoads(cluster);
    const recorder = new ExperimentRecorder(cluster, loads);
    cluster.onEvent = (event) => screen.event(event);
    const delay = new EventLoopDelay();
    delay.start();
    for (const load of loads) load.start();
    const steps = scenario(recorder);
    for (const [index, step] of steps.entries()) {
      screen.step(`Step ${index + 1} of ${steps.length}: ${step.title}`, step.explanation, recorder);
      await step.run(cluster);
      requireFairStart(loads[0]);
    }
    screen.end();
    await Promise.all(loads.map((load) => load.stop()));

    delay.stop();
    const stalledMs = delay.maxMs;

    const [, ours] = loads;
    const failures = shortcomings(ours, findings(ours, recorder));
    screen.print(
      '',
      paint.bold('What came of it'),
      '',
      ...table(loads, recorder, paint, screen.width),
      '',
      paint.bold('What to take from it'),
      '',
      ...lessons(loads, recorder, screen.width),
      '',
    );
    if (stalledMs > NOTABLE_STALL_MS)
      screen.print(
        ...wrap(
          `Note: this machine was so busy that the demo itself was delayed by up to ${seconds(stalledMs)}, which is ` +
            'part of the times above.',
          screen.width,
        ),
        '',
      );
    const promise = `every new pod called and every removed one left alone within ${seconds(LIMIT_MS)}, no failed call`;
    if (failures.length === 0)
      screen.print(...wrap(`grpc-headless kept its promise: ${promise}.`, screen.width).map(paint.good));
    else
      screen.print(
        ...wrap(`grpc-headless fell short of its promise (${promise}):`, screen.width).map(paint.bad),
        ...failures.flatMap((sentence) => bullet(sentence, screen.width)).map(paint.bad),
      );
    return failures.length === 0;
  } finally {
    await cluster.close();
  }
}

// Ends through `exit`, whose handlers give the cursor back and take the pods along.
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const screen = new Screen(process.stdout);
try {
  if (!(await run(screen))) process.exitCode = 1;
} catch (error) {
  screen.end();
  const { code, address: missing } = error as NodeJS.ErrnoException & { address?: string };
  if (code !== 'EADDRNOTAVAIL') throw error;
  process.exitCode = 1;
  console.error(
    `\nThis system has no ${missing} (Linux has all of 127.0.0.0/8). On macOS, add the demo's addresses first:\n\n` +
      `  for i in $(seq 1 ${MAX_PODS}); do sudo ifconfig lo0 alias ${missing?.replace(/[0-9]+$/, '')}$i; done`,
  );
}
