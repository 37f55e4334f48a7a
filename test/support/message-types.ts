/** Descriptors of protobuf-es from .proto files, without generated code. */
import { create, createFileRegistry, type FileRegistry, fromBinary, isFieldSet } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { loadSync } from '@grpc/proto-loader';

/** All that these files, and those which they import, define. */
export function loadMessageTypes(files: readonly string[], includeDirs: readonly string[] = []): FileRegistry {
  const definitions = Object.values(loadSync([...files], { includeDirs: [...includeDirs] }));
  const octets = definitions.flatMap(({ fileDescriptorProtos }) => (fileDescriptorProtos ?? []) as Buffer[]);
  const byName = new Map(
    octets.map((one) => fromBinary(FileDescriptorProtoSchema, one)).map((proto) => [proto.name, proto]),
  );
  // protobufjs makes a file of each package, without its imports: the well-known types are all that others may need.
  const file = [...byName.values()].toSorted((a, b) => Number(isWellKnown(b)) - Number(isWellKnown(a)));
  const types = new Set(file.flatMap(typesOf));
  for (const proto of file) complete(proto, types);
  return createFileRegistry(create(FileDescriptorSetSchema, { file }));
}

function isWellKnown(file: FileDescriptorProto): boolean {
  return file.package === 'google.protobuf';
}

function typesOf(file: FileDescriptorProto): string[] {
  const inside = (scope: string, message: DescriptorProto): string[] => {
    const name = `${scope}.${message.name}`;
    const enums = message.enumType.map((one) => `${name}.${one.name}`);
    return [name, ...enums, ...message.nestedType.flatMap((nested) => inside(name, nested))];
  };
  const scope = file.package === '' ? '' : `.${file.package}`;
  return [
    ...file.enumType.map((one) => `${scope}.${one.name}`),
    ...file.messageType.flatMap((one) => inside(scope, one)),
  ];
}

/**
 * What protobufjs leaves out: it writes names relative to where they stand, where protobuf-es takes absolute ones, and
 * forgets which oneofs stand for `optional`.
 */
function complete(file: FileDescriptorProto, types: ReadonlySet<string>): void {
  const scope = file.package === '' ? '' : `.${file.package}`;
  for (const message of file.messageType) completeMessage(message, scope, types);
  for (const { method } of file.service)
    for (const one of method) {
      one.inputType = absolute(one.inputType, scope, types);
      one.outputType = absolute(one.outputType, scope, types);
    }
}

function completeMessage(message: DescriptorProto, parent: string, types: ReadonlySet<string>): void {
  const scope = `${parent}.${message.name}`;
  for (const field of message.field) {
    if (field.typeName !== '') field.typeName = absolute(field.typeName, scope, types);
    if (isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex))
      field.proto3Optional = message.oneofDecl[field.oneofIndex]?.name === `_${field.name}`;
  }
  for (const nested of message.nestedType) completeMessage(nested, scope, types);
}

/** The innermost scope that has the name wins. */
function absolute(name: string, scope: string, types: ReadonlySet<string>): string {
  if (name.startsWith('.')) return name;
  for (let outer = scope; ; outer = outer.slice(0, outer.lastIndexOf('.'))) {
    if (types.has(`${outer}.${name}`)) return `${outer}.${name}`;
    if (outer === '') throw new Error(`no message or enum is called ${name} in ${scope}`);
  }
}
