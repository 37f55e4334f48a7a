// Checks what a user would install: packs the package as `npm publish` would, in a temporary folder, and looks at that.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brokenLinksOf, documentsOf } from '../test/support/markdown.ts';

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
    throw new Error(`${title}: failed (${error.status ?? error.code})`, { cause: error });
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

  // `node10` included: TypeScript with `module: commonjs` resolves so (`typesVersions` is for it).
  const attw = ['--profile', 'strict', '--no-emoji', '--no-color', '--format', 'table-flipped'];
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
  const same = names.map(
    (name) => `{
  const imported = await import('${name}');
  const required = require('${name}');
  const keys = Object.keys(required);
  if (keys.some((key) => imported[key] !== required[key]) || keys.length !== Object.keys(imported).length)
    throw new Error('${name}');
}`,
  );
  const head = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
`;
  writeFileSync(join(user, 'load.mjs'), `${head}${same.join('\n')}\n`);
  run('import and require', process.execPath, ['--no-warnings', 'load.mjs'], user);

  const installed = join(modules, manifest.name);
  const broken = documentsOf(installed).flatMap((document) =>
    brokenLinksOf(installed, document).map((link) => `${document}: ${link}`),
  );
  console.log('\n> links of the documents');
  if (broken.length > 0) throw new Error(`these lead to nothing in the package:\n${broken.join('\n')}`);

  // The files of the page are beside the code, also where that is a bundle.
  const serve = `const { spawn } = await import('node:child_process');
const child = spawn(process.execPath, process.argv.slice(2), { stdio: ['ignore', 'pipe', 'inherit'] });
// All of it is read: the command ends when its reader does.
const out = await new Promise((resolve) => {
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more) => {
    text += more;
    if (/http\\S+\\n/.test(text)) resolve(text);
  }).on('end', () => resolve(text));
});
try {
  const [url] = /http\\S+/.exec(out) ?? [];
  const page = await (await fetch(url)).text();
  for (const [, path] of page.matchAll(/(?:src|href)="([^"]+)"/g)) {
    const { status } = await fetch(new URL(path, url));
    if (status !== 200) throw new Error(path + ' is answered with ' + status);
  }
} finally {
  child.kill();
}
`;
  writeFileSync(join(user, 'serve.mjs'), serve);
  run(
    'the page of watch',
    process.execPath,
    ['serve.mjs', join(installed, manifest.bin[manifest.name]), 'watch', '127.0.0.1:1', '--web', '0'],
    user,
  );

  // The types by themselves, library files checked: no declaration may need the types of a devDependency.
  const imports = names.map((name, index) => `import * as entry${index} from '${name}';\nvoid entry${index};\n`);
  for (const file of ['types.mts', 'types.cts']) writeFileSync(join(user, file), imports.join(''));
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
  run('types', process.execPath, [command('typescript', 'tsc'), ...flags, 'types.mts', 'types.cts'], user);
} catch (error) {
  console.error(`\n✖ ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
