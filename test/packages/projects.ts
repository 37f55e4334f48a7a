/** The projects that the packed package is proved in: what each installs, its files, and what runs there. */
import {
  CALLS,
  CALLS_MAIN,
  CONNECT,
  HELLO_PROTO,
  NEST_COMMONJS,
  NEST_MODULE,
  SHARED,
  toCommonJs,
  toModule,
} from './programs.js';

export type Installer = 'npm' | 'pnpm' | 'yarn';

/** Those that npm installs first, because they are packages themselves. */
export const PACKAGE_MANAGERS: Readonly<Record<Exclude<Installer, 'npm'>, string>> = {
  pnpm: '10.34.9',
  yarn: '4.18.1',
};

export interface Case {
  /** What it shows, in the table. */
  readonly title: string;
  /** A package.json of its own. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, string>>;
  /** For a shell in the case's folder. `$PROJECT` is the folder above it, and `$ALONE` an empty one outside of the project. */
  readonly command: string;
}

export interface Project {
  readonly name: string;
  /** Packages beside grpc-headless and @grpc/grpc-js, in exact versions. Those of the table come first. */
  readonly packages: Readonly<Record<string, string>>;
  /** How many of `packages` the table names. Default: all. */
  readonly shown?: number;
  readonly installer?: Installer;
  /** Its cases in fewer words, for the documentation. Default: their titles. */
  readonly summary?: string;
  readonly cases: readonly Case[];
}

const TYPES_NODE = { '@types/node': '20.19.43' };
const JEST = { jest: '30.5.2' };
const TYPESCRIPT_OF_TESTS = { typescript: '5.9.3' };

const TYPESCRIPTS = ['5.4.5', '5.9.3', '7.0.2'];

interface ModuleSetting {
  readonly title: string;
  readonly options: { readonly module: string; readonly moduleResolution?: string };
  /** Of the file, in a package of either type: what the compiler makes of it has to be what Node takes it for. */
  readonly extensions: Readonly<Record<'commonjs' | 'module', string>>;
}

const MODULE_SETTINGS: readonly ModuleSetting[] = [
  { title: 'commonjs', options: { module: 'commonjs' }, extensions: { commonjs: 'ts', module: 'cts' } },
  { title: 'node16', options: { module: 'node16' }, extensions: { commonjs: 'ts', module: 'ts' } },
  { title: 'nodenext', options: { module: 'nodenext' }, extensions: { commonjs: 'ts', module: 'ts' } },
  {
    title: 'esnext + bundler',
    options: { module: 'esnext', moduleResolution: 'bundler' },
    extensions: { commonjs: 'mts', module: 'ts' },
  },
];

function typescript(version: string): Project {
  const cases = MODULE_SETTINGS.flatMap(({ title, options, extensions }) =>
    (['commonjs', 'module'] as const).map((type): Case => {
      const extension = extensions[type];
      const compilerOptions = {
        ...options,
        target: 'es2022',
        strict: true,
        exactOptionalPropertyTypes: true,
        types: ['node'],
        // In this one, TypeScript finds faults in grpc-js's own declarations.
        skipLibCheck: version === '5.4.5' && options.moduleResolution === 'bundler',
        rootDir: '.',
        outDir: 'out',
      };
      return {
        title: `module ${title}, in a "type": "${type}" package`,
        manifest: { type },
        files: {
          [`main.${extension}`]: CALLS_MAIN,
          'tsconfig.json': JSON.stringify({ compilerOptions, include: [`main.${extension}`] }),
        },
        command: `tsc -p . && node out/main.${extension.replace('ts', 'js')}`,
      };
    }),
  );
  const settings = MODULE_SETTINGS.map(({ title }) => title).join(', ');
  return {
    name: 'TypeScript',
    packages: { typescript: version, ...TYPES_NODE },
    shown: 1,
    summary: `\`module\` ${settings}; each in a \`"type": "commonjs"\` and in a \`"type": "module"\` package`,
    cases,
  };
}

