/**
 * grpc-headless/connect: a transport for Connect-ES. Needs the packages `@connectrpc/connect` and `@bufbuild/protobuf`.
 *
 * @module grpc-headless/connect
 */
export { createHeadlessTransport, type HeadlessTransport } from './connect/transport.js';
export type { HeadlessTransportOptions } from './connect/transport-options.js';
