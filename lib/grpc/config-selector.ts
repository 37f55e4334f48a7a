/**
 * A ConfigSelector (gRFC A31) that gives each call its method's config, as the one of grpc-js does, and that tells when
 * grpc-js lets go of it. grpc-js does so when it closes the channel, and not when the channel becomes idle: a resolver has no
 * other way to tell the two apart.
 */
import { status } from '@grpc/grpc-js';
import type { ConfigSelector, MethodConfig, ServiceConfig } from './experimental.js';

/** @param onUnref grpc-js closed the channel, or replaces the selector by that of a new result. */
export function createConfigSelector({ methodConfig }: ServiceConfig, onUnref: () => void): ConfigSelector {
  const configs = configsByPath(methodConfig);
  return {
    invoke: (path) => ({
      methodConfig: configs.get(path) ?? configs.get(servicePath(path)) ?? configs.get('') ?? NO_CONFIG,
      pickInformation: {},
      status: status.OK,
      dynamicFilterFactories: [],
    }),
    unref: onUnref,
  };
}

const NO_CONFIG: MethodConfig = { name: [] };

/**
 * `/service/method`, `/service/`, or nothing for the default of all services. The first of several configs with the same
 * name counts.
 */
function configsByPath(methodConfigs: readonly MethodConfig[]): Map<string, MethodConfig> {
  const configs = new Map<string, MethodConfig>();
  for (const config of methodConfigs)
    for (const { service, method } of config.name) {
      const path = service ? `/${service}/${method ?? ''}` : '';
      if (!configs.has(path)) configs.set(path, config);
    }
  return configs;
}

function servicePath(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}
