/** Parameters of a query or of a form, as Go's url.ParseQuery reads them. */
import { invalidArgument } from './status.js';

/** Name to values, both decoded. */
export type QueryParameters = ReadonlyMap<string, readonly string[]>;

/**
 * @param texts queries without their `?`; the values of the first come first.
 * @throws {StatusError} INVALID_ARGUMENT.
 */
export function parseQuery(...texts: readonly string[]): QueryParameters {
  const parameters = new Map<string, string[]>();
  for (const pair of texts.flatMap((text) => text.split('&'))) {
    if (pair === '') continue;
    // Some servers take it for a separator: to refuse it is safer than to read another name than they do.
    if (pair.includes(';')) throw invalidArgument('invalid semicolon separator in query');
    const equals = pair.indexOf('=');
    const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    const key = decode(name);
    parameters.set(key, [...(parameters.get(key) ?? []), decode(value)]);
  }
  return parameters;
}

export function queryOf(target: string): string {
  const start = target.indexOf('?');
  return start < 0 ? '' : target.slice(start + 1);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    throw invalidArgument(`"${text}" in the query is not percent-encoded UTF-8`, error);
  }
}
