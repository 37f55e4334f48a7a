/** A pod of the Echo service. */
import { readFileSync } from 'node:fs';
import { create, createFileRegistry, type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { anyPack, DurationSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';

export const descriptors = readFileSync(new URL('./echo.binpb', import.meta.url));

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
const service = registry.getService('gateway.test.Echo');
const everything = registry.getMessage('gateway.test.Everything');
if (service === undefined || everything === undefined) throw new Error('echo.binpb has no gateway.test.Echo');

const definition: ServiceDefinition = Object.fromEntries(
  service.methods.map((rpc) => [
    rpc.name,
    {
      path: `/${service.typeName}/${rpc.name}`,
      requestStream: false,
      responseStream: rpc.methodKind === 'server_streaming',
      requestSerialize: serializer(rpc.input),
      requestDeserialize: deserializer(rpc.input),
      responseSerialize: serializer(rpc.output),
      responseDeserialize: deserializer(rpc.output),
    },
  ]),
);

function serializer(type: DescMethod['input']): (message: Message) => Buffer {
  return (message) => Buffer.from(toBinary(type, message));
}

function deserializer(type: DescMethod['input']): (bytes: Buffer) => Message {
  return (bytes) => fromBinary(type, bytes);
}

/** Fields by their JSON names, as generated code would have them. */
type Fields = Message & Record<string, unknown>;
type Unary = (call: ServerUnaryCall<Fields, Message>, answer: sendUnaryData<Message>) => void;
type Stream = (call: ServerWritableStream<Fields, Message>) => void;

function everythingWith(fields: Record<string, unknown>): Message {
  const message = reflect(everything as DescMethod['input']);
  for (const field of message.fields) if (field.localName in fields) message.set(field, fields[field.localName]);
  return message.message;
}

/** google.rpc.Status with code 5, the message "no such book" and a Duration of 3 s as its detail, under this type. */
function statusDetails(type: string): Buffer {
  const { value } = anyPack(DurationSchema, create(DurationSchema, { seconds: 3n }));
  const detail = Buffer.concat([field(1, Buffer.from(`type.googleapis.com/${type}`)), field(2, Buffer.from(value))]);
  return Buffer.concat([
    Buffer.from([0x08, status.NOT_FOUND]),
    field(2, Buffer.from('no such book')),
    field(3, detail),
  ]);
}

/** A field with a length, of less than 128 bytes. */
function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

export class EchoServer {
  /** Of Wait and WaitForStream: calls that were begun, and those of them that were cancelled. */
  waiting = 0;
  cancelled = 0;
  readonly #server = new Server();

  /** @returns once it listens; at a free port for port 0. */
  static async start(ip: string, port = 0): Promise<EchoServer & { readonly port: number }> {
    const server = new EchoServer();
    const bound = await new Promise<number>((resolve, reject) =>
      server.#server.bindAsync(`${ip}:${port}`, ServerCredentials.createInsecure(), (error, at) =>
        error ? reject(error) : resolve(at),
      ),
    );
    return Object.assign(server, { port: bound });
  }

  private constructor() {
    this.#server.addService(definition, {
      Say: this.#say,
      Fail: this.#fail,
      Count: this.#count,
      Metadata: this.#metadata,
      Wait: (call: ServerUnaryCall<Fields, Message>) => this.#wait(call),
      WaitForStream: (call: ServerWritableStream<Fields, Message>) => this.#wait(call),
    });
  }

  close(): void {
    this.#server.forceShutdown();
  }

  readonly #say: Unary = (call, answer) => answer(null, call.request);

  readonly #fail: Unary = (call, answer) => {
    const header = new Metadata();
    header.set('shelf', 'seven');
    call.sendMetadata(header);
    const { code, message, details } = call.request as Fields & { code: number; message: string; details: boolean };
    const trailer = new Metadata();
    trailer.set('reason', 'test');
    if (details) trailer.set('grpc-status-details-bin', statusDetails(message || DurationSchema.typeName));
    answer({ code, details: details ? 'no such book' : message, metadata: trailer });
  };

  readonly #count: Stream = (call) => {
    const { to, code } = call.request as Fields & { to: number; code: number };
    const header = new Metadata();
    header.set('shelf', 'seven');
    call.sendMetadata(header);
    for (let number = 1; number <= to; number++) call.write(everythingWith({ int64: BigInt(number) }));
    if (code === status.OK) call.end();
    else call.emit('error', { code, details: 'counted enough' });
  };

  readonly #metadata: Unary = (call, answer) => {
    const response = reflect(registry.getMessage('gateway.test.MetadataResponse') as DescMethod['output']);
    const [map] = response.fields;
    if (map?.fieldKind !== 'map') throw new Error('MetadataResponse has a map');
    for (const key of Object.keys(call.metadata.getMap())) {
      if (key === 'user-agent') continue; // The gateway's own.
      const values = call.metadata.get(key).map((value) => (typeof value === 'string' ? value : value.toString('hex')));
      response.get(map).set(key, values.join(' | '));
    }
    const header = new Metadata();
    header.add('shelf', 'seven');
    header.add('shelf', 'eight');
    call.sendMetadata(header);
    const trailer = new Metadata();
    trailer.set('reason', 'test');
    answer(null, response.message, trailer);
  };

  #wait(call: ServerUnaryCall<Fields, Message> | ServerWritableStream<Fields, Message>): void {
    this.waiting += 1;
    call.on('cancelled', () => {
      this.cancelled += 1;
    });
  }
}
