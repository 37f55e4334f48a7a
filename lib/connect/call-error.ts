/** The status of a call that failed, as Connect's error. */
import { Code, ConnectError } from '@connectrpc/connect';
import { type StatusObject, status } from '@grpc/grpc-js';
import { readFields } from '../protobuf.js';
import { addToHeaders } from './metadata.js';

const DETAILS_KEY = 'grpc-status-details-bin';
/** Fields of google.rpc.Status and google.protobuf.Any. */
const STATUS_DETAILS = 3;
const ANY_TYPE_URL = 1;
const ANY_VALUE = 2;

type Detail = Extract<ConnectError['details'][number], { type: string }>;

/**
 * @param header of the response, if it came. The error's metadata is this and the trailer together.
 * @returns null for OK.
 */
export function toConnectError({ code, details, metadata }: StatusObject, header: Headers | null): ConnectError | null {
  if (code === status.OK) return null;
  const error = new ConnectError(...problemOf(code, details), header ?? undefined);
  addToHeaders(metadata, error.metadata);
  const [encoded] = metadata.get(DETAILS_KEY);
  if (Buffer.isBuffer(encoded)) error.details = detailsOf(encoded);
  // So that a server that throws the error again does not send this call's metadata on as its own.
  return Object.assign(error, { isWireError: true });
}

function problemOf(code: status | undefined, details: string | undefined): [string, Code] {
  // grpc-js ends a call without a code or details where a message cannot be decompressed.
  if (code === undefined) return [details ?? 'a message has a compression that grpc-js cannot undo', Code.Internal];
  // Connect's codes are gRPC's numbers.
  return [details ?? '', code in Code ? (code as number) : Code.Unknown];
}

/** The details of a google.rpc.Status. One that cannot be read to its end has none. */
function detailsOf(encoded: Buffer): Detail[] {
  const { fields, whole } = readFields(encoded);
  if (!whole) return [];
  return fields.flatMap(({ field, octets }) => (field === STATUS_DETAILS && octets ? [detailOf(octets)] : []));
}

function detailOf(any: Buffer): Detail {
  let type = '';
  let value = new Uint8Array();
  for (const { field, octets } of readFields(any).fields) {
    if (octets === null) continue;
    // The name of the type is what follows the last slash.
    if (field === ANY_TYPE_URL) type = octets.toString().replace(/^.*\//s, '');
    if (field === ANY_VALUE) value = new Uint8Array(octets);
  }
  return { type, value };
}
