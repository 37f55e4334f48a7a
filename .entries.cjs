/**
 * What users may load, and run. This list is the only place to add an entry point: the build, the layers, the check for unused code
 * and the check of the package read it, and `npm run build -- --write` brings package.json up to date.
 */
module.exports = {
  /** `name: file in lib`. `index` is the package's own name, any other entry is `grpc-headless/name`. */
  ENTRIES: {
    index: 'index.ts',
    register: 'register.ts',
    testing: 'testing.ts',
    opentelemetry: 'opentelemetry.ts',
    connect: 'connect.ts',
    kubernetes: 'kubernetes.ts',
  },
  /** `command: file in lib`. A command is no module: it has no types, and cannot be imported. */
  COMMANDS: { 'grpc-headless': 'cli/main.ts' },
  /** The entries that do something when they are loaded, so that a bundler has to keep a bare import of them. */
  EFFECTS: ['register'],
};
