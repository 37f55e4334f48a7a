/** Other releases of Node, from the packages for one platform that npm's `node` package is a front for. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/grpc-headless/', import.meta.url));

/** The executable's path, installed at first use; or the sentence that says why there is none. */
export function nodeRelease(version: string): { readonly path: string } | { readonly missing: string } {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(CACHE, `node-${version}`);
  const path = join(folder, 'node_modules', name, 'bin', 'node');
  if (existsSync(path)) return { path };
  mkdirSync(folder, { recursive: true });
  // Keeps npm from looking for a project in the folders above.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const install = ['install', '--no-save', '--no-package-lock', '--ignore-scripts', `${name}@${version}`];
  try {
    execFileSync('npm', install, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], timeout: 120_000 });
    return { path };
  } catch (error) {
    const reason = String((error as { stderr?: Buffer }).stderr ?? error)
      .trim()
      .split('\n')
      .find((line) => line.includes('error'));
    return { missing: `Node ${version} is missing: run \`npm ${install.join(' ')}\` in ${folder} (${reason})` };
  }
}
