/** The HTTP rules (google/api/http.proto) in a set of compiled .proto files: which requests become which calls. */
import {
  type DescField,
  type DescMethod,
  type FileRegistry,
  getOption,
  type JsonValue,
  toJson,
} from '@bufbuild/protobuf';
import { findField, resolveFields } from './field-path.js';
import { PathTemplate } from './path-template.js';

/** One pair of HTTP method and path for one gRPC method. */
export interface Binding {
  readonly rpc: DescMethod;
  /** `'GET'`, or what a custom rule says. */
  readonly method: string;
  readonly template: PathTemplate;
  /** The fields that each variable of the template leads through, by the variable's path. */
  readonly variables: ReadonlyMap<string, readonly DescField[]>;
  /** What the body is: the whole request, one of its fields, or nothing. */
  readonly body: 'request' | DescField | null;
  /** The field of the response that is sent; null: the whole. */
  readonly responseBody: DescField | null;
}

/** In the JSON of google.api.HttpRule. */
interface HttpRule {
  readonly get?: string;
  readonly put?: string;
  readonly post?: string;
  readonly delete?: string;
  readonly patch?: string;
  readonly custom?: { readonly kind?: string; readonly path?: string };
  readonly body?: string;
  readonly responseBody?: string;
  readonly additionalBindings?: readonly HttpRule[];
}

const EXTENSION = 'google.api.http';

/**
 * @returns the bindings in the order of the files.
 * @throws {Error} that names the method: for a template that cannot be read, a field that does not exist, a stream of requests.
 */
export function bindingsIn(registry: FileRegistry): Binding[] {
  const extension = registry.getExtension(EXTENSION);
  if (extension?.fieldKind !== 'message')
    throw new Error(
      `the compiled .proto files have no ${EXTENSION}: import google/api/annotations.proto, and compile with all imports`,
    );
  const bindings: Binding[] = [];
  for (const desc of registry) {
    if (desc.kind !== 'service') continue;
    for (const rpc of desc.methods) {
      const option = getOption(rpc, extension);
      const rule = toJson(extension.message, option as never) as JsonValue as HttpRule;
      try {
        bindings.push(...bindingsOf(rpc, rule));
      } catch (error) {
        throw new Error(`${desc.typeName}.${rpc.name}: ${(error as Error).message}`, { cause: error });
      }
    }
  }
  return bindings;
}

function* bindingsOf(rpc: DescMethod, rule: HttpRule): Generator<Binding> {
  const [method, path] = patternOf(rule);
  if (path !== '') yield bind(rpc, rule, method, path);
  for (const additional of rule.additionalBindings ?? []) yield* bindingsOf(rpc, additional);
}

function patternOf({ get, put, post, delete: remove, patch, custom }: HttpRule): [method: string, path: string] {
  if (get !== undefined) return ['GET', get];
  if (put !== undefined) return ['PUT', put];
  if (post !== undefined) return ['POST', post];
  if (remove !== undefined) return ['DELETE', remove];
  if (patch !== undefined) return ['PATCH', patch];
  return [custom?.kind ?? '', custom?.path ?? ''];
}

function bind(rpc: DescMethod, { body = '', responseBody = '' }: HttpRule, method: string, path: string): Binding {
  if (rpc.methodKind === 'client_streaming' || rpc.methodKind === 'bidi_streaming')
    throw new Error('its requests are a stream, which this gateway does not map: remove its HTTP rule');
  const template = new PathTemplate(path);
  const variables = template.variables.map(({ fieldPath }) => {
    const names = fieldPath.split('.');
    const fields = resolveFields(rpc.input, names);
    if (fields.length < names.length)
      throw new Error(
        `the path "${path}" has the variable "${fieldPath}", and ${rpc.input.typeName} has no such field`,
      );
    return [fieldPath, fields] as const;
  });
  return {
    rpc,
    method,
    template,
    variables: new Map(variables),
    body: body === '*' ? 'request' : body === '' ? null : fieldNamed(rpc.input, 'body', body),
    responseBody: responseBody === '' ? null : fieldNamed(rpc.output, 'response_body', responseBody),
  };
}

function fieldNamed(message: DescMethod['input'], option: string, name: string): DescField {
  const field = findField(message, name);
  if (field === undefined) throw new Error(`its ${option} is "${name}", and ${message.typeName} has no such field`);
  return field;
}
