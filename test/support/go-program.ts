/**
 * Programs that a suite builds from the Go module proxy, pinned by a `go.mod` and a `go.sum` in the suite's folder, into
 * a cache that git ignores.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** In PATH, and no program of an npm package. */
const GO = 'go';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

interface GoSource {
  readonly folder: string;
  readonly build: string;
  readonly path?: string;
  readonly packages?: readonly string[];
  readonly imported?: string;
}

export class GoProgram {
  readonly name: string;
  /** The path of the program, whether it is built or not. */
  readonly binary: string;
  /** A sentence on how to get it. */
  readonly howToBuild: string;
  readonly #folder: string;
  readonly #package: string;
  readonly #cache: string;

  /**
   * @param folder of `go.mod`, relative to the root of the project.
   * @param build the program that builds it, relative to the root.
   * @param path of the folder of the program's package in the module, whose one file is `main.go`.
   * @param packages folders of other packages of the module that it imports.
   * @param imported the package of another module that is built in place of `path`, as `go.mod` names it in `tool`.
   */
  constructor(name: string, { folder, build, path = '.', packages = [], imported }: GoSource) {
    this.name = name;
    this.#folder = join(root, folder);
    this.#package = imported ?? `./${path}`;
    this.#cache = join(root, 'node_modules/.cache', name);
    const files = imported === undefined ? [join(path, 'main.go')] : [];
    for (const other of packages)
      for (const file of readdirSync(join(this.#folder, other))) files.push(join(other, file));
    const sources = ['go.mod', 'go.sum', ...files].map((file) => readFileSync(join(this.#folder, file), 'utf8'));
    const platform = `${process.platform} ${process.arch}`;
    const key = createHash('sha256').update(sources.join('\0')).update(platform).digest('hex');
    this.binary = join(this.#cache, `${name}-${key.slice(0, 16)}`);
    const goVersion = /^go (\S+)$/m.exec(sources[0] as string)?.[1];
    this.howToBuild =
      `it is built by "npm run ts -- ${relative(root, join(root, build))}", ` +
      `which needs Go ${goVersion} or later (https://go.dev/dl/) and its module proxy`;
  }

  /** What is missing; undefined where the program is there. Of the form that `requirements.ts` takes. */
  readonly missing = (): string | undefined =>
    existsSync(this.binary) ? undefined : `${this.name} is missing: ${this.howToBuild}`;

  /** Builds it unless it is there. @returns what is missing; null where the program is there. */
  ensureBuilt(): string | null {
    if (existsSync(this.binary)) return null;
    if (!hasGo()) return `${this.name} is missing: ${this.howToBuild}`;
    this.#build();
    return null;
  }

  /** The folder of a module that the program is built from. Needs Go. */
  moduleFolder(module: string): string {
    const args = ['list', '-m', '-f', '{{.Dir}}', module];
    return execFileSync(GO, args, { cwd: this.#folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  }

  #build(): void {
    mkdirSync(this.#cache, { recursive: true });
    // Under a name of its own until it is whole: another build may run at the same time.
    const unfinished = `${this.binary}.${process.pid}`;
    const started = performance.now();
    const flags = ['-trimpath', '-buildvcs=false', '-ldflags=-s -w'];
    execFileSync(GO, ['build', ...flags, '-o', unfinished, this.#package], {
      cwd: this.#folder,
      env: { ...process.env, CGO_ENABLED: '0' },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    renameSync(unfinished, this.binary);
    for (const file of readdirSync(this.#cache))
      if (!file.startsWith(basename(this.binary))) rmSync(join(this.#cache, file));
    console.error(`built ${this.name} in ${Math.round((performance.now() - started) / 1000)} s`);
  }
}

/**
 * For what can do without the program: builds it unless it is there. @returns what is missing, and why; null where the
 * program is there. A build that fails is an error where `CI` is set: nothing is left out there that could be had.
 */
export function whatIsMissing(
  program: Pick<GoProgram, 'name' | 'howToBuild' | 'ensureBuilt'>,
  { CI: inCi }: NodeJS.ProcessEnv = process.env,
): string | null {
  try {
    return program.ensureBuilt();
  } catch (error) {
    const message = `${program.name} could not be built (${(error as Error).message}): ${program.howToBuild}`;
    if (inCi) throw new Error(message, { cause: error });
    return message;
  }
}

function hasGo(): boolean {
  try {
    execFileSync(GO, ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/**
 * Builds what is not built yet, as a program does that a suite runs first. Without Go it says so and ends well: the tests
 * and benchmarks that use the program report that it is missing.
 */
export function buildAll(programs: readonly GoProgram[]): void {
  for (const program of programs) {
    const missing = program.ensureBuilt();
    if (missing !== null) console.error(missing);
  }
}
