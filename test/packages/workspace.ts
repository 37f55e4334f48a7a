/** A folder outside of the repository, in which a project is installed from the packed package and its cases run. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { must, NPM_INSTALL, pack, type Ran, run } from '../support/packed-package.js';
import { type Case, type Installer, PACKAGE_MANAGERS, type Project } from './projects.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const GRPC = '^1.14.0';

export class Workspace {
  readonly #folder = mkdtempSync(join(tmpdir(), 'grpc-headless-packages-'));
  #tarball = '';
  #registry = '';

  /** Packs the package, and installs the package managers. */
  static async open(): Promise<Workspace> {
    const workspace = new Workspace();
    try {
      await workspace.#prepare();
      return workspace;
    } catch (error) {
      await workspace.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }

  /** Installs a project in a folder of its own. @throws with what the installer wrote. */
  async install(project: Project, id: string): Promise<void> {
    const folder = join(this.#folder, id);
    mkdirSync(folder);
    const dependencies = { 'grpc-headless': `file:${this.#tarball}`, '@grpc/grpc-js': GRPC, ...project.packages };
    writeJson(join(folder, 'package.json'), { name: id, version: '1.0.0', private: true, dependencies });
    if (project.installer === 'yarn') writeFileSync(join(folder, 'yarn.lock'), '');
    await must(this.#run(INSTALL[project.installer ?? 'npm'], folder));
  }

  /** Runs one case of an installed project. */
  async runCase(
    { manifest, files, command }: Case,
    id: string,
    number: number,
    env: Record<string, string>,
  ): Promise<Ran> {
    const project = join(this.#folder, id);
    const folder = join(project, `case-${number}`);
    const alone = join(this.#folder, `${id}-${number}-alone`);
    mkdirSync(folder);
    mkdirSync(alone);
    if (manifest !== undefined) writeJson(join(folder, 'package.json'), manifest);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return this.#run(command, folder, { ...env, PROJECT: project, ALONE: alone, PATH: this.#path(project) });
  }

  async #prepare(): Promise<void> {
    this.#registry = (await must(this.#run('npm config get registry', ROOT))).trim();
    this.#tarball = await pack(this.#folder);
    const dependencies = { pnpm: PACKAGE_MANAGERS.pnpm, '@yarnpkg/cli-dist': PACKAGE_MANAGERS.yarn };
    const tools = join(this.#folder, 'tools');
    mkdirSync(tools);
    writeJson(join(tools, 'package.json'), { private: true, dependencies });
    await must(this.#run(INSTALL.npm, tools));
  }

  #path(project: string): string {
    return [
      join(project, 'node_modules', '.bin'),
      join(this.#folder, 'tools', 'node_modules', '.bin'),
      process.env['PATH'],
    ]
      .filter((part) => part !== undefined)
      .join(delimiter);
  }

  #run(command: string, cwd: string, env: Record<string, string> = {}): Promise<Ran> {
    return run(command, cwd, {
      env: {
        PATH: this.#path(cwd),
        YARN_NPM_REGISTRY_SERVER: this.#registry,
        YARN_ENABLE_TELEMETRY: '0',
        YARN_ENABLE_HARDENED_MODE: '0',
        ...env,
      },
    });
  }
}

const INSTALL: Readonly<Record<Installer, string>> = {
  npm: NPM_INSTALL,
  pnpm: 'pnpm install --prefer-offline --no-frozen-lockfile --reporter=append-only',
  yarn: 'yarn install',
};

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
