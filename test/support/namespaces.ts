/**
 * Two network namespaces with a cable between them: the client's pod on one side, the rest of the cluster on the other.
 *
 *     client 10.0.0.2 ── eth0 ══ eth0 ── 10.0.0.1 cluster (DNS and pods on its loopback)
 *
 * Names hold the maker's pid. They are removed when the test ends and when the process exits; what a killed process
 * left behind is swept up by the next one.
 */
import { execFile, execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Defer } from '../../support/leak-check.js';

const run = promisify(execFile);

const PREFIX = 'grpc-headless';
const CLIENT_IP = '10.0.0.2';
const CLUSTER_IP = '10.0.0.1';

/** `client` and `cluster`: what to hand to `ip netns exec`. */
export interface Namespaces {
  readonly client: string;
  readonly cluster: string;
}

let made = 0;
const alive = new Set<string>();

process.on('exit', () => {
  for (const name of alive) removeNow(name);
});

/** The link is up, the client's default route goes through it, and nothing is filtered. */
export async function makeNamespaces(defer: Defer): Promise<Namespaces> {
  if (made === 0) sweep();
  const stem = `${PREFIX}-${process.pid}-${++made}`;
  const names: Namespaces = { client: `${stem}-client`, cluster: `${stem}-cluster` };
  for (const name of [names.client, names.cluster]) {
    alive.add(name);
    defer(() => remove(name));
    await run('ip', ['netns', 'add', name]);
    await inside(name, 'ip link set lo up');
  }
  await run('ip', [
    ...['-n', names.client, 'link', 'add', 'name', 'eth0', 'type', 'veth'],
    ...['peer', 'name', 'eth0', 'netns', names.cluster],
  ]);
  await inside(names.client, `ip addr add ${CLIENT_IP}/30 dev eth0`, 'ip link set eth0 up');
  await inside(names.cluster, `ip addr add ${CLUSTER_IP}/30 dev eth0`, 'ip link set eth0 up');
  await inside(names.client, `ip route add default via ${CLUSTER_IP}`);
  return names;
}

/** Runs commands in a namespace, one after the other. Words are split at spaces: no quoting. */
export async function inside(namespace: string, ...commands: readonly string[]): Promise<void> {
  for (const command of commands) await run('ip', ['netns', 'exec', namespace, ...command.split(' ')]);
}

async function remove(name: string): Promise<void> {
  if (!alive.delete(name)) return;
  await run('ip', ['netns', 'del', name]);
}

function removeNow(name: string): void {
  try {
    execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  } catch {
    // Never made, or gone already.
  }
}

/** The processes in a dead maker's namespaces have ended by themselves: their IPC channel closed with it. */
function sweep(): void {
  let names: string[];
  try {
    names = readdirSync('/run/netns');
  } catch {
    return; // No namespace was ever named on this machine.
  }
  for (const name of names) {
    const pid = Number(new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1]);
    if (pid > 0 && !isRunning(pid)) removeNow(name);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
