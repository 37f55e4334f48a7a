/** Names of named ports, `_port._protocol.service` (RFC 2782): what SRV records are asked for. Pure. */

export interface ServiceName {
  /** The port's name, without its underscore. */
  readonly port: string;
  /** The protocol, lower case, without its underscore. */
  readonly protocol: string;
  /** The name of the Service itself; empty where there is none. */
  readonly service: string;
}

const SERVICE_NAME = /^_([^.]*)\._([^.]*)(?:\.(.*))?$/s;

/**
 * The parts of a name whose first two labels begin with an underscore; null for any other name.
 * @param hostname without a final dot.
 */
export function parseServiceName(hostname: string): ServiceName | null {
  const [, port, protocol, service = ''] = SERVICE_NAME.exec(hostname) ?? [];
  if (port === undefined || protocol === undefined) return null;
  return { port, protocol: protocol.toLowerCase(), service };
}