/** The binary for this processor: in its own package, or where bun's install script puts it, if npm ran that. */
const BUN =
  '"$(ls "$PROJECT"/node_modules/@oven/bun-*/bin/bun "$PROJECT"/node_modules/bun/bin/bun.exe 2>/dev/null | head -n 1)"';

const JS_MAINS = { 'main.cjs': toCommonJs(CALLS_MAIN), 'main.mjs': toModule(CALLS_MAIN) };
const REQUIRE_FOR_ESM = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

export const PROJECTS: readonly Project[] = [
  {
    name: 'Node.js',
    packages: {},
    cases: [
      {
        title: 'import and require in one process: one instance',
        files: { 'shared.mjs': SHARED },
        command: 'node shared.mjs',
      },
      { title: 'require', files: JS_MAINS, command: 'node main.cjs' },
      { title: 'import', files: JS_MAINS, command: 'node main.mjs' },
      {
        title: 'node:test, import',
        files: {
          'calls.mjs': toModule(CALLS),
          'calls.test.mjs': `import { test } from 'node:test';\nimport { run } from './calls.mjs';\ntest('calls', run);\n`,
        },
        command: 'node --test',
      },
      {
        title: 'node:test, require',
        files: {
          'calls.js': toCommonJs(CALLS),
          'calls.test.js': `require('node:test')('calls', require('./calls.js').run);\n`,
        },
        command: 'node --test',
      },
    ],
  },
  {
    name: 'Jest',
    packages: { ...JEST, 'ts-jest': '29.4.15', ...TYPESCRIPT_OF_TESTS, ...TYPES_NODE, '@types/jest': '30.0.0' },
    shown: 3,
    cases: [
      {
        title: "ts-jest's default preset",
        files: {
          'calls.ts': CALLS,
          'calls.test.ts': `import { run } from './calls';\ntest('calls', async () => { await run(); }, 60_000);\n`,
          'jest.config.js': `module.exports = { preset: 'ts-jest' };\n`,
          'tsconfig.json': JSON.stringify({
            compilerOptions: { target: 'es2022', module: 'commonjs', esModuleInterop: true, strict: true },
          }),
        },
        command: 'jest',
      },
    ],
  },
  {
    name: 'Jest',
    packages: { ...JEST, 'babel-jest': '30.5.2', '@babel/core': '7.29.0', '@babel/preset-env': '7.29.0' },
    shown: 2,
    cases: [
      {
        title: 'babel-jest',
        manifest: { private: true },
        files: {
          'calls.js': toModule(CALLS),
          'calls.test.js': `import { run } from './calls';\ntest('calls', async () => { await run(); }, 60_000);\n`,
          'babel.config.js': `module.exports = { presets: [['@babel/preset-env', { targets: { node: 'current' } }]] };\n`,
        },
        command: 'jest',
      },
    ],
  },
  {
    name: 'vitest',
    packages: { vitest: '4.1.12', vite: '7.3.8' },
    shown: 1,
    cases: [
      {
        title: 'its defaults',
        files: {
          'calls.ts': CALLS,
          'calls.test.ts': `import { test } from 'vitest';\nimport { run } from './calls';\ntest('calls', async () => { await run(); }, 60_000);\n`,
        },
        command: 'vitest run',
      },
    ],
  },
  ...TYPESCRIPTS.map(typescript),
  {
    name: 'pnpm',
    packages: {},
    installer: 'pnpm',
    cases: [
      { title: 'require', files: JS_MAINS, command: 'node main.cjs' },
      { title: 'import', files: JS_MAINS, command: 'node main.mjs' },
    ],
  },
  {
    name: 'Yarn',
    packages: {},
    installer: 'yarn',
    cases: [
      { title: "Plug'n'Play, require", files: JS_MAINS, command: 'yarn node main.cjs' },
      { title: "Plug'n'Play, import", files: JS_MAINS, command: 'yarn node main.mjs' },
    ],
  },
  {
    name: 'esbuild',
    packages: { esbuild: '0.28.2' },
    cases: [
      {
        title: 'a CommonJS bundle, run by itself',
        files: JS_MAINS,
        command: 'esbuild main.mjs --bundle --platform=node --outfile="$ALONE/out.cjs" && node "$ALONE/out.cjs"',
      },
      {
        title: 'an ES bundle with `require` in its banner, run by itself',
        files: JS_MAINS,
        command: `esbuild main.mjs --bundle --platform=node --format=esm --banner:js="${REQUIRE_FOR_ESM}" --outfile="$ALONE/out.mjs" && node "$ALONE/out.mjs"`,
      },
      {
        title: 'an ES bundle, packages external',
        files: JS_MAINS,
        command:
          'esbuild main.mjs --bundle --platform=node --format=esm --packages=external --outfile=out.mjs && node out.mjs',
      },
    ],
  },
  {
    name: 'webpack',
    packages: { webpack: '5.112.2', 'webpack-cli': '6.0.1' },
    shown: 1,
    cases: (['cjs', 'mjs'] as const).map((extension) => ({
      title: `a bundle of ${extension === 'cjs' ? 'CommonJS' : 'ES modules'}, run by itself`,
      files: JS_MAINS,
      command: `webpack --mode production --target node --entry ./main.${extension} -o "$ALONE" && node "$ALONE/main.js"`,
    })),
  },
  {
    name: 'ncc',
    packages: { '@vercel/ncc': '0.45.0' },
    cases: [
      {
        title: 'a bundle of CommonJS, run by itself',
        files: JS_MAINS,
        command: 'ncc build main.cjs -o "$ALONE" && node "$ALONE"/index.*js',
      },
      {
        title: 'a bundle of ES modules, run by itself',
        files: JS_MAINS,
        command: 'ncc build main.mjs -o "$ALONE" && node "$ALONE"/index.*js',
      },
    ],
  },
  {
    name: 'Bun',
    packages: { bun: '1.4.5' },
    cases: [
      { title: 'TypeScript', files: { 'main.ts': CALLS_MAIN }, command: `${BUN} main.ts` },
      { title: 'require', files: JS_MAINS, command: `${BUN} main.cjs` },
    ],
  },
  connect('2.0.0', '2.7.0'),
  connect('2.3.0', '2.17.0'),
  nest('11.2.10', '11.2.6', { title: 'CommonJS', files: { 'main.cjs': NEST_COMMONJS }, command: 'node main.cjs' }),
  nest('12.5.1', '12.1.1', { title: 'ES modules', files: { 'main.mjs': NEST_MODULE }, command: 'node main.mjs' }),
];

