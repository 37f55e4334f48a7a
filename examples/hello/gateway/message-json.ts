/**
 * Messages as JSON, with every field, as grpc-gateway writes them (EmitUnpopulated): zero values are written, and `null` for
 * messages that are not set. Fields of a oneof, and `optional` ones, are written only where they are set.
 */

import type { DescMessage } from '@bufbuild/protobuf';
import {
  create,
  type DescField,
  isMessage,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
  toJson,
} from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import { type Any, AnySchema, anyUnpack } from '@bufbuild/protobuf/wkt';

/** @throws {Error} for an Any whose type is not in the registry. */
export function messageJson(type: DescMessage, message: Message, registry: Registry): JsonValue {
  const json = toJson(type, message, { alwaysEmitImplicit: true, registry });
  return complete(reflect(type, message), json, registry);
}

/** One field of a message. One that is not set is written as if it were empty. */
export function fieldJson(type: DescMessage, message: Message, field: DescField, registry: Registry): JsonValue {
  const value = (messageJson(type, message, registry) as JsonObject)[field.jsonName];
  if (value !== undefined && value !== null) return value;
  return field.fieldKind === 'message' ? messageJson(field.message, create(field.message), registry) : null;
}

function complete(message: ReflectMessage, json: JsonValue, registry: Registry): JsonValue {
  if (isMessage(message.message, AnySchema)) return completeAny(message.message, json, registry);
  // The well-known types have a JSON of their own.
  if (message.desc.typeName.startsWith('google.protobuf.') || !isObject(json)) return json;
  const object: JsonObject = {};
  for (const field of message.fields) {
    const value = json[field.jsonName];
    if (value !== undefined) object[field.jsonName] = completeField(message, field, value, registry);
    else if (field.oneof === undefined && !field.proto.proto3Optional) object[field.jsonName] = null;
  }
  return object;
}

function completeAny(any: Any, json: JsonValue, registry: Registry): JsonValue {
  const content = anyUnpack(any, registry);
  const type = content && registry.getMessage(content.$typeName);
  if (!content || !type || type.typeName.startsWith('google.protobuf.')) return json;
  return { '@type': any.typeUrl, ...(messageJson(type, content, registry) as JsonObject) };
}

function completeField(message: ReflectMessage, field: DescField, json: JsonValue, registry: Registry): JsonValue {
  if (field.message === undefined) return json;
  if (field.fieldKind === 'message') return complete(message.get(field), json, registry);
  if (field.fieldKind === 'list' && Array.isArray(json))
    return [...message.get(field)].map((item, index) =>
      complete(item as ReflectMessage, json[index] ?? null, registry),
    );
  if (field.fieldKind === 'map' && isObject(json))
    return Object.fromEntries(
      [...message.get(field)].map(([key, item]) => [
        String(key),
        complete(item as ReflectMessage, json[String(key)] ?? null, registry),
      ]),
    );
  return json;
}

function isObject(json: JsonValue): json is JsonObject {
  return json !== null && typeof json === 'object' && !Array.isArray(json);
}
