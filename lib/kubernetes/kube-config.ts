/** What is used of a `KubeConfig` of `@kubernetes/client-node`: where the API server is, and how to prove who asks. */
import type { RequestOptions } from 'node:https';

/** A `KubeConfig` of any release of `@kubernetes/client-node` from 1.0 on is one. */
export interface KubeConfigLike {
  /** The API server; null where the configuration names none. */
  getCurrentCluster(): {
    /** Its URL. */
    readonly server: string;
  } | null;
  /** The name of the context in use. */
  getCurrentContext(): string;
  /** A context by its name; null where there is none. */
  getContextObject(name: string): {
    /** The namespace for requests that name none. */
    readonly namespace?: string | undefined;
  } | null;
  /** Adds the headers, the certificates and the agent for a request to the current cluster. */
  applyToHTTPSOptions(options: RequestOptions): Promise<void>;
}

const METHODS = ['getCurrentCluster', 'getCurrentContext', 'getContextObject', 'applyToHTTPSOptions'] as const;

export function isKubeConfig(value: unknown): value is KubeConfigLike {
  const given = value as KubeConfigLike | null;
  return typeof given === 'object' && given !== null && METHODS.every((name) => typeof given[name] === 'function');
}

/** The namespace of the pod, or of the current context. The API server's own default is the last. */
export function namespaceOf(config: KubeConfigLike): string {
  return config.getContextObject(config.getCurrentContext())?.namespace?.trim() || 'default';
}
