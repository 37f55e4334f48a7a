/**
 * The program of a pod process: serves as many pods as its parent asks for over IPC, and nothing without a parent.
 *
 * SIGTERM stops all pods as a well-behaved container does: it serves on for `lameDuckMs` (until clients have read the
 * DNS record's disappearance), then says GOAWAY, finishes its calls and exits 0.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Pod, startPod } from './pod.js';
import type { PodCommand, PodReply } from './pod-host.js';

const pods = new Map<string, Pod>();
let lameDuckMs = 0;

async function obey(command: PodCommand): Promise<unknown> {
  switch (command.do) {
    case 'start': {
      const pod = await startPod(command.ip, command.port, command.options);
      pods.set(pod.address, pod);
      return { port: pod.port };
    }
    case 'stop':
    case 'kill': {
      const pod = find(command.address);
      await pod[command.do]();
      pods.delete(command.address);
      return null;
    }
    case 'behave':
      find(command.address).behave(command.changes);
      return null;
    case 'stats':
      return Object.fromEntries([...pods].map(([address, pod]) => [address, pod.stats]));
    case 'lameDuck':
      lameDuckMs = command.ms;
      return null;
  }
}

function find(address: string): Pod {
  const pod = pods.get(address);
  if (pod === undefined) throw new Error(`no pod at ${address} in this process`);
  return pod;
}

function tell(reply: PodReply): void {
  if (process.connected) process.send?.(reply);
}

process.on('message', (command: PodCommand) => {
  obey(command).then(
    (result) => tell({ id: command.id, result }),
    (error: unknown) => tell({ id: command.id, error: error instanceof Error ? error.message : String(error) }),
  );
});

process.on('SIGTERM', async () => {
  await sleep(lameDuckMs);
  await Promise.all([...pods.values()].map((pod) => pod.stop()));
  process.exit(0);
});

// A terminal sends Ctrl-C to the whole group; the parent decides what becomes of its pods.
process.on('SIGINT', () => {});

// The parent is gone, in whatever way it went.
process.on('disconnect', () => process.exit(0));

tell({ id: 0, result: 'up' });
