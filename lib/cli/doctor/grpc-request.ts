/**
 * One gRPC request on an HTTP/2 session that is open already (gRPC over HTTP2,
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). A channel of grpc-js would open a connection of its
 * own, and the doctor has to tell what one connection to one pod does.
 */
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import type { Clock } from '../../runtime.js';

export interface GrpcReply {
  /** null: the server answered with something that is not gRPC, or not in time. */
  readonly status: number | null;
  readonly messages: readonly Buffer[];
}

export const UNIMPLEMENTED = 12;

/** A compressed flag of 0, and the length in four octets. */
const PREFIX_OCTETS = 5;

/** Never rejects. */
export function grpcRequest(
  session: ClientHttp2Session,
  { path, authority, message }: { readonly path: string; readonly authority: string; readonly message: Buffer },
  clock: Clock,
  timeoutMs: number,
): Promise<GrpcReply> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      ':authority': authority,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const timer = clock.setTimer(timeoutMs, () => stream.destroy());
    stream.on('response', (received) => {
      headers = received;
    });
    stream.on('trailers', (received) => {
      trailers = received;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => {});
    stream.on('close', () => {
      timer.cancel();
      const status = trailers['grpc-status'] ?? headers['grpc-status'];
      resolve({ status: status === undefined ? null : Number(status), messages: unframe(Buffer.concat(chunks)) });
    });
    const prefix = Buffer.alloc(PREFIX_OCTETS);
    prefix.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([prefix, message]));
  });
}

/** Compressed messages are left out: no compression is offered. */
function unframe(octets: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + PREFIX_OCTETS <= octets.length; ) {
    const end = at + PREFIX_OCTETS + octets.readUInt32BE(at + 1);
    if (end > octets.length) break;
    if (octets[at] === 0) messages.push(octets.subarray(at + PREFIX_OCTETS, end));
    at = end;
  }
  return messages;
}
