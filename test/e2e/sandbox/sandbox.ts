/** Runs the client program under Node's permission model, as the user nobody, where no file system can be written to. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Defer } from '../../support/leak-check.js';

export interface SandboxPlan {
  /** Of the network. */
  readonly namespace: string;
  /** The folder of a user's project. */
  readonly project: string;
  /** The executable. */
  readonly node: string;
  /** What takes the place of /etc/resolv.conf. */
  readonly resolvConf: string;
  /** `--allow-…` */
  readonly permissions: readonly string[];
  /** The client program's arguments after its folder. */
  readonly args: readonly string[];
}

/**
 * `ip netns exec` gives it a mount namespace of its own, so that nothing here is seen outside. The executable is
 * mounted into the project, since its own folder may be one that only its owner can enter.
 */
const SCRIPT = `
  project=$1 node=$2 resolv_conf=$3; shift 3
  mount --make-rprivate /
  mount --bind "$resolv_conf" /etc/resolv.conf
  mount --bind "$node" "$project/node"
  while read -r _ target _; do mount -o remount,bind,ro "$target" 2>/dev/null || true; done < /proc/self/mounts
  for folder in / /tmp /var/tmp /dev/shm "$project"; do
    if ( : > "$folder/grpc-headless-probe" ) 2>/dev/null; then echo "$folder can be written to" >&2; exit 70; fi
  done
  cd /
  exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all \\
    "$project/node" --permission "$@"
`;

export interface SandboxRun {
  /** Of JSON, in the order in which they come. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly stderr: string;
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

export function runInSandbox(defer: Defer, plan: SandboxPlan): SandboxRun {
  const { namespace, project, node, resolvConf, permissions, args } = plan;
  writeFileSync(join(project, 'node'), '');
  const program = [...permissions, join(project, 'client.mjs'), project, ...args];
  const argv = ['netns', 'exec', namespace, 'sh', '-euc', SCRIPT, 'sh', project, node, resolvConf, ...program];
  const child = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } });
  defer(() => child.kill('SIGKILL'));
  const run = { lines: [] as Record<string, unknown>[], stderr: '' };
  createInterface({ input: child.stdout }).on('line', (line) =>
    run.lines.push(JSON.parse(line) as Record<string, unknown>),
  );
  child.stderr.on('data', (chunk: Buffer) => {
    run.stderr += chunk.toString();
  });
  const ended = new Promise<number | string>((resolve) =>
    child.on('close', (code, signal) => resolve(signal ?? code ?? -1)),
  );
  return Object.assign(run, { ended });
}
