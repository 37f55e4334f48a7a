/**
 * A project that uses this package, in a folder that anybody may read: the package as built for publishing, beside it
 * what npm would install with it, and the client program.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface UserProject {
  readonly folder: string;
  remove(): void;
}

export function makeUserProject(): UserProject {
  const folder = mkdtempSync(join(tmpdir(), 'grpc-headless-sandbox-'));
  chmodSync(folder, 0o755);
  const modules = join(folder, 'node_modules');
  const manifest = readManifest(ROOT);
  const own = join(modules, manifest.name);
  mkdirSync(own, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(own, 'package.json'));
  execFileSync(process.execPath, [join(ROOT, '.build.mjs')], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  cpSync(join(ROOT, 'dist'), join(own, 'dist'), { recursive: true });
  copyDependencies(manifest, modules);
  // Stops Node's search for the package that the program belongs to.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  cpSync(fileURLToPath(new URL('./client.mjs', import.meta.url)), join(folder, 'client.mjs'));
  cpSync(join(ROOT, 'test', 'support', 'hello.proto'), join(folder, 'hello.proto'));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** Copies, since a link would lead out of the folder, where the program may not read. */
function copyDependencies(from: Manifest, modules: string): void {
  for (const name of Object.keys({ ...from.dependencies, ...from.peerDependencies })) {
    const installed = join(ROOT, 'node_modules', name);
    // Not there: it is nested in the package that needs it, and was copied with that.
    if (!existsSync(installed) || existsSync(join(modules, name))) continue;
    cpSync(installed, join(modules, name), { recursive: true });
    copyDependencies(readManifest(installed), modules);
  }
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}
