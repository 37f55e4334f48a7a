/** Fields by a path of names, such as `nested.number`. */
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import type { ReflectMessage } from '@bufbuild/protobuf/reflect';

/** By its name in the .proto file or by its JSON name. */
export function findField(message: DescMessage, name: string): DescField | undefined {
  return message.fields.find((field) => field.name === name) ?? message.fields.find((field) => field.jsonName === name);
}

/**
 * @returns the field of each name; those up to the first that is not there. Only singular messages have fields of
 * their own.
 */
export function resolveFields(message: DescMessage, names: readonly string[]): DescField[] {
  const fields: DescField[] = [];
  let parent: DescMessage | undefined = message;
  for (const name of names) {
    const field: DescField | undefined = parent && findField(parent, name);
    if (field === undefined) break;
    fields.push(field);
    parent = field.fieldKind === 'message' ? field.message : undefined;
  }
  return fields;
}

/**
 * The message that the last of these fields is in, made where it is not there yet.
 *
 * @throws {Error} where that would replace another field of a oneof.
 */
export function enclosingMessage(root: ReflectMessage, fields: readonly DescField[]): ReflectMessage {
  let message = root;
  for (const [index, field] of fields.entries()) {
    const chosen = field.oneof && message.oneofCase(field.oneof);
    // A message of a oneof may get more of its fields; anything else would be set twice.
    if (chosen && (chosen !== field || field.fieldKind !== 'message'))
      throw new Error(`the oneof "${field.oneof?.name}" is set already`);
    if (index === fields.length - 1) break;
    message = subMessage(message, field);
  }
  return message;
}

function subMessage(message: ReflectMessage, field: DescField): ReflectMessage {
  if (field.fieldKind !== 'message') throw new Error(`"${field.name}" is not a message`);
  // What `get` returns for a field that is not set is no part of the message.
  if (!message.isSet(field)) message.set(field, message.get(field));
  return message.get(field);
}
