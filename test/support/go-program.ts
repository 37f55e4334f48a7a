/**
 * Builds CoreDNS from the Go module proxy, pinned by go.mod and go.sum here, into a cache that git ignores. As a program
 * it builds what is not built yet; without Go it says so and ends well: the tests and benchmarks that use the server
 * report that it is missing.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** In PATH, and no program of an npm package. */
const GO = 'go';

const folder = dirname(fileURLToPath(import.meta.url));
const cache = join(folder, '../../../node_modules/.cache/coredns');

const sources = ['go.mod', 'go.sum', 'main.go'].map((file) => readFileSync(join(folder, file), 'utf8'));
const key = createHash('sha256').update(sources.join('\0')).update(`${process.platform} ${process.arch}`).digest('hex');
const goVersion = /^go (\S+)$/m.exec(sources[0] as string)?.[1];

export const binary = join(cache, `coredns-${key.slice(0, 16)}`);

export const howToBuild =
  `it is built by "npm run ts -- test/e2e/coredns/build.ts", ` +
  `which needs Go ${goVersion} or later (https://go.dev/dl/) and its module proxy`;

function build(): void {
  mkdirSync(cache, { recursive: true });
  // Under a name of its own until it is whole: another build may run at the same time.
  const unfinished = `${binary}.${process.pid}`;
  const started = performance.now();
  execFileSync(GO, ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', unfinished, '.'], {
    cwd: folder,
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  renameSync(unfinished, binary);
  for (const file of readdirSync(cache)) if (!file.startsWith(basename(binary))) rmSync(join(cache, file));
  console.error(`built CoreDNS in ${Math.round((performance.now() - started) / 1000)} s`);
}

function hasGo(): boolean {
  try {
    execFileSync(GO, ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Builds it unless it is there. @returns what is missing; null where the program is there. */
export function ensureBuilt(): string | null {
  if (existsSync(binary)) return null;
  if (!hasGo()) return `CoreDNS is missing: ${howToBuild}`;
  build();
  return null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const missing = ensureBuilt();
  if (missing !== null) console.error(missing);
}
