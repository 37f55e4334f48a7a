/**
 * Other copies of `@grpc/grpc-js` in the process. Each copy has classes and registries of its own: credentials of one
 * are no credentials to another, and the scheme `headless:` is registered with the copy that this package imports.
 */
import { createRequire } from 'node:module';
import { sep } from 'node:path';
import { ChannelCredentials, Client } from '@grpc/grpc-js';
import { HeadlessError } from '../errors.js';

/** Of the file that `require('@grpc/grpc-js')` loads; `import` loads it into the same cache. */
const ENTRY = ['@grpc', 'grpc-js', 'build', 'src', 'index.js'].join(sep);

const REMEDY =
  "run `npm dedupe` (or your package manager's equivalent), so that one copy is left, and have each of your packages " +
  'declare @grpc/grpc-js as a peer dependency; see docs/errors.md of grpc-headless';

/** What the export of a copy is recognised by. */
interface GrpcExports {
  readonly ChannelCredentials?: unknown;
  readonly Client?: unknown;
}

/**
 * Refuses channel credentials that another copy made, which grpc-js itself would only call no credentials. All other
 * values are left to grpc-js.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_GRPC_VERSION` with the paths and the versions of both copies.
 */
export function checkCredentials(credentials: unknown): void {
  if (credentials instanceof ChannelCredentials || !looksLikeCredentials(credentials)) return;
  throw new HeadlessError(
    'ERR_HEADLESS_GRPC_VERSION',
    `the channel credentials were made by a second copy of @grpc/grpc-js: ${twoCopies(madeBy(credentials))}; ${REMEDY}`,
  );
}

let warned = false;

/**
 * Warns, once in a process, of a client class of another copy. It works as long as the two versions agree on what a
 * channel is.
 */
export function checkClientClass(ClientClass: unknown): void {
  if (warned || typeof ClientClass !== 'function' || ClientClass === Client) return;
  const { prototype } = ClientClass as { prototype?: unknown };
  if (prototype instanceof Client || !looksLikeClient(prototype)) return;
  warned = true;
  const copies = twoCopies(({ Client: Other }) => typeof Other === 'function' && prototype instanceof Other);
  process.emitWarning(`the client class belongs to a second copy of @grpc/grpc-js: ${copies}; ${REMEDY}`, {
    code: 'GRPC_HEADLESS_SECOND_GRPC',
  });
}

/** By methods that channel credentials have in every version; call credentials lack the first. */
function looksLikeCredentials(value: unknown): value is object {
  const { _isSecure, _equals, compose } = (value ?? {}) as Record<string, unknown>;
  return [_isSecure, _equals, compose].every((method) => typeof method === 'function');
}

function looksLikeClient(prototype: unknown): boolean {
  const { makeUnaryRequest, waitForReady, getChannel } = (prototype ?? {}) as Record<string, unknown>;
  return [makeUnaryRequest, waitForReady, getChannel].every((method) => typeof method === 'function');
}

function madeBy(credentials: object): (exported: GrpcExports) => boolean {
  return ({ ChannelCredentials: Other }) => typeof Other === 'function' && credentials instanceof Other;
}

function twoCopies(isOther: (exported: GrpcExports) => boolean): string {
  const other = describeCopy(isOther);
  const own = describeCopy((exported) => exported.ChannelCredentials === ChannelCredentials);
  return `${other}, while grpc-headless uses ${own}`;
}

function describeCopy(isSought: (exported: GrpcExports) => boolean): string {
  const path = loadedCopies().find(({ exported }) => isSought(exported))?.path;
  if (path === undefined) return 'one whose path is not known (bundled, or loaded in another module registry)';
  return `${versionOf(path)} in ${path.slice(0, -ENTRY.length)}${ENTRY.split(sep).slice(0, 2).join(sep)}`;
}

function loadedCopies(): { readonly path: string; readonly exported: GrpcExports }[] {
  // The cache is the process's own, whichever file it is asked for.
  const { cache } = createRequire(process.execPath);
  const copies: { path: string; exported: GrpcExports }[] = [];
  for (const [path, module] of Object.entries(cache ?? {}))
    if (path.endsWith(sep + ENTRY) && module) copies.push({ path, exported: (module.exports ?? {}) as GrpcExports });
  return copies;
}

/** Never throws, because it is called to report an error. */
function versionOf(path: string): string {
  try {
    const { version } = createRequire(path)('../../package.json') as { version?: unknown };
    return String(version);
  } catch {
    return 'an unknown version';
  }
}
