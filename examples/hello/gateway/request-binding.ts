/**
 * The request message from an HTTP request: the body first, then the variables of the path, then the query, for what neither
 * of these has set.
 */
import {
  create,
  type DescField,
  fromJson,
  fromJsonString,
  type JsonValue,
  type Message,
  mergeFromJsonString,
  type Registry,
} from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import { FieldMaskSchema } from '@bufbuild/protobuf/wkt';
import { pathsOf } from './field-mask.js';
import { enclosingMessage, resolveFields } from './field-path.js';
import { parseValue } from './field-value.js';
import type { Binding } from './http-rule.js';
import type { QueryParameters } from './query.js';
import type { Route } from './router.js';
import { invalidArgument } from './status.js';

export interface RequestParts {
  readonly query: () => QueryParameters;
  /** Empty where there is none. */
  readonly body: string;
}

/** @throws {StatusError} INVALID_ARGUMENT, for what does not fit the message. */
export function bindRequest({ binding, variables }: Route, { query, body }: RequestParts, registry: Registry): Message {
  const request = reflect(binding.rpc.input, create(binding.rpc.input));
  attempt('', () => bindBody(request, binding, body, registry));
  for (const [path, text] of variables)
    attempt(`type mismatch, parameter: ${path}, error: `, () => bindVariable(request, binding, path, text));
  if (binding.body !== 'request') attempt('', () => bindQuery(request, binding, query()));
  return request.message;
}

function attempt(prefix: string, bind: () => void): void {
  try {
    bind();
  } catch (error) {
    throw invalidArgument(prefix + (error as Error).message, error);
  }
}

function bindBody(request: ReflectMessage, { body: field, method }: Binding, text: string, registry: Registry): void {
  if (field === null) return;
  const options = { ignoreUnknownFields: true, registry };
  const isEmpty = text.trim() === '';
  if (field === 'request') {
    if (!isEmpty) mergeFromJsonString(request.desc, request.message, text, options);
    return;
  }
  // Checked alone: what follows a whole value must not become another field of the request.
  const json: JsonValue = isEmpty ? {} : JSON.parse(text);
  if (field.fieldKind !== 'message') {
    if (!isEmpty)
      mergeFromJsonString(request.desc, request.message, `{${JSON.stringify(field.jsonName)}:${text}}`, options);
    return;
  }
  const message = isEmpty ? create(field.message) : fromJsonString(field.message, text, options);
  request.set(field, reflect(field.message, message));
  if (method === 'PATCH') bindFieldMask(request, field, json);
}

/** A PATCH request without a field mask means the fields that are in its body. */
function bindFieldMask(request: ReflectMessage, body: DescField & { fieldKind: 'message' }, json: JsonValue): void {
  const masks = request.fields.filter((field) => isFieldMask(field));
  const [mask] = masks;
  // With more than one it is not known which one is meant.
  if (mask === undefined || masks.length > 1) return;
  const paths = pathsOf(body.message, json);
  request.set(mask, reflect(FieldMaskSchema, create(FieldMaskSchema, { paths })));
}

function isFieldMask(field: DescField): boolean {
  return field.fieldKind === 'message' && field.message.typeName === FieldMaskSchema.typeName;
}

function bindVariable(request: ReflectMessage, { variables }: Binding, path: string, text: string): void {
  const fields = variables.get(path) ?? [];
  const field = fields.at(-1);
  if (field === undefined) throw new RangeError(`the template has no variable "${path}"`);
  const message = enclosingMessage(request, fields);
  if (field.fieldKind === 'list') setList(message, field, text.split(','));
  else message.set(field, fields.length === 1 ? parseVariable(field, text) : parseValue(field, text));
}

/** A duration in a path is written as in JSON, unlike one in a query. */
function parseVariable(field: DescField, text: string): unknown {
  if (field.fieldKind === 'message' && field.message.typeName === 'google.protobuf.Duration')
    return reflect(field.message, fromJson(field.message, text));
  return parseValue(field, text);
}

function setList(message: ReflectMessage, field: DescField & { fieldKind: 'list' }, texts: readonly string[]): void {
  const list = message.get(field);
  for (const text of texts) list.add(parseValue(itemType(field), text));
}

/** The fields of a list or a map describe their items, though of another kind. */
function itemType({ scalar, enum: values, message }: DescField & { fieldKind: 'list' | 'map' }) {
  return { scalar, enum: values, message };
}

function bindQuery(request: ReflectMessage, binding: Binding, query: QueryParameters): void {
  const bound = [...binding.variables.values(), ...(binding.body ? [[binding.body as DescField]] : [])];
  const seen = new Set<string>();
  for (const [key, values] of query) {
    const [, name = key, mapKey] = /^(.*)\[(.*)\]$/s.exec(key) ?? [];
    const names = name.split('.');
    const fields = resolveFields(request.desc, names);
    const field = fields.at(-1);
    if (bound.some((other) => overlap(other, fields))) continue;
    if (field === undefined || fields.length < names.length) {
      // Unknown parameters may be meant for a proxy or for a later version; parts of what is no message are a mistake.
      if (field !== undefined && field.fieldKind !== 'message') throw new Error(`"${field.name}" is not a message`);
      continue;
    }
    const path = fields.map((part) => part.name).join('.') + (mapKey === undefined ? '' : `[${mapKey}]`);
    if (seen.has(path)) throw new Error(`duplicate field "${path}"`);
    seen.add(path);
    bindParameter(request, fields, field, mapKey, values);
  }
}

/** Whether one is the other, or is a part of it. */
function overlap(some: readonly DescField[], others: readonly DescField[]): boolean {
  const length = Math.min(some.length, others.length);
  return length > 0 && some.slice(0, length).every((field, index) => field === others[index]);
}

function bindParameter(
  request: ReflectMessage,
  fields: readonly DescField[],
  field: DescField,
  mapKey: string | undefined,
  values: readonly string[],
): void {
  const message = enclosingMessage(request, fields);
  if (mapKey !== undefined && field.fieldKind !== 'map') throw new Error(`"${field.name}" is not a map`);
  const [value = '', ...more] = values;
  if (field.fieldKind === 'list') setList(message, field, values);
  else if (more.length > 0) throw new Error(`too many values for "${field.name}": ${values.join(', ')}`);
  else if (field.fieldKind !== 'map') message.set(field, parseValue(field, value));
  else if (mapKey === undefined) throw new Error(`"${field.name}" is a map: write "${field.name}[key]=value"`);
  else message.get(field).set(parseValue({ scalar: field.mapKey }, mapKey), parseValue(itemType(field), value));
}
