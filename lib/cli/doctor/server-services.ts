/**
 * What a server tells of itself: its health (grpc.health.v1, gRFC A17) and its services (server reflection, v1 and the
 * older v1alpha). The few protobuf fields that are needed are read by hand, so that no code has to be generated.
 */
import type { ClientHttp2Session } from 'node:http2';
import { readFields } from '../../protobuf.js';
import type { Clock } from '../../runtime.js';
import { type GrpcReply, grpcRequest, UNIMPLEMENTED } from './grpc-request.js';

/** `HealthCheckResponse.ServingStatus`. */
const SERVING_STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

const REFLECTION = ['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'];
/** `ServerReflectionRequest { list_services: "" }`: field 7, an empty string. */
const LIST_SERVICES = Buffer.from([0x3a, 0x00]);

export interface ServerQuestion {
  readonly authority: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Of the whole server (an empty service name); null where the health service is not served. */
export async function askHealth(session: ClientHttp2Session, question: ServerQuestion): Promise<string | null> {
  const { status, messages } = await ask(session, '/grpc.health.v1.Health/Check', Buffer.alloc(0), question);
  if (status !== 0) return null;
  // Proto3 leaves a zero out.
  const value = readFields(messages[0] ?? Buffer.alloc(0)).fields.find(({ field }) => field === 1)?.number ?? 0;
  return SERVING_STATUS[value] ?? `status ${value}`;
}

/** Names of the services; null where reflection is not served. */
export async function askServices(
  session: ClientHttp2Session,
  question: ServerQuestion,
): Promise<readonly string[] | null> {
  for (const service of REFLECTION) {
    const { status, messages } = await ask(session, `/${service}/ServerReflectionInfo`, LIST_SERVICES, question);
    if (status === 0) return messages.flatMap(servicesIn).sort();
    if (status !== UNIMPLEMENTED) return null;
  }
  return null;
}

/** `ServerReflectionResponse`: field 6 is the list, its field 1 a service, whose field 1 is the name. */
function servicesIn(response: Buffer): readonly string[] {
  return nested(response, 6)
    .flatMap((list) => nested(list, 1))
    .flatMap((service) => nested(service, 1))
    .map((name) => name.toString('utf8'));
}

function ask(
  session: ClientHttp2Session,
  path: string,
  message: Buffer,
  { authority, clock, timeoutMs }: ServerQuestion,
): Promise<GrpcReply> {
  return grpcRequest(session, { path, authority, message }, clock, timeoutMs);
}

function nested(message: Buffer, field: number): readonly Buffer[] {
  return readFields(message).fields.flatMap(({ field: number, octets }) =>
    number === field && octets !== null ? [octets] : [],
  );
}
