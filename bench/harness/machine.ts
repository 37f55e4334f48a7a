/**
 * What a figure was measured on: goes into every result, because a figure without its machine says nothing.
 *
 * `describeMachine()` costs a fork of git at the most; the load average is that of the program's start, before it made any.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';

export interface Machine {
  readonly cpu: string;
  /** Logical ones. */
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  readonly grpcJs: string;
  readonly grpcHeadless: string;
  /** Short hash, with `+` where the tree differs from it; null outside a git tree. */
  readonly commit: string | null;
  /** Of the minute before the start: above the number of cores, others took part in the measurement. */
  readonly loadAverage: number;
}

const LOAD_AT_START = loadavg()[0] ?? 0;
const ROOT = new URL('../../', import.meta.url);

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    os: `${platform()} ${release()} ${arch()}`,
    node: process.versions.node,
    grpcJs: versionIn('node_modules/@grpc/grpc-js/package.json'),
    grpcHeadless: versionIn('package.json'),
    commit: commit(),
    loadAverage: Math.round(LOAD_AT_START * 100) / 100,
  };
}

/** One line, for people. */
export function machineLine(machine: Machine): string {
  const { cpu, cores, memoryGiB, os, node, grpcJs, grpcHeadless, commit: hash, loadAverage } = machine;
  const versions = `Node.js ${node}, grpc-js ${grpcJs}, grpc-headless ${grpcHeadless}${hash ? ` (${hash})` : ''}`;
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}; ${versions}; load average ${loadAverage}`;
}

function versionIn(path: string): string {
  return (JSON.parse(readFileSync(new URL(path, ROOT), 'utf8')) as { version: string }).version;
}

function commit(): string | null {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    const clean = git('status', '--porcelain', '--untracked-files=no', 'lib') === '';
    return `${git('rev-parse', '--short', 'HEAD')}${clean ? '' : '+'}`;
  } catch {
    return null;
  }
}
