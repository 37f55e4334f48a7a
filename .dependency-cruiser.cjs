const { ENTRIES } = require('./.entries.cjs');

/**
 * Arrows run one way: a room may import the rooms below it in this list, never one above. Type-only imports count,
 * because code that uses another room's types depends on that room.
 *
 * lib/grpc/experimental.ts stands at the bottom: it is what the rest of lib may see of grpc-js's `experimental`.
 */
const ROOMS = [
  ['cli', '^lib/cli/'],
  ['entry', '^lib/(index|register|opentelemetry|connect|kubernetes)[.]ts$'],
  ['connect', '^lib/connect/'],
  ['kubernetes', '^lib/kubernetes/'],
  ['client', '^lib/(client|reopening-(queue|stream))[.]ts$'],
  ['channel', '^lib/channel[.]ts$'],
  ['compose', '^lib/compose[.]ts$'],
  ['grpc', '^lib/grpc/(?!experimental[.]ts$)'],
  ['balancer', '^lib/balancer/'],
  ['picker', '^lib/picker/'],
  ['health', '^lib/health/'],
  ['settings', '^lib/(options/|(options|target)[.]ts$)'],
  ['discovery', '^lib/(discovery/|testing[.]ts$)'],
  ['dns', '^lib/dns/'],
  ['telemetry', '^lib/telemetry/'],
  ['leaves', '^lib/(address|errors|protobuf|proxy|runtime|grpc/experimental)[.]ts$'],
];

const oneWay = ROOMS.map(([name, path], index) => ({
  name: `one-way-${name}`,
  comment: `${name} imports nothing of the rooms above it. The order of the rooms is at the top of this file.`,
  severity: 'error',
  from: { path },
  to: {
    path: ROOMS.slice(0, index)
      .map(([, above]) => above)
      .join('|'),
  },
})).filter(({ to }) => to.path !== '');

/** The contracts between rooms: what an implementation is used through. */
const CONTRACTS =
  '^lib/(address|errors|runtime|picker/(policy|attempts)|health/health-monitor|discovery/address-source|dns/(resolution|name-resolver)|telemetry/events)[.]ts$';

const GRPC = '^node_modules/(@grpc/|nice-grpc)';

