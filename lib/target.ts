/**
 * Targets: `host:port`, `headless:///host:port`, `headless://server[:port]/host:port`; `dns:` is read as `headless:`,
 * so that a target need not be rewritten to try this package. A final dot on the host means "absolute, no search
 * list". Scheme and authority are as in gRPC's naming document (https://github.com/grpc/grpc/blob/master/doc/naming.md).
 * In the place of `host:port`, `_port-name._tcp.host` leaves the port to SRV records (RFC 2782).
 */
import { formatHostPort, ipVersion } from './address.js';
import { hostnameFault } from './dns/hostname.js';
import { isLocalhost } from './dns/local-names.js';
import { parseServiceName } from './dns/service-name.js';
import { formatServer, parseServer, type ServerAddress } from './dns/settings.js';
import { HeadlessError } from './errors.js';

export interface Target {
  /** The host as written, without a final dot; an IP address without brackets. */
  readonly hostname: string;
  /** null where SRV records tell it: then `hostname` begins with `_port-name._tcp`. */
  readonly port: number | null;
  /** Written with a final dot: the search list is not used. */
  readonly absolute: boolean;
  /** The DNS server named as the authority; null where none is. */
  readonly server: ServerAddress | null;
}

export const SCHEME = 'headless';

const WITH_SCHEME = /^(headless|dns):(?:\/\/([^/]*)\/)?(.*)$/is;
/** With one or two slashes in the place of three: the host stands where the DNS server belongs, or nowhere. */
const SLASHES = /^(headless|dns):(\/\/?)(?:([^/]+)\/?)?$/is;
/** Schemes that are written without slashes, too: gRPC's own ones for addresses. */
const OTHER_SCHEME = /^(?:([a-z][a-z0-9+.-]*):\/\/|(ipv4|ipv6|unix|unix-abstract|vsock|xds):(?!\d+$))(.*)$/is;
const HOST_PORT = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/s;
/** An IPv6 address and a port, if the part before the last colon is one. */
const UNBRACKETED = /^(.*):(\d{1,5})$/s;
const AFTER_HOST = /^(\[[^\]]*\]|[^[:]*):(.*)$/s;

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
  const namedPort = parseServiceName(plain ?? path);
  if (namedPort !== null) {
    const { port, protocol } = namedPort;
    if (protocol !== 'tcp') throw refuse(text, `its protocol is "_${protocol}", and gRPC needs "_tcp"`);
    if (portText !== undefined)
      throw refuse(text, `SRV records tell the port of "_${port}._tcp", so leave out ":${portText}"`);
    if (port === '') throw refuse(text, 'its port has no name');
    const { hostname, absolute } = readHost(text, path);
    if (hostnameFault(parseServiceName(hostname)?.service ?? '') !== undefined)
      throw refuse(text, `it has no service after "_${port}._tcp"`);
    if (isLocalhost(hostname)) throw refuse(text, 'localhost is not asked of DNS, so no SRV record tells its port');
    return { hostname, port: null, absolute, server };
  }
  const host = bracketed ?? plain;
  if (host === undefined || portText === undefined) throw refusePort(text, path, server);
  const port = Number(portText);
  if (port < 1 || port > 65_535) throw refuse(text, `port ${portText} is not within 1 to 65535`);
  if (bracketed !== undefined) {
    if (ipVersion(bracketed) !== 6) throw refuse(text, `"${bracketed}" is not an IPv6 address`);
    return { hostname: bracketed, port, absolute: true, server };
  }

  const { hostname, absolute } = readHost(text, host);
  return { hostname, port, absolute: absolute || ipVersion(hostname) !== 0, server };
}

/** A host with or without a final dot. */
function readHost(text: string, host: string): Pick<Target, 'hostname' | 'absolute'> {
  const absolute = host.endsWith('.');
  const hostname = absolute ? host.slice(0, -1) : host;
  const fault = hostnameFault(hostname) ?? numbersFault(hostname);
  if (fault !== undefined) throw refuse(text, fault);
  return { hostname, absolute };
}

/**
 * A name of numbers alone is a mistyped IPv4 address (RFC 1123 section 2.1, and "ends in a number" of the URL standard). A
 * number as the last label of others is allowed: `hello.42` is a Service of the namespace `42`.
 */
function numbersFault(hostname: string): string | undefined {
  if (ipVersion(hostname) !== 0 || !hostname.split('.').every((label) => /^(\d+|0x[\da-f]*)$/i.test(label)))
    return undefined;
  const flaw = `host "${hostname}" is no IPv4 address (four numbers from 0 to 255), and numbers alone are no host name`;
  return `${flaw} (RFC 1123 section 2.1); a Service of such a name is written as "${hostname}.svc"`;
}

/** The form that grpc-js is given, and that `getTarget()` returns. */
export function formatTarget(target: Target): string {
  const authority = target.server ? formatServer(target.server) : '';
  const host = hostOf(target);
  return `${SCHEME}://${authority}/${target.port === null ? host : formatHostPort(host, target.port)}`;
}

/** The host as written: with its final dot, an IPv6 address without brackets. */
export function hostOf({ hostname, absolute }: Target): string {
  return absolute && ipVersion(hostname) === 0 ? `${hostname}.` : hostname;
}

