/** Finds the binding for a request, as grpc-gateway's ServeMux does. */
import { status } from '@grpc/grpc-js';
import type { Binding } from './http-rule.js';
import { invalidArgument, StatusError } from './status.js';

export interface Route {
  readonly binding: Binding;
  /** The text of each variable of the path, by its field path. */
  readonly variables: ReadonlyMap<string, string>;
}

export class Router {
  /** By HTTP method. */
  readonly #bindings = new Map<string, Binding[]>();

  constructor(bindings: readonly Binding[]) {
    // Where two templates match, the one that comes later in the file wins.
    for (const binding of bindings)
      this.#bindings.set(binding.method, [binding, ...(this.#bindings.get(binding.method) ?? [])]);
  }

  get methods(): string[] {
    return [...this.#bindings.keys()];
  }

  /**
   * @param target the request's target, with its query.
   * @param isForm whether the body is a form: a POST of one stands for a GET whose query is too long.
   * @throws {StatusError} for a request that no binding is for.
   */
  find(method: string, target: string, isForm: boolean): Route {
    const components = componentsOf(target);
    const route = this.#match(method, components);
    if (route !== null) return route;
    const instead = isForm && method === 'POST' ? this.#match('GET', components) : null;
    if (instead !== null) return instead;
    // grpc-gateway answers 501, not 405: the body's code is UNIMPLEMENTED.
    if (this.methods.some((other) => this.#match(other, components) !== null))
      throw new StatusError(status.UNIMPLEMENTED, 'Method Not Allowed');
    throw new StatusError(status.NOT_FOUND, 'Not Found');
  }

  #match(method: string, components: readonly string[]): Route | null {
    for (const binding of this.#bindings.get(method) ?? []) {
      const variables = binding.template.match(components);
      if (variables !== null) return { binding, variables };
    }
    return null;
  }
}

/** The path is decoded as a whole and then divided, so that an encoded slash divides too: grpc-gateway's default. */
function componentsOf(target: string): string[] {
  const [path = ''] = target.split('?', 1);
  if (!path.startsWith('/')) throw invalidArgument('Bad Request');
  try {
    return decodeURIComponent(path.slice(1)).split('/');
  } catch (error) {
    throw invalidArgument(`the path "${path}" is not percent-encoded UTF-8`, error);
  }
}