module.exports = {
  forbidden: [
    ...oneWay,
    {
      name: 'every-file-has-a-room',
      comment: 'A file that the order of the rooms does not know would escape it. Give it a room, or add it to one.',
      severity: 'error',
      from: { path: '^(lib|test|bench|examples)/' },
      to: { path: '^lib/', pathNot: ROOMS.map(([, path]) => path) },
    },
    {
      name: 'no-cycles',
      comment: 'Files that need each other are one file, or lack a third. Types alone may point back.',
      severity: 'error',
      from: { path: '^(lib|test|bench|examples)/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'entries-are-for-users',
      comment: 'Nothing inside lib but the command line goes through the front door: that is how cycles start.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/cli/' },
      to: { path: `^lib/(${Object.values(ENTRIES).join('|').replaceAll('.', '[.]')})$` },
    },
    {
      name: 'command-line-from-the-front',
      comment:
        'A command uses what users can import, and lib/dns, to ask servers one by one. The leaves are what these need.',
      severity: 'error',
      from: { path: '^lib/cli/' },
      to: { path: '^lib/(?!cli/|dns/|(index|target|address|errors|protobuf|proxy|runtime)[.]ts$|telemetry/)' },
    },
    {
      name: 'lib-stands-alone',
      comment: 'What is published imports nothing that is not.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(test|bench|examples|dist)/' },
    },
    {
      name: 'lib-imports-what-is-installed',
      comment: 'A devDependency is not there for the user. The peers are; types cost nothing at run time.',
      severity: 'error',
      from: { path: '^lib/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only', 'npm-peer'],
        pathNot: '^node_modules/(@grpc/grpc-js|@opentelemetry/api|@connectrpc/connect|@bufbuild/protobuf|@types)/',
      },
    },
    {
      name: 'compose-names-the-implementations',
      comment:
        'Policies, filters, monitors and sources are chosen in lib/compose.ts alone. All other rooms use them through ' +
        'their contracts.',
      severity: 'error',
      from: {
        path: '^lib/',
        pathNot:
          '^lib/(cli/|(compose|options|target|testing)[.]ts$|options/|kubernetes/|picker/|health/|discovery/|dns/)',
      },
      to: {
        path: '^lib/(picker|health|discovery|dns)/',
        pathNot: `${CONTRACTS}|^lib/picker/static-pickers[.]ts$`,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'pickers-see-endpoints-only',
      comment: 'A policy uses its endpoints and a PickerContext. Where the endpoints came from is not its business.',
      severity: 'error',
      from: { path: '^lib/picker/' },
      to: { path: '^lib/(?!picker/|runtime[.]ts$|grpc/experimental[.]ts$)' },
    },
    {
      name: 'telemetry-is-a-leaf',
      comment: 'Every room may emit events, so what receives them must not depend on any room.',
      severity: 'error',
      from: { path: '^lib/telemetry/' },
      to: { path: '^lib/(?!telemetry/|(address|errors|runtime)[.]ts$)' },
    },
    {
      name: 'dns-without-grpc',
      comment: 'lib/dns and lib/discovery are about names and addresses; gRPC starts at lib/grpc.',
      severity: 'error',
      from: { path: '^lib/(dns|discovery)/' },
      to: { path: GRPC },
    },
    {
      name: 'grpc-from-the-front',
      comment:
        'Inner files of grpc-js move with any release. That its `experimental` is used in lib/grpc/experimental.ts alone, ' +
        'Biome sees to (.biome.json): the names that an import takes are not known here.',
      severity: 'error',
      from: { path: '^(lib|test|bench|examples)/' },
      to: {
        path: '^node_modules/@grpc/grpc-js/',
        pathNot: '^node_modules/@grpc/grpc-js/build/src/index[.](d[.]ts|js)$',
      },
    },
    {
      name: 'dns-packet-in-one-file',
      comment: 'lib/dns/message.ts checks what dns-packet lets through. All other files use what it has checked.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/dns/message[.]ts$' },
      to: { path: '^node_modules/(@types/)?dns-packet/' },
    },
    {
      name: 'retry-in-dns-only',
      comment: 'Calls are retried by grpc-js, under its own policy. p-retry is for questions to DNS servers.',
      severity: 'error',
      from: { path: '^(lib|examples)/', pathNot: '^lib/dns/' },
      to: { path: '^node_modules/p-retry/' },
    },
    {
      name: 'opentelemetry-is-optional',
      comment: 'Who does not import grpc-headless/opentelemetry needs no @opentelemetry/api.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/(opentelemetry[.]ts$|telemetry/metrics/)' },
      to: { path: '^(node_modules/@opentelemetry/|lib/telemetry/metrics/)' },
    },
    {
      name: 'connect-is-optional',
      comment: 'Who does not import grpc-headless/connect needs no @connectrpc/connect.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/connect/' },
      to: { path: '^node_modules/(@connectrpc|@bufbuild)/' },
    },
    {
      name: 'kubernetes-is-optional',
      comment: 'Who does not import grpc-headless/kubernetes needs no @kubernetes/client-node.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/kubernetes[.]ts$' },
      to: { path: '^node_modules/@kubernetes/' },
    },
    {
      name: 'watch-for-its-entry',
      comment: 'Nothing but the entry grpc-headless/kubernetes loads the watch.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/kubernetes(/|[.]ts$)' },
      to: { path: '^lib/kubernetes/' },
    },
    {
      name: 'imports-resolve',
      severity: 'error',
      from: { path: '^(lib|test|bench|examples)/' },
      to: { couldNotResolve: true, pathNot: '^grpc-headless(/|$)' },
    },
  ],
  options: {
    // Before compilation, so that type-only imports are seen too.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: '^node_modules/' },
    // The examples that are left out are projects with packages of their own, which are not installed here.
    exclude: {
      path: '^(dist|bench/results|examples/(google-gax|nestjs|nice-grpc|protobuf-ts|static-stubs|ts-proto|unit-testing))/',
    },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
      mainFields: ['types', 'main'],
    },
  },
};
