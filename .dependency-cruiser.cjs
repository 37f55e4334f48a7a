/**
 * Arrows run one way: a room may import the rooms below it in this list, never one above.
 * Type-only imports count: a room that knows another's types knows that room.
 */
const ROOMS = [
  ['entry', '^lib/(index|register)[.]ts$'],
  ['client', '^lib/client[.]ts$'],
  ['channel', '^lib/channel[.]ts$'],
  ['grpc', '^lib/(compose|grpc/(?!experimental)[a-z-]+)[.]ts$'],
  ['balancer', '^lib/(balancer/|telemetry/)'],
  ['picker', '^lib/picker/'],
  ['settings', '^lib/(options|target)[.]ts$'],
  ['discovery', '^lib/(discovery/|testing[.]ts$)'],
  ['dns', '^lib/dns/'],
  ['leaves', '^lib/(address|errors|runtime|grpc/experimental)[.]ts$'],
];

const oneWay = ROOMS.map(([name, path], index) => ({
  name: `one-way-${name}`,
  comment: `${name} imports nothing of the rooms above it. The order of the rooms is at the top of this file.`,
  severity: 'error',
  from: { path },
  to: {
    path: ROOMS.slice(0, index)
      .map(([, above]) => above)
      .concat(name === 'leaves' ? '^lib/(?!address|errors|runtime|grpc/experimental)' : [])
      .join('|'),
  },
})).filter(({ to }) => to.path !== '');

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
      comment: 'Nothing inside lib goes through the front door: that is how cycles start.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^lib/(index|register|testing)[.]ts$' },
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
      comment:
        'A devDependency is not there for the user. The peer, @grpc/grpc-js, is; types cost nothing at run time.',
      severity: 'error',
      from: { path: '^lib/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only', 'npm-peer'],
        pathNot: '^node_modules/(@grpc/grpc-js|@types)/',
      },
    },
    {
      name: 'pickers-know-no-dns',
      comment: 'A picker knows its endpoints and a Random. Where the endpoints came from is not its business.',
      severity: 'error',
      from: { path: '^lib/picker/' },
      to: {
        path: '^lib/(dns|discovery|balancer|telemetry)/|^lib/(target|options)[.]ts$|^lib/grpc/(?!experimental)',
      },
    },
    {
      name: 'dns-knows-no-grpc',
      comment: 'lib/dns and lib/discovery are about names and addresses; gRPC starts at lib/grpc.',
      severity: 'error',
      from: { path: '^lib/(dns|discovery)/' },
      to: { path: GRPC },
    },
    {
      name: 'pickers-know-no-grpc',
      comment: 'How to choose among endpoints is arithmetic. What grpc-js makes of the choice is for the other files.',
      severity: 'error',
      from: { path: '^lib/picker/(?!policy)' },
      to: { path: GRPC, dependencyTypesNot: ['type-only'] },
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
      comment: 'lib/dns/message.ts checks what dns-packet lets through. Nobody else may take its word.',
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
    exclude: { path: '^(dist|bench/results)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
      mainFields: ['types', 'main'],
    },
  },
};
