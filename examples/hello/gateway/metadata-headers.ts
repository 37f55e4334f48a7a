/** HTTP headers as gRPC metadata and the other way round, by the rules of grpc-gateway. */
import type { IncomingMessage } from 'node:http';
import { Metadata } from '@grpc/grpc-js';
import { invalidArgument } from './status.js';

export const HEADER_PREFIX = 'grpc-metadata-';
export const TRAILER_PREFIX = 'grpc-trailer-';
/** Of metadata that comes from a permanent header. */
const PERMANENT_PREFIX = 'grpcgateway-';

/** Permanent request headers of IANA's list, as grpc-gateway has them. `Host` goes into x-forwarded-host. */
const PERMANENT: ReadonlySet<string> = new Set([
  'accept',
  'accept-charset',
  'accept-language',
  'accept-ranges',
  'authorization',
  'cache-control',
  'content-type',
  'cookie',
  'date',
  'expect',
  'from',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-schedule-tag-match',
  'if-unmodified-since',
  'max-forwards',
  'origin',
  'pragma',
  'referer',
  'user-agent',
  'via',
  'warning',
]);

const FORWARDED_FOR = 'x-forwarded-for';
const FORWARDED_HOST = 'x-forwarded-host';

/** HTTP/2 refuses these, or gRPC sends its own. */
const TRANSPORT: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

/** The ASCII-Value and the Header-Name of gRPC over HTTP/2. */
const TEXT = /^[\x20-\x7e]*$/;
const KEY = /^[0-9a-z_.-]+$/;

export interface IncomingOptions {
  /**
   * Whether clients may set any metadata with `Grpc-Metadata-` headers. Off by default, as in grpc-gateway since 2.33: pods cannot
   * tell such metadata from what a trusted proxy has set.
   */
  readonly metadataHeaders: boolean;
}

/** @throws {StatusError} INVALID_ARGUMENT for a binary header that is not base64. */
export function metadataOf(request: IncomingMessage, { metadataHeaders }: IncomingOptions): Metadata {
  const headers = request.headersDistinct;
  const metadata = new Metadata();
  for (const [name, values = []] of Object.entries(headers)) {
    const key = keyOf(name, metadataHeaders);
    if (key !== null) addValues(metadata, key, name, values);
  }
  // Last, in the place of any `Grpc-Metadata-Authorization`: HTTP/2 allows one value.
  const [authorization] = headers['authorization'] ?? [];
  if (authorization !== undefined && TEXT.test(authorization)) metadata.set('authorization', authorization);
  const host = headers[FORWARDED_HOST]?.[0] || headers['host']?.[0] || '';
  if (host !== '' && TEXT.test(host)) metadata.set(FORWARDED_HOST, host);
  const { remoteAddress } = request.socket;
  const addresses = [...(headers[FORWARDED_FOR] ?? []), ...(remoteAddress === undefined ? [] : [remoteAddress])];
  const chain = addresses.filter((address) => TEXT.test(address));
  if (chain.length > 0) metadata.set(FORWARDED_FOR, chain.join(', '));
  return metadata;
}

/** The metadata key for a header; null for one that is not forwarded. */
function keyOf(name: string, metadataHeaders: boolean): string | null {
  if (PERMANENT.has(name)) return PERMANENT_PREFIX + name;
  if (!metadataHeaders || !name.startsWith(HEADER_PREFIX)) return null;
  const key = name.slice(HEADER_PREFIX.length);
  // Pods rely on these coming from the gateway.
  const reserved = key.startsWith(PERMANENT_PREFIX) || key === FORWARDED_FOR || key === FORWARDED_HOST;
  // gRPC reserves keys that start with `grpc-` for itself.
  return reserved || TRANSPORT.has(key) || key.startsWith('grpc-') || !KEY.test(key) ? null : key;
}

function addValues(metadata: Metadata, key: string, header: string, values: readonly string[]): void {
  if (!key.endsWith('-bin')) {
    const texts = values.filter((value) => TEXT.test(value));
    // One value for many means the same (RFC 9110 section 5.3), and not every key may be sent twice.
    if (texts.length > 0) metadata.set(key, texts.join(', '));
    return;
  }
  for (const value of values) {
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw invalidArgument(`invalid binary header ${header}: no base64`);
    metadata.add(key, Buffer.from(value, 'base64'));
  }
}

/** Header name to values. Binary metadata is sent as base64, since a header cannot hold any byte. */
export function headersOf(metadata: Metadata | null, prefix: string): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const key of Object.keys(metadata?.getMap() ?? {})) {
    const values = metadata?.get(key) ?? [];
    headers.set(
      prefix + key,
      values.map((value) => (typeof value === 'string' ? value : value.toString('base64'))),
    );
  }
  return headers;
}
