/**
 * Headers of the Fetch API, as Connect has them, and metadata of grpc-js. A key that ends in `-bin` has octets as its value;
 * in Headers they are base64 without padding (gRPC over HTTP/2, "Custom-Metadata").
 */
import { Code, ConnectError, encodeBinaryHeader } from '@connectrpc/connect';
import { Metadata } from '@grpc/grpc-js';

/**
 * Headers that grpc-js writes itself, and those that HTTP/2 forbids (RFC 9113 section 8.2.2): Node would end the connection's stream with
 * an error.
 */
const RESERVED: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'content-type',
  'grpc-accept-encoding',
  'grpc-encoding',
  'grpc-message',
  'grpc-status',
  'grpc-status-details-bin',
  'grpc-timeout',
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

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/**
 * Leaves out the headers that are not the caller's to set.
 *
 * @throws {ConnectError} `invalid_argument` for a header that gRPC cannot send.
 */
export function toMetadata(headers: Headers): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of headers) {
    if (RESERVED.has(key)) continue;
    const values = key.endsWith('-bin') ? binaryValuesOf(key, value) : [value];
    for (const one of values) add(metadata, key, one);
  }
  return metadata;
}

/** Adds all of the metadata to `headers`, in its order. */
export function addToHeaders(metadata: Metadata, headers: Headers): void {
  // Metadata keys may have a colon, header names may not.
  for (const [key, values] of Object.entries(metadata.toJSON()))
    if (!key.includes(':'))
      for (const value of values as (string | Buffer)[])
        headers.append(key, typeof value === 'string' ? value : encodeBinaryHeader(value));
}

function add(metadata: Metadata, key: string, value: string | Buffer): void {
  try {
    metadata.add(key, value);
  } catch (error) {
    throw invalid(
      key,
      String(value),
      'gRPC allows printable ASCII, and names of letters, digits, "_", "-" and "."',
      error,
    );
  }
}

function binaryValuesOf(key: string, value: string): Buffer[] {
  return value.split(',').map((part) => {
    const text = part.trim();
    if (!BASE64.test(text))
      throw invalid(key, value, 'write base64, as encodeBinaryHeader() of @connectrpc/connect does');
    return Buffer.from(text, 'base64');
  });
}

function invalid(key: string, value: string, remedy: string, cause?: unknown): ConnectError {
  const message = `the request header ${key} cannot have the value ${JSON.stringify(value)}: ${remedy}`;
  return new ConnectError(message, Code.InvalidArgument, undefined, undefined, cause);
}
