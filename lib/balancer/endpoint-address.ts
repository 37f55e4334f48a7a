/** What an endpoint connects to: an address, and which of the connections to it. */
import { type Address, formatHostPort } from '../address.js';

export interface EndpointAddress extends Address {
  /** Absent: the first one. 1, 2, …: further connections to the same address. */
  readonly connection?: number;
}

/** `"ip:port"`, or `"[v6]:port"`: all connections to one address have the same name. */
export function nameOf({ host, port }: Address): string {
  return formatHostPort(host, port);
}
