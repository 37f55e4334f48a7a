/** gRPC statuses as HTTP responses: the code, and the body, which is a google.rpc.Status in JSON. */
import {
  create,
  createFileRegistry,
  fromBinary,
  type JsonObject,
  type JsonValue,
  type Registry,
} from '@bufbuild/protobuf';
import {
  type Any,
  AnySchema,
  anyUnpack,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  file_google_protobuf_any,
} from '@bufbuild/protobuf/wkt';
import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { messageJson } from './message-json.js';

/** https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto, as grpc-gateway maps it. */
const HTTP_STATUS: Readonly<Record<number, number>> = {
  [status.OK]: 200,
  [status.CANCELLED]: 499,
  [status.UNKNOWN]: 500,
  [status.INVALID_ARGUMENT]: 400,
  [status.DEADLINE_EXCEEDED]: 504,
  [status.NOT_FOUND]: 404,
  [status.ALREADY_EXISTS]: 409,
  [status.PERMISSION_DENIED]: 403,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.FAILED_PRECONDITION]: 400,
  [status.ABORTED]: 409,
  [status.OUT_OF_RANGE]: 400,
  [status.UNIMPLEMENTED]: 501,
  [status.INTERNAL]: 500,
  [status.UNAVAILABLE]: 503,
  [status.DATA_LOSS]: 500,
  [status.UNAUTHENTICATED]: 401,
};

export function httpStatus(code: number): number {
  return HTTP_STATUS[code] ?? 500;
}

/** Why a request is answered with an error. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: number;
  readonly httpStatus: number;
  readonly details: readonly Any[];
  /** What the pod sent before its status; empty where the call did not come so far. */
  readonly header: Metadata | null;
  readonly trailer: Metadata | null;

  constructor(
    code: number,
    message: string,
    options: {
      cause?: unknown;
      /** Default: what the code maps to. */
      httpStatus?: number;
      details?: readonly Any[];
      header?: Metadata | null;
      trailer?: Metadata | null;
    } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.httpStatus = options.httpStatus ?? httpStatus(code);
    this.details = options.details ?? [];
    this.header = options.header ?? null;
    this.trailer = options.trailer ?? null;
  }
}

/** The request cannot become a message. */
export function invalidArgument(message: string, cause?: unknown): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, message, { cause });
}

const DETAILS_KEY = 'grpc-status-details-bin';

/** google/rpc/status.proto, which says what is in the trailer `grpc-status-details-bin`. */
const StatusSchema = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: 'google/rpc/status.proto',
    package: 'google.rpc',
    syntax: 'proto3',
    dependency: ['google/protobuf/any.proto'],
    messageType: [
      {
        name: 'Status',
        field: [
          {
            name: 'details',
            jsonName: 'details',
            number: 3,
            label: FieldDescriptorProto_Label.REPEATED,
            type: FieldDescriptorProto_Type.MESSAGE,
            typeName: '.google.protobuf.Any',
          },
        ],
      },
    ],
  }),
  () => file_google_protobuf_any,
).getMessage('google.rpc.Status');

/** How a call ended that did not end with OK. */
export function statusOfCall(error: ServiceError, header: Metadata | null): StatusError {
  const { code, details, metadata: trailer } = error;
  return new StatusError(code, details, { cause: error, details: detailsIn(trailer), header, trailer });
}

function detailsIn(trailer: Metadata | undefined): Any[] {
  const [bytes] = trailer?.get(DETAILS_KEY) ?? [];
  if (StatusSchema === undefined || !Buffer.isBuffer(bytes)) return [];
  try {
    return (fromBinary(StatusSchema, bytes) as unknown as { details: Any[] }).details;
  } catch {
    return []; // The code and the message are worth more than an answer that fails because of its details.
  }
}

/** A google.rpc.Status. Details whose type is not in the registry keep their bytes, in base64. */
export function statusBody({ code, message, details }: StatusError, registry: Registry): JsonObject {
  return { code, message, details: details.map((detail) => detailBody(detail, registry)) };
}

function detailBody(detail: Any, registry: Registry): JsonValue {
  if (anyUnpack(detail, registry) !== undefined) return messageJson(AnySchema, detail, registry);
  return { '@type': detail.typeUrl, value: Buffer.from(detail.value).toString('base64') };
}
