import entries from './.entries.cjs';

const { ENTRIES, COMMANDS } = entries;

/** @type {import('knip').KnipConfig} */
const config = {
  entry: [
    ...Object.values({ ...ENTRIES, ...COMMANDS }).map((file) => `lib/${file}!`),
    'test/**/*.test.ts',
    'test/*/main.ts',
    'test/e2e/*/main.ts',
    // Started by the suite.
    'test/e2e/connect-conformance/client.ts',
    'bench/*.ts',
    'examples/**/*.ts',
  ],
  project: ['{lib,test,bench,examples}/**/*.ts'],
  // Projects with packages of their own.
  ignore: ['examples/{google-gax,nestjs,nice-grpc,protobuf-ts,static-stubs,ts-proto,unit-testing}/**'],
  // A type may be exported for its name in the documentation, though only its own file mentions it.
  ignoreExportsUsedInFile: { interface: true, type: true },
  // Commands of the system; the suites that need them say so.
  ignoreBinaries: ['ip', 'mkfifo', 'prometheus', 'promtool', 'setpriv'],
  ignoreDependencies: [
    // .ci/check-package.mjs runs these by path.
    '@arethetypeswrong/cli',
    'publint',
  ],
};

// knip reads the default export.
// biome-ignore lint/style/noDefaultExport: see above
export default config;