/**
 * What goes into `:authority`, SNI and the TLS name check: the Service's name, whichever IP is dialled. Where SRV tells
 * the port there may be several ports, and the authority has none.
 */
export function formatAuthority({ hostname, port }: Target): string {
  return port === null ? (parseServiceName(hostname)?.service ?? hostname) : formatHostPort(hostname, port);
}

function splitUri(text: string): { authority: string | undefined; path: string } {
  const [, , authority, path] = WITH_SCHEME.exec(text) ?? [];
  const slashes = SLASHES.exec(text);
  if (slashes) throw refuseSlashes(text, slashes[2]?.length === 2, slashes[3] ?? '');
  // `dns:50051` is a host called "dns", not a scheme before a host called "50051".
  if (path !== undefined && !/^\d+$/.test(path)) return { authority, path };
  const [, withSlashes, withoutSlashes, rest = ''] = OTHER_SCHEME.exec(text) ?? [];
  const other = withSlashes ?? withoutSlashes;
  if (other !== undefined) throw refuseScheme(text, other.toLowerCase(), rest);
  return { authority: undefined, path: text };
}

/** `headless://svc.ns:50051`: by the rules for URIs, the host is the authority, and there is no path. */
function refuseSlashes(text: string, isTwo: boolean, host: string): HeadlessError {
  const place = isTwo && host !== '' ? `, so that ${JSON.stringify(host)} stands where a DNS server is named` : '';
  const flaw = `it has ${isTwo ? 'two slashes' : 'one slash'} after "${text.slice(0, text.indexOf(':') + 1)}" in the place of three${place}`;
  return refuse(text, flaw, host && readable(`${SCHEME}:///${host}`));
}

/** @param path in which no port was found at the end. */
function refusePort(text: string, path: string, server: ServerAddress | null): HeadlessError {
  const written = (rest: string): string | undefined =>
    readable(`${SCHEME}://${server ? formatServer(server) : ''}/${rest}`);
  const unbracketed = UNBRACKETED.exec(path);
  if (ipVersion(path) === 6)
    return refuse(
      text,
      `${JSON.stringify(path)} is an IPv6 address with neither brackets nor a port: write "[${path}]:port"`,
    );
  if (unbracketed && ipVersion(unbracketed[1] ?? '') === 6) {
    const [, host = '', port = ''] = unbracketed;
    return refuse(text, `the IPv6 address "${host}" needs brackets`, written(`[${host}]:${port}`));
  }
  const [, host = '', rest = ''] = AFTER_HOST.exec(path) ?? [];
  if (rest === '') return refuse(text, 'it has no port');
  const [digits = ''] = /^\d*/.exec(rest) ?? [];
  if (digits === rest) return refuse(text, `port ${rest} is not within 1 to 65535`);
  if (digits !== '') {
    const behind = JSON.stringify(rest.slice(digits.length));
    return refuse(text, `${behind} stands after its port ${digits}`, written(`${host}:${digits}`));
  }
  // The name of a port of the Service: SRV records tell its number.
  const named = /^[a-z\d-]*[a-z][a-z\d-]*$/i.test(rest) ? written(`_${rest}._tcp.${host}`) : undefined;
  return refuse(text, `its port ${JSON.stringify(rest)} is not a number`, named);
}

const SCHEME_FLAWS: Readonly<Record<string, string>> = {
  ipv4: 'its scheme "ipv4" lists fixed addresses; a single one is written without a scheme',
  ipv6: 'its scheme "ipv6" lists fixed addresses; a single one is written without a scheme',
  unix: 'its scheme "unix" names a socket file of this host, and there is nothing to balance: give it to grpc-js itself',
};

function refuseScheme(text: string, scheme: string, rest: string): HeadlessError {
  const flaw = SCHEME_FLAWS[scheme] ?? `its scheme "${scheme}" is not one that a headless Service can be found by`;
  // Without the slashes before it and the path behind it. A list of addresses has no counterpart.
  const [host = ''] = rest.replace(/^\/+/, '').split('/');
  const unescaped = host.replace(/%5B/gi, '[').replace(/%5D/gi, ']').replace(/%3A/gi, ':');
  const isAddress = scheme === 'ipv4' || scheme === 'ipv6';
  const likely = scheme.startsWith('unix') || scheme === 'vsock' ? undefined : unescaped;
  const meant = likely && readable(`${SCHEME}:///${likely}`);
  return refuse(text, flaw, meant && isAddress ? likely : meant);
}

/**
 * The target, if it is one: a suggestion must not be refused in its turn. It is always of the form with three slashes,
 * for which no further suggestion is made: this function does not call itself.
 */
function readable(target: string): string | undefined {
  try {
    parseTarget(target);
    return target;
  } catch {
    return undefined;
  }
}

/** @param meant what the user probably wanted to write. */
function refuse(text: unknown, flaw: string, meant?: string): HeadlessError {
  const shown = typeof text === 'string' ? JSON.stringify(text) : String(text);
  const correction = meant ? `did you mean ${JSON.stringify(meant)}? Otherwise ` : '';
  const remedy =
    'write "service.namespace:port", "headless:///service.namespace:port" or "headless://dns-ip/name:port", ' +
    'or "_port-name._tcp.service.namespace" where SRV records tell the port';
  return new HeadlessError('ERR_HEADLESS_TARGET', `target ${shown} cannot be used: ${flaw}; ${correction}${remedy}`);
}
