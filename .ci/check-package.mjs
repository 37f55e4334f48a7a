// Checks what a user would install: packs the package as `npm publish` would, in a temporary folder, and looks at that.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The script behind a devDependency's command, so that it runs on this Node, on every platform. */
function command(name, bin) {
  const folder = join(root, 'node_modules', name);
  return join(folder, JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).bin[bin]);
}

function run(title, file, args, cwd) {
  console.log(`\n> ${title}`);
  try {
    execFileSync(file, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  } catch (error) {
    console.error(`\n✖ ${title}: failed (${error.status ?? error.code})`);
    process.exitCode = 1;
    throw error;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'grpc-headless-'));
try {
  // npm's own script where npm started us; `npm` is a .cmd on Windows, which execFile does not run.
  const npm = process.env.npm_execpath;
  const pack = ['pack', '--pack-destination', folder, '--loglevel', 'error'];
  run('npm pack', npm ? process.execPath : 'npm', npm ? [npm, ...pack] : pack, root);
  const tarball = join(folder, `${manifest.name}-${manifest.version}.tgz`);

  run('publint', process.execPath, [command('publint', 'publint'), 'run', tarball, '--strict'], root);

  // The package is ESM only, and `require()` of it works: every Node in `engines` (20.19 and later) loads ES modules
  // so. That makes "CommonJS resolves to ESM" no fault here; every other rule applies. The profile `esm-only` would skip
  // CommonJS altogether, and `node16` the projects that still resolve as Node 10 did (`typesVersions` is for them).
  const attw = [
    '--profile',
    'strict',
    '--ignore-rules',
    'cjs-resolves-to-esm',
    '--no-emoji',
    '--no-color',
    '--format',
    'table-flipped',
  ];
  run('attw', process.execPath, [command('@arethetypeswrong/cli', 'attw'), tarball, ...attw], root);

  // A user's project: beside the packed files only what npm would install with them.
  const user = join(folder, 'user');
  const modules = join(user, 'node_modules');
  mkdirSync(join(modules, manifest.name), { recursive: true });
  run('unpack', 'tar', ['-xzf', tarball, '--strip-components=1', '-C', join(modules, manifest.name)], folder);
  for (const name of [...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }), '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction');
  }
  const entries = Object.keys(manifest.exports).filter((entry) => !entry.endsWith('.json'));
  const names = entries.map((entry) => entry.replace('.', manifest.name));

  // One instance, however it is loaded: two would register the scheme twice and share no poller.
  const same = names.map((name) => `if (require('${name}') !== (await import('${name}'))) throw new Error('${name}');`);
  const head = `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n`;
  writeFileSync(join(user, 'load.mjs'), `${head}${same.join('\n')}\n`);
  run('import and require', process.execPath, ['--no-warnings', 'load.mjs'], user);

  // The types by themselves, library files checked: no declaration may need the types of a devDependency.
  const imports = names.map((name, index) => `import * as entry${index} from '${name}';\nvoid entry${index};\n`);
  writeFileSync(join(user, 'types.mts'), imports.join(''));
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
  run('types', process.execPath, [command('typescript', 'tsc'), ...flags, 'types.mts'], user);
} catch {
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
