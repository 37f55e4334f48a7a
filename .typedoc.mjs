/**
 * The API reference, from the doc comments of what users may import: `npm run docs:api` writes it to dist-docs/, and
 * `npm run check:api` fails at each warning.
 */
import entries from './.entries.cjs';

/** @type {import('typedoc').TypeDocOptions} */
const options = {
  entryPoints: Object.values(entries.ENTRIES).map((file) => `lib/${file}`),
  tsconfig: 'lib/tsconfig.json',
  out: 'dist-docs',
  name: 'grpc-headless',
  readme: 'none',
  includeVersion: true,
  // Links to sources need a public repository, and TypeDoc warns where a clone has none.
  disableSources: true,
  excludePrivate: true,
  excludeInternal: true,
  treatWarningsAsErrors: true,
  // What users have no need to name: the types behind a parameter for tests, and the unions that other types are made of.
  // A source of addresses is made by `endpointSlices()`; its contract is not for users.
  intentionallyNotExported: [
    'lib/discovery/address-source.ts:AddressSource',
    'lib/discovery/address-source.ts:AddressSourceContext',
    'lib/reopening-queue.ts:ImbalanceSource',
    'lib/runtime.ts:Runtime',
    'lib/telemetry/events.ts:NameEvent',
    'lib/telemetry/events.ts:TargetEvent',
    'lib/testing.ts:FAILURES',
  ],
  validation: { notExported: true, invalidLink: true, invalidPath: true, notDocumented: true },
};

// TypeDoc reads the default export.
// biome-ignore lint/style/noDefaultExport: see above
export default options;
