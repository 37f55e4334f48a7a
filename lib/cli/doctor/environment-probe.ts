/** What surrounds the process: the proxy that bare grpc-js would take, and the copies of `@grpc/grpc-js` on the disk. */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Environment, isExcluded, proxyOf } from '../../proxy.js';
import type { EnvironmentFacts, GrpcCopy } from './facts.js';

/** @param host of the target as a bare client would write it: with its final dot, an IPv6 address without brackets. */
export function probeEnvironment(env: Environment, host: string, folder: string): EnvironmentFacts {
  const proxy = proxyOf(env);
  return {
    proxy: proxy && { ...proxy, value: withoutPassword(proxy.value) },
    proxyExcluded: proxy !== null && isExcluded(env, host),
    proxyHost: host,
    grpcCopies: findGrpcCopies(folder),
  };
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//***@');
}

const GRPC_JS = '@grpc/grpc-js';
/** A project with more packages than this is looked at in part. */
const MAX_FOLDERS = 20_000;

/** Each copy once, whatever links lead to it: those in `folder`'s tree of packages and in the folders above it. */
function findGrpcCopies(folder: string): readonly GrpcCopy[] {
  const paths = new Set<string>();
  for (let at = folder; ; at = dirname(at)) {
    collect(join(at, 'node_modules'), paths, new Set());
    if (at === dirname(at)) break;
  }
  const project = copyLoadedFrom(folder);
  const headlessFolder = packageFolder('grpc-headless', folder);
  const headless = headlessFolder === null ? null : copyLoadedFrom(headlessFolder);
  for (const path of [project, headless]) if (path !== null) paths.add(path);
  return [...paths].map((path) => ({
    path,
    version: versionOf(path),
    usedByProject: path === project,
    usedByHeadless: path === headless,
  }));
}

/** Adds the copies in one `node_modules`, and in the packages there. */
function collect(folder: string, paths: Set<string>, visited: Set<string>): void {
  const real = realPath(folder);
  if (real === null || visited.has(real) || visited.size > MAX_FOLDERS) return;
  visited.add(real);
  for (const name of namesIn(real)) {
    // pnpm keeps every package in a folder of its own there.
    if (name === '.pnpm')
      for (const each of namesIn(join(real, name))) collect(join(real, name, each, 'node_modules'), paths, visited);
    if (name.startsWith('.')) continue;
    const packages = name.startsWith('@') ? namesIn(join(real, name)).map((each) => `${name}/${each}`) : [name];
    for (const each of packages) {
      const path = realPath(join(real, each));
      if (path === null) continue;
      if (each === GRPC_JS && existsSync(join(path, 'package.json'))) paths.add(path);
      collect(join(path, 'node_modules'), paths, visited);
    }
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

/** The copy that a module in this folder gets by its name. */
function copyLoadedFrom(folder: string): string | null {
  return packageFolder(GRPC_JS, folder);
}

function packageFolder(name: string, from: string): string | null {
  try {
    return realPath(dirname(createRequire(join(from, 'package.json')).resolve(`${name}/package.json`)));
  } catch {
    return null;
  }
}

function versionOf(folder: string): string {
  try {
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version?: unknown };
    return typeof version === 'string' ? version : 'unknown';
  } catch {
    return 'unknown';
  }
}
