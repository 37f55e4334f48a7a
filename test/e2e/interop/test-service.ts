/**
 * The clients of `grpc.testing.TestService` and `grpc.testing.UnimplementedService`. The definitions are those of the server
 * itself, which prints them. Field names are as in the .proto files of gRPC's `src/proto/grpc/testing`.
 */
import { execFileSync } from 'node:child_process';
import {
  type CallOptions,
  type ChannelCredentials,
  type Client,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  loadPackageDefinition,
  type Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { interopServer } from './program.js';

interface Payload {
  body: Buffer;
}

/** A boolean that can be left out. */
interface BoolValue {
  value: boolean;
}

interface EchoStatus {
  code: number;
  message: string;
}

export interface SimpleRequest {
  response_size?: number;
  payload?: Payload;
  response_compressed?: BoolValue;
  response_status?: EchoStatus;
  expect_compressed?: BoolValue;
}

export interface SimpleResponse {
  payload: Payload | null;
}

export interface StreamingInputCallRequest {
  payload: Payload;
  expect_compressed?: BoolValue;
}

export interface StreamingInputCallResponse {
  aggregated_payload_size: number;
}

export interface StreamingOutputCallRequest {
  response_parameters?: { size: number; compressed?: BoolValue }[];
  payload?: Payload;
  response_status?: EchoStatus;
}

export interface StreamingOutputCallResponse {
  payload: Payload | null;
}

export type Callback<Response> = (error: ServiceError | null, response?: Response) => void;

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: CallOptions,
  callback: Callback<Response>,
) => ClientUnaryCall;

type Empty = Record<string, never>;

export interface TestClient extends Client {
  EmptyCall: UnaryMethod<Empty, Empty>;
  UnaryCall: UnaryMethod<SimpleRequest, SimpleResponse>;
  StreamingInputCall(
    metadata: Metadata,
    options: CallOptions,
    callback: Callback<StreamingInputCallResponse>,
  ): ClientWritableStream<StreamingInputCallRequest>;
  StreamingOutputCall(
    request: StreamingOutputCallRequest,
    metadata: Metadata,
    options: CallOptions,
  ): ClientReadableStream<StreamingOutputCallResponse>;
  FullDuplexCall(
    metadata: Metadata,
    options: CallOptions,
  ): ClientDuplexStream<StreamingOutputCallRequest, StreamingOutputCallResponse>;
  UnimplementedCall: UnaryMethod<Empty, Empty>;
}

interface UnimplementedClient extends Client {
  UnimplementedCall: UnaryMethod<Empty, Empty>;
}

type Constructor<C> = new (address: string, credentials: ChannelCredentials, options?: ClientOptions) => C;

interface Services {
  readonly TestService: Constructor<TestClient>;
  readonly UnimplementedService: Constructor<UnimplementedClient>;
}

function load(): Services {
  const missing = interopServer.missing();
  if (missing !== undefined) throw new Error(missing);
  const descriptors = execFileSync(interopServer.binary, ['-descriptors']);
  const definition = loadFileDescriptorSetFromBuffer(descriptors, { keepCase: true, defaults: true });
  const { grpc } = loadPackageDefinition(definition) as unknown as { grpc: { testing: Services } };
  return grpc.testing;
}

export const { TestService, UnimplementedService } = load();
