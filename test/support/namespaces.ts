/**
 * Two network namespaces with a link between them: the client's pod on one side, the rest of the cluster on the other.
 *
 *     client 10.0.0.2 ── eth0 ══ eth0 ── 10.0.0.1 cluster (DNS and pods on its loopback)
 *
 * Names hold the pid of the process that made them. They are removed by `close()` and when the process exits; those
 * that a killed process left behind are removed by the next one.
 */
import { execFile, execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PREFIX = 'grpc-headless';
const CLIENT_IP = '10.0.0.2';
const CLUSTER_IP = '10.0.0.1';

/** `client` and `cluster`: what to hand to `ip netns exec`. */
export interface Namespaces {
  readonly client: string;
  readonly cluster: string;
  /** Removes both. */
  close(): Promise<void>;
}

let made = 0;
const alive = new Set<string>();

process.on('exit', () => {
  for (const name of alive) removeNow(name);
});

/** The link is up, the client's default route goes through it, and nothing is filtered. */
export async function openNamespaces(): Promise<Namespaces> {
  if (made === 0) sweep();
  const stem = `${PREFIX}-${process.pid}-${++made}`;
  const names: Namespaces = {
    client: `${stem}-client`,
    cluster: `${stem}-cluster`,
    async close() {
      await Promise.all([remove(names.client), remove(names.cluster)]);
    },
  };
  try {
    await connect(names);
  } catch (error) {
    await names.close();
    throw error;
  }
  return names;
}

async function connect({ client, cluster }: Namespaces): Promise<void> {
  for (const name of [client, cluster]) {
    alive.add(name);
    await run('ip', ['netns', 'add', name]);
    await inside(name, 'ip link set lo up');
  }
  await run('ip', [
    ...['-n', client, 'link', 'add', 'name', 'eth0', 'type', 'veth'],
    ...['peer', 'name', 'eth0', 'netns', cluster],
  ]);
  await inside(client, `ip addr add ${CLIENT_IP}/30 dev eth0`, 'ip link set eth0 up');
  await inside(cluster, `ip addr add ${CLUSTER_IP}/30 dev eth0`, 'ip link set eth0 up');
  await inside(client, `ip route add default via ${CLUSTER_IP}`);
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
    // It was never made, or is removed already.
  }
}

/** Removes the namespaces of processes that have ended. The children of those have ended with them. */
function sweep(): void {
  let names: string[];
  try {
    names = readdirSync('/run/netns');
  } catch {
    return; // This machine never had a named namespace.
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
