/**
 * Builds `dist`, which is what users load:
 *
 *     npm run build               fails where package.json does not name the entries of .entries.cjs as it has to
 *     npm run build -- --write    writes them into package.json
 *
 * - `NAME.cjs`, one for each entry and command, and the chunks that they share. This is the one implementation: a process has it
 *   once, by `require` and by `import`. p-retry is in it, because it is ES-only: Jest, and every other loader that cannot
 *   `require` an ES module, could not load it. dns-packet is in it, because one file loads faster than eight.
 * - `NAME.mjs`, which names the exports of `NAME.cjs` for `import`.
 * - `types/`, declarations for both: those of CommonJS, and `NAME.d.mts`, which exports the same again (but for TWO_SETS).
 * - Files in lib that are not TypeScript, in a folder of the same name as there: `new URL('./page/index.html', import.meta.url)`
 *   finds them from source, where `page` is beside the code, and from `dist`.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import entries from './.entries.cjs';

const { ENTRIES, COMMANDS, EFFECTS } = entries;
const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, 'dist');
const lib = join(root, 'lib', sep);
const manifestPath = join(root, 'package.json');
const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
const require = createRequire(import.meta.url);

const PACKAGE_FOLDER = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/;

/** What runs at import, beyond definitions. All other modules may be left out where nothing of them is used. */
const effective = [...EFFECTS.map((name) => ENTRIES[name]), ...Object.values(COMMANDS), 'grpc/experimental.ts'];

/**
 * Entries that take and return types of packages which declare them once for `require` and once for `import`, where TypeScript does
 * not take one for the other: Connect and protobuf-es do.
 */
const TWO_SETS = ['connect'];

checkManifest(process.argv.includes('--write'));
rmSync(dist, { recursive: true, force: true });
const { chunks, packages } = await bundle();
for (const name of Object.keys(ENTRIES)) writeWrapper(chunks.find((chunk) => chunk.isEntry && chunk.name === name));
for (const name of Object.keys(COMMANDS)) chmodSync(join(dist, `${name}.cjs`), 0o755);
copyAssets();
writeLicences(packages);
declare();

/** The parts of package.json that follow from the entries. */
function manifestParts() {
  const names = Object.keys(ENTRIES);
  const subpaths = names.filter((name) => name !== 'index');
  const exports = Object.fromEntries(
    names.map((name) => [
      name === 'index' ? '.' : `./${name}`,
      {
        import: { types: `./dist/types/${name}.d.mts`, default: `./dist/${name}.mjs` },
        require: { types: typesOf(name), default: `./dist/${name}.cjs` },
      },
    ]),
  );
  const bin = Object.fromEntries(Object.keys(COMMANDS).map((name) => [name, `./dist/${name}.cjs`]));
  return {
    main: './dist/index.cjs',
    types: typesOf('index'),
    exports: { ...exports, './package.json': './package.json' },
    // TypeScript with `module: commonjs` reads no `exports`.
    typesVersions: { '*': Object.fromEntries(subpaths.map((name) => [name, [typesOf(name)]])) },
    sideEffects: EFFECTS.flatMap((name) => [`./dist/${name}.cjs`, `./dist/${name}.mjs`, `./lib/${ENTRIES[name]}`]),
    bin: Object.keys(bin).length > 0 ? bin : undefined,
  };
}

function typesOf(name) {
  return `./dist/types/${ENTRIES[name].replace(/\.ts$/, '.d.ts')}`;
}

function checkManifest(write) {
  const wanted = manifestParts();
  const differs = Object.entries(wanted).filter(
    ([key, part]) => JSON.stringify(manifest[key]) !== JSON.stringify(part),
  );
  if (differs.length === 0) return;
  if (write) {
    writeFileSync(manifestPath, `${JSON.stringify({ ...manifest, ...wanted }, null, 2)}\n`);
    return;
  }
  const keys = differs.map(([key]) => key).join(', ');
  console.error(`package.json does not fit the entries of .entries.cjs (${keys}): run \`npm run build -- --write\``);
  process.exit(1);
}

