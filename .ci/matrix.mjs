// Runs the tests of the package on every version of Node and of grpc-js that it promises to work with.
//
//   npm run test:matrix                 all of them
//   npm run test:matrix -- node@26      those whose name starts so
//
// The Nodes are npm's own packages of Node's binaries, kept in node_modules/.cache/matrix. Other versions of grpc-js
// are tried in a copy of the repository, since everything that needs grpc-js must find that one.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// The oldest that `engines` allows, and the newest of each later line. All of them run on the newest grpc-js 1.14, which
// is the devDependency.
const NODES = ['20.19.0', '22.23.3', '24.21.0', '26.10.0'];
// The oldest that `peerDependencies` allows.
const GRPC_OLDEST = '1.14.0';
// The last one before: its import must fail, with a sentence that says which versions work.
const GRPC_TOO_OLD = '1.13.7';

// What they test depends on no version: the benchmarks, the fuzzer, the soak, the harness of other suites, and texts.
// `npm test` runs them.
const WITHOUT =
  /^test\/((bench|examples|fuzz|packages|soak)\/|e2e\/[\w-]+-example|(code-blocks|documentation|in-my-cluster|readme|translation)\.)/;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, 'node_modules', '.cache', 'matrix');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const parts = [
  ...NODES.map((version) => ({ name: `node@${version}`, run: () => testOnNode(version) })),
  { name: `grpc-js@${GRPC_OLDEST}`, run: () => testOnGrpc(GRPC_OLDEST) },
  { name: `grpc-js@${GRPC_TOO_OLD}`, run: () => refuseGrpc(GRPC_TOO_OLD) },
];

function testOnNode(version) {
  const folder = install(`node-${process.platform}-${process.arch}`, version);
  return runTests(root, join(folder, 'bin'));
}

function testOnGrpc(version) {
  return inCopy(version, (copy) => runTests(copy));
}

function refuseGrpc(version) {
  return inCopy(version, (copy) => {
    // Its types do not fit either, so there are errors from the declarations; they are written last.
    spawnSync(process.execPath, ['.build.mjs'], { cwd: copy, stdio: 'ignore' });
    const program = `
      const tell = (error) => console.log(error.code + ': ' + error.message);
      try {
        require('${manifest.name}');
        console.log('it was required');
      } catch (error) {
        tell(error);
      }
      import('${manifest.name}').then(() => console.log('it was imported'), tell);`;
    // Node 20 ends the process by the error, where CommonJS throws that an ES module imports; later ones reject.
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { cwd: copy, encoding: 'utf8' });
    console.log(`${stdout}${stderr}`.trim());
    const sentence = /lacks experimental\..*: grpc-headless works with @grpc\/grpc-js \^1\.14\.0; install that version/;
    const [required, imported = stderr] = stdout.split('\n').filter((line) => line !== '');
    return [required, imported].every((said) => sentence.test(said) && said.includes('ERR_HEADLESS_GRPC_VERSION'));
  });
}

/** `npm test` but for WITHOUT; shows its summary, and from there on everything if it failed. */
function runTests(cwd, bin) {
  const path = bin ? `${bin}:${process.env.PATH}` : process.env.PATH;
  const env = { ...process.env, PATH: path, NO_COLOR: '1', FORCE_COLOR: undefined };
  // Without npm, which may not run on this Node: the script `ts` is put in by hand.
  const script = manifest.scripts.test.replace('npm run -s ts --', manifest.scripts.ts);
  const [command, ...patterns] = script.split(/ (?=test\/)/);
  const files = patterns.flatMap((pattern) => filesOf(cwd, pattern)).filter((file) => !WITHOUT.test(file));
  const { status, stdout } = spawnSync('sh', ['-c', `node --version && ${command} ${files.join(' ')}`], {
    cwd,
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const summary = stdout.indexOf('\nℹ tests ');
  if (status === 0) console.log(`${stdout.split('\n')[0]}${stdout.slice(summary)}`);
  else console.log(stdout.slice(Math.max(0, summary)));
  return status === 0 && summary >= 0;
}

/** The files of a pattern of the script: `test/*.test.ts` or `test/*\/*.test.ts`. */
function filesOf(cwd, pattern) {
  const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]+')}$`);
  return readdirSync(join(cwd, 'test'), { recursive: true })
    .map((file) => `test/${file}`)
    .filter((file) => expression.test(file))
    .toSorted();
}

/** The folder of a package as npm serves it, without its dependencies and without running anything of it. */
function install(name, version) {
  const folder = join(cache, `${name.replace('/', '-')}-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const unpacked = mkdtempSync(join(cache, 'unpacking-'));
  try {
    execFileSync('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', unpacked], { cwd: cache });
    const [archive] = readdirSync(unpacked);
    // Not all archives name their folder "package".
    execFileSync('tar', ['-xzf', archive, '--strip-components=1'], { cwd: unpacked });
    rmSync(join(unpacked, archive));
    renameSync(unpacked, folder);
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
  return folder;
}

/** Runs `body` in a copy of the repository in which grpc-js is of another version. */
function inCopy(grpcVersion, body) {
  const grpc = install('@grpc/grpc-js', grpcVersion);
  const copy = mkdtempSync(join(tmpdir(), 'grpc-headless-matrix-'));
  try {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
    });
    for (const file of listed.split('\0'))
      if (file && existsSync(join(root, file))) cpSync(join(root, file), join(copy, file));
    // No links: a package reached through one would find the repository's own grpc-js.
    cpSync(join(root, 'node_modules'), join(copy, 'node_modules'), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => source !== join(root, 'node_modules', '.cache'),
    });
    const place = join(copy, 'node_modules', '@grpc', 'grpc-js');
    rmSync(place, { recursive: true });
    cpSync(grpc, place, { recursive: true });
    return body(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const wanted = process.argv.slice(2);
const chosen = parts.filter(({ name }) => wanted.length === 0 || wanted.some((start) => name.startsWith(start)));
if (chosen.length === 0) {
  console.error(`nothing is called ${wanted.join(' or ')}; there are: ${parts.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const results = chosen.map(({ name, run }) => {
  console.log(`\n> ${name}`);
  const startedAt = performance.now();
  const passed = run();
  return `${passed ? '✔' : '✖'} ${name.padEnd(16)} ${Math.round((performance.now() - startedAt) / 1_000)} s`;
});
console.log(`\n${results.join('\n')}`);
if (results.some((line) => line.startsWith('✖'))) process.exitCode = 1;
