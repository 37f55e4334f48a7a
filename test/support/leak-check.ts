/**
 * Fails an end-to-end test that leaves something behind: a TCP or UDP socket, a listener, a child process (unref'd
 * ones too: they hold memory and ports), or a timer that would keep the process alive.
 *
 *     test('…', async (t) => {
 *       const defer = leakCheck(t);          // first, before anything is opened
 *       const server = await DnsServer.start();
 *       defer(() => server.close());         // run in reverse order, then the check
 *     });
 *
 * Clean up through `defer`, not `t.after`: node:test runs `after` hooks first come, first served, so that hooks of the
 * test's own would run after the check.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { eventually } from './eventually.js';

export type Defer = (cleanUp: () => unknown) => void;

export interface LeakCheckOptions {
  /** How long graceful closes may take. Default 3000. */
  timeoutMs?: number;
}

export function leakCheck(t: Pick<TestContext, 'after'>, { timeoutMs = 3_000 }: LeakCheckOptions = {}): Defer {
  const before = openResources();
  const cleanUps: (() => unknown)[] = [];
  t.after(async () => {
    const failures: unknown[] = [];
    for (const cleanUp of cleanUps.reverse())
      try {
        await cleanUp();
      } catch (error) {
        failures.push(error);
      }
    await eventually(() => assert.deepEqual(leaked(before), [], 'the test left resources open'), {
      timeoutMs,
      intervalMs: 25,
    }).catch((error: unknown) => failures.push(error));
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, 'cleaning up failed');
  });
  return (cleanUp) => void cleanUps.push(cleanUp);
}

interface Resources {
  /** By the handle's address in memory. */
  readonly handles: ReadonlyMap<string, string>;
  readonly timers: number;
}

interface Endpoint {
  ip4?: string;
  ip6?: string;
  port: number;
}

interface LibuvHandle {
  type: string;
  address: string;
  is_referenced: boolean;
  localEndpoint?: Endpoint | null;
  remoteEndpoint?: Endpoint | null;
  pid?: number;
}

const WATCHED: ReadonlySet<string> = new Set(['tcp', 'udp', 'process']);

function openResources(): Resources {
  // `getActiveResourcesInfo` leaves unref'd handles out, and ours are all unref'd: libuv's own list has them.
  // Without `excludeNetwork` a report looks up the host name of every socket's peer.
  const report = process.report as unknown as { excludeNetwork: boolean; getReport(): { libuv: LibuvHandle[] } };
  report.excludeNetwork = true;
  const { libuv } = report.getReport();
  const watched = libuv.filter((handle) => WATCHED.has(handle.type));
  return {
    handles: new Map(watched.map((handle) => [handle.address, describe(handle)])),
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
  };
}

function leaked(before: Resources): string[] {
  const now = openResources();
  const handles = [...now.handles].filter(([address]) => !before.handles.has(address)).map(([, text]) => text);
  // The check's own timer has fired when this runs, so it is not among them.
  const timers = Math.max(0, now.timers - before.timers);
  return timers > 0 ? [...handles, `${timers} timer(s) that keep the process alive`] : handles;
}

function describe({ type, pid, localEndpoint, remoteEndpoint, is_referenced }: LibuvHandle): string {
  if (type === 'process') return `child process ${pid}`;
  const format = (end: Endpoint | null | undefined) => (end ? `${end.ip4 ?? end.ip6}:${end.port}` : 'nothing');
  const peer = type === 'tcp' && !remoteEndpoint ? ' listening or closed' : ` to ${format(remoteEndpoint)}`;
  return `${type} ${format(localEndpoint)}${type === 'udp' ? '' : peer}${is_referenced ? '' : " (unref'd)"}`;
}