/** Writes the CommonJS. Returns its chunks, and the folders of the packages that they hold. */
async function bundle() {
  const input = Object.fromEntries(
    Object.entries({ ...ENTRIES, ...COMMANDS }).map(([name, file]) => [name, `lib/${file}`]),
  );
  const installed = Object.keys({ ...manifest.peerDependencies, ...manifest.optionalDependencies });
  const build = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    tsconfig: false,
    external: [/^node:/, ...installed.map((name) => new RegExp(`^${name}(/|$)`))],
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    treeshake: {
      moduleSideEffects: (id) => !id.startsWith(lib) || effective.includes(id.slice(lib.length).replaceAll(sep, '/')),
    },
    // A bundled package may offer itself to AMD loaders. Webpack would take the whole file for its module.
    transform: { target: 'node20.19', define: { define: 'undefined' } },
    onLog: (level, log, standard) => standard(level === 'warn' ? 'error' : level, log),
  });
  const { output } = await build.write({
    dir: dist,
    format: 'cjs',
    exports: 'named',
    esModule: true,
    sourcemap: true,
    entryFileNames: '[name].cjs',
    chunkFileNames: 'shared-[name].cjs',
    // Reading the code is most of the time that an import takes. Functions and classes keep their names, for stack traces.
    minify: { compress: true, mangle: { keepNames: true }, codegen: { removeWhitespace: false } },
    comments: { legal: true, annotation: false, jsdoc: false },
  });
  await build.close();
  for (const { fileName } of output.filter(({ fileName }) => fileName.endsWith('.map'))) {
    // The sources are in the package.
    const { sourcesContent, ...map } = JSON.parse(readFileSync(join(dist, fileName), 'utf8'));
    writeFileSync(join(dist, fileName), JSON.stringify(map));
  }
  const chunks = output.filter(({ type }) => type === 'chunk');
  const folders = chunks.flatMap(({ moduleIds }) => moduleIds.flatMap((id) => PACKAGE_FOLDER.exec(id)?.[0] ?? []));
  return { chunks, packages: new Set(folders) };
}

/** Explicit names: Node finds the exports of CommonJS by reading it, and other loaders may find fewer. */
function writeWrapper({ name, exports }) {
  const from = `'./${name}.cjs';`;
  const line = exports.length > 0 ? `export { ${exports.toSorted().join(', ')} } from ${from}` : `import ${from}`;
  writeFileSync(join(dist, `${name}.mjs`), `${line}\n`);
}

function copyAssets() {
  for (const file of readdirSync(join(root, 'lib'), { recursive: true, withFileTypes: true }))
    if (file.isFile() && extname(file.name) !== '.ts' && file.name !== 'tsconfig.json')
      cpSync(join(file.parentPath, file.name), join(dist, basename(file.parentPath), file.name));
}

function writeLicences(folders) {
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name} has no licence text, which has to be in the package`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  });
  const head = 'The files in this folder contain parts of these packages.\n';
  writeFileSync(join(dist, 'THIRD-PARTY-LICENSES'), [head, ...texts].join(`\n${'-'.repeat(80)}\n\n`));
}

/** One set of declarations: two would make two types of each class, because classes with private members are nominal. */
function declare() {
  const types = join(dist, 'types');
  mkdirSync(types);
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', join(root, 'lib')], {
    stdio: 'inherit',
  });
  writeFileSync(join(types, 'package.json'), '{ "type": "commonjs" }\n');
  for (const [name, file] of Object.entries(ENTRIES)) {
    const source = `./${relative('.', file).split(sep).join('/').replace(/\.ts$/, '.js')}`;
    writeFileSync(join(types, `${basename(name)}.d.mts`), `export * from '${source}';\n`);
  }
  for (const name of TWO_SETS) declareForModules(types, name);
}

/** The entry and the files of its folder once more, for `import`. All else that they import stays the one set. */
function declareForModules(types, name) {
  const folder = join(types, name);
  const files = readdirSync(folder).filter((file) => file.endsWith('.d.ts'));
  for (const path of [join(types, `${name}.d.ts`), ...files.map((file) => join(folder, file))]) {
    const own = path.startsWith(folder + sep) ? /'(\.\/[\w-]+)\.js'/g : /'(\.\/[\w-]+\/[\w-]+)\.js'/g;
    const text = readFileSync(path, 'utf8').replaceAll(own, "'$1.mjs'");
    writeFileSync(path.replace(/ts$/, 'mts'), text.replace(/^\/\/# sourceMappingURL=.*\n?/m, ''));
  }
}
