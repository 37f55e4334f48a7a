/**
 * Targets: `host:port`, `headless:///host:port`, `headless://server[:port]/host:port`; `dns:` is read as `headless:`,
 * so that a target need not be rewritten to try this package. A final dot on the host means "absolute, no search
 * list". Scheme and authority are as in gRPC's naming document (https://github.com/grpc/grpc/blob/master/doc/naming.md).
 */
import { isIP } from 'node:net';
import { formatHostPort } from './address.js';
import { hostnameFault } from './dns/hostname.js';
import { formatServer, parseServer, type ServerAddress } from './dns/settings.js';
import { HeadlessError } from './errors.js';

export interface Target {
  /** The host as written, without a final dot; an IP address without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Written with a final dot: the search list is not used. */
  readonly absolute: boolean;
  /** The DNS server named as the authority; null where none is. */
  readonly server: ServerAddress | null;
}

export const SCHEME = 'headless';

const WITH_SCHEME = /^(headless|dns):(?:\/\/([^/]*)\/)?(.*)$/is;
const OTHER_SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const HOST_PORT = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/s;

/**
 * Reads a target.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_TARGET` naming the target, what is wrong with it, and the remedy.
 */
export function parseTarget(text: string): Target {
  if (typeof text !== 'string') throw refuse(text, 'it is not a string');
  const { authority, path } = splitUri(text);
  const server = authority ? parseServer(authority) : null;
  if (authority && !server)
    throw refuse(text, `its DNS server "${authority}" is not an IP address with an optional port`);

  const [, bracketed, plain, portText] = HOST_PORT.exec(path) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || portText === undefined) throw refuse(text, 'it has no port');
  const port = Number(portText);
  if (port < 1 || port > 65_535) throw refuse(text, `port ${portText} is not within 1 to 65535`);
  if (bracketed !== undefined) {
    if (isIP(bracketed) !== 6) throw refuse(text, `"${bracketed}" is not an IPv6 address`);
    return { hostname: bracketed, port, absolute: true, server };
  }

  const absolute = host.endsWith('.');
  const hostname = absolute ? host.slice(0, -1) : host;
  const fault = hostnameFault(hostname);
  if (fault !== undefined) throw refuse(text, fault);
  return { hostname, port, absolute: absolute || isIP(hostname) !== 0, server };
}

/** The form that grpc-js is given, and that `getTarget()` returns. */
export function formatTarget(target: Target): string {
  const authority = target.server ? formatServer(target.server) : '';
  const dot = target.absolute && isIP(target.hostname) === 0 ? '.' : '';
  return `${SCHEME}://${authority}/${formatHostPort(target.hostname + dot, target.port)}`;
}

/** What goes into `:authority`, SNI and the TLS name check: the Service's name, whichever IP is dialled. */
export function formatAuthority(target: Target): string {
  return formatHostPort(target.hostname, target.port);
}

function splitUri(text: string): { authority: string | undefined; path: string } {
  const [, , authority, path] = WITH_SCHEME.exec(text) ?? [];
  // `dns:50051` is a host called "dns", not a scheme before a host called "50051".
  if (path !== undefined && !/^\d+$/.test(path)) return { authority, path };
  const other = OTHER_SCHEME.exec(text)?.[1];
  if (other) throw refuse(text, `its scheme "${other}" is not one that a headless Service can be found by`);
  return { authority: undefined, path: text };
}

function refuse(text: unknown, flaw: string): HeadlessError {
  const remedy =
    'write "service.namespace:port", "headless:///service.namespace:port" or "headless://dns-ip/name:port"';
  const shown = typeof text === 'string' ? JSON.stringify(text) : String(text);
  return new HeadlessError('ERR_HEADLESS_TARGET', `target ${shown} cannot be used: ${flaw}; ${remedy}`);
}
