/** The package as it is published, and what installs it in a project outside of the repository and runs that. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const NPM_INSTALL = 'npm install --no-audit --no-fund --prefer-offline --loglevel=error';
/** A command that does not end by itself. */
const TIMEOUT_MS = 180_000;

export interface Ran {
  readonly ok: boolean;
  /** What it wrote, in the order in which it came. */
  readonly output: string;
}

export interface RunOptions {
  /** Beside what this process inherited, without npm's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told of each piece of output as it comes, with what ends the command by SIGTERM. */
  readonly onOutput?: (text: string, terminate: () => void) => void;
}

/** Runs a command in a shell. */
export function run(command: string, cwd: string, { env = {}, onOutput }: RunOptions = {}): Promise<Ran> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_(?!config)|NODE_OPTIONS$|CI$)/.test(name));
  const child = spawn('sh', ['-c', command], {
    cwd,
    env: { ...Object.fromEntries(inherited), NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  let output = '';
  const add = (chunk: Buffer): void => {
    output += chunk.toString();
    onOutput?.(chunk.toString(), () => child.kill());
  };
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      resolve({ ok: code === 0, output: signal ? `${output}\nended by ${signal}` : output }),
    );
  });
}

/** What the command wrote. @throws with that, where it failed. */
export async function must(running: Promise<Ran>): Promise<string> {
  const { ok, output } = await running;
  if (!ok) throw new Error(output);
  return output;
}

/** Packs the package into a folder. Returns the tarball's path. Packing replaces `dist`: not two at a time. */
export async function pack(folder: string): Promise<string> {
  const packed = await must(run(`npm pack --pack-destination "${folder}" --loglevel error`, ROOT));
  return join(folder, packed.trim().split('\n').at(-1) ?? '');
}