/** The oldest versions that are peers, and the newest. */
function connect(version: string, protobuf: string): Project {
  const compiled = (module: string, extension: string): Case => ({
    title: `TypeScript, module nodenext, ${module}`,
    files: {
      [`main.${extension}`]: CONNECT,
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          target: 'es2022',
          strict: true,
          exactOptionalPropertyTypes: true,
          types: ['node'],
          rootDir: '.',
          outDir: 'out',
          // Connect's own declarations need TypeScript's library for browsers.
          skipLibCheck: true,
        },
        include: [`main.${extension}`],
      }),
    },
    command: `tsc -p . && node out/main.${extension.replace('ts', 'js')}`,
  });
  return {
    name: 'Connect-ES',
    packages: {
      '@connectrpc/connect': version,
      '@bufbuild/protobuf': protobuf,
      ...TYPESCRIPT_OF_TESTS,
      ...TYPES_NODE,
    },
    shown: 2,
    cases: [compiled('require', 'cts'), compiled('import', 'mts')],
  };
}

function nest(core: string, microservices: string, { title, files, command }: Case): Project {
  return {
    name: 'NestJS',
    packages: {
      '@nestjs/core': core,
      '@nestjs/common': core,
      '@nestjs/microservices': microservices,
      '@grpc/proto-loader': '0.8.1',
      'reflect-metadata': '0.2.2',
      rxjs: '7.8.2',
    },
    shown: 1,
    cases: [{ title: `${title}, the target in \`url\``, files: { ...files, 'hello.proto': HELLO_PROTO }, command }],
  };
}
