/** The paths of a google.protobuf.FieldMask that a PATCH request means: the fields that are in its body. */
import type { DescMessage, JsonValue } from '@bufbuild/protobuf';
import { findField } from './field-path.js';

/** Messages whose JSON has no names of fields. */
const DYNAMIC: ReadonlySet<string> = new Set(['google.protobuf.Struct', 'google.protobuf.Value']);

/** @returns sorted paths. @throws {Error} for a name that is no field of the message. */
export function pathsOf(message: DescMessage, body: JsonValue): string[] {
  return [...paths(message, body, '')].sort();
}

function* paths(message: DescMessage, json: JsonValue, prefix: string): Generator<string> {
  for (const [name, value] of entriesOf(json)) {
    const field = findField(message, name);
    if (field === undefined) throw new Error(`could not find field "${name}" in "${message.typeName}"`);
    const path = prefix + field.name;
    // A list or a map is replaced as a whole.
    const type = field.fieldKind === 'message' ? field.message : undefined;
    if (type === undefined || type.typeName === 'google.protobuf.Any' || entriesOf(value).length === 0) yield path;
    else if (DYNAMIC.has(type.typeName)) yield* dynamicPaths(value, `${path}.`);
    else yield* paths(type, value, `${path}.`);
  }
}

function* dynamicPaths(json: JsonValue, prefix: string): Generator<string> {
  for (const [name, value] of entriesOf(json))
    if (entriesOf(value).length === 0) yield prefix + name;
    else yield* dynamicPaths(value, `${prefix}${name}.`);
}

function entriesOf(json: JsonValue): [string, JsonValue][] {
  return json !== null && typeof json === 'object' && !Array.isArray(json) ? Object.entries(json) : [];
}
