/**
 * What a fresh process takes to load the package, as published, and to make its first call. Processes are started in turn: grpc-js
 * alone with a `dns:///` target, then ours by the factory and by the scheme, and again. Each difference is between neighbours.
 */
import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DnsServer } from '../../test/support/dns-server.js';
import { duration } from '../../test/support/number-format.js';
import { startPod } from '../../test/support/pod.js';
import type { Mode } from '../harness/options.js';
import { quantile, sorted } from '../harness/statistics.js';
import { formatTable } from '../harness/table.js';

const DOORS = ['grpc-js dns:///', 'ours, the factory', 'ours, the scheme'] as const;

export type Door = (typeof DOORS)[number];

export interface ColdStartCell {
  readonly kind: 'cold-start';
  readonly rival: Door;
  /** Medians, in milliseconds. */
  readonly importMs: number;
  readonly firstCallMs: number;
  /** Medians of the differences to grpc-js in the same round; null for grpc-js itself. */
  readonly more: { readonly importMs: number; readonly firstCallMs: number } | null;
}

interface Start {
  readonly importMs: number;
  readonly firstCallMs: number;
}

/** Of each, in each mode. */
export const COLD_STARTS: Record<Mode, number> = { short: 5, default: 25, full: 51 };

const SERVICE = 'hello.test.svc.cluster.local';
const PROGRAM = fileURLToPath(new URL('./cold-start-main.mjs', import.meta.url));
const BUILD = fileURLToPath(new URL('../../.build.mjs', import.meta.url));
const run = promisify(execFile);

export async function coldStarts(rounds: number): Promise<ColdStartCell[]> {
  execFileSync(process.execPath, [BUILD], { stdio: ['ignore', 'ignore', 'inherit'] });
  const dns = await DnsServer.start();
  // `dns:///` gets it by the system's own resolver, without a packet.
  const pod = await startPod('127.0.0.1');
  dns.set(SERVICE, [pod.ip]);
  const targets: Record<Door, readonly string[]> = {
    'grpc-js dns:///': ['@grpc/grpc-js', `dns:///localhost:${pod.port}`],
    'ours, the factory': ['grpc-headless', `${SERVICE}:${pod.port}`, dns.address],
    'ours, the scheme': ['grpc-headless/register', `headless://${dns.address}/${SERVICE}:${pod.port}`],
  };
  const starts = new Map<Door, Start[]>(DOORS.map((door) => [door, []]));
  try {
    // The first round warms up: the files, the pod and the DNS server.
    for (let round = 0; round <= rounds; round++)
      for (const door of round % 2 === 0 ? DOORS : DOORS.toReversed()) {
        const { stdout } = await run(process.execPath, [PROGRAM, ...targets[door]]);
        if (round > 0) starts.get(door)?.push(JSON.parse(stdout) as Start);
      }
  } finally {
    await Promise.all([pod.kill(), dns.close()]);
  }
  const baseline = starts.get(DOORS[0]) ?? [];
  return DOORS.map((door) => {
    const own = starts.get(door) ?? [];
    const more = (figure: (start: Start) => number): number =>
      median(own.map((start, round) => figure(start) - figure(baseline[round] as Start)));
    return {
      kind: 'cold-start',
      rival: door,
      importMs: median(own.map(({ importMs }) => importMs)),
      firstCallMs: median(own.map(({ firstCallMs }) => firstCallMs)),
      more:
        door === DOORS[0]
          ? null
          : { importMs: more(({ importMs }) => importMs), firstCallMs: more(({ firstCallMs }) => firstCallMs) },
    };
  });
}

export function coldStartTable(cells: readonly ColdStartCell[]): string {
  return formatTable<ColdStartCell>(
    [
      { head: 'a fresh process', align: 'left', cell: ({ rival }) => rival },
      { head: 'import', cell: ({ importMs }) => duration(importMs) },
      { head: 'more than\ngrpc-js', cell: ({ more }) => duration(more?.importMs) },
      { head: 'first call', cell: ({ firstCallMs }) => duration(firstCallMs) },
      { head: 'more than\ndns:///', cell: ({ more }) => duration(more?.firstCallMs) },
    ],
    cells,
  );
}

function median(values: readonly number[]): number {
  return quantile(sorted(values), 0.5);
}
