/** The filter that gives addresses without a port the target's: A and AAAA records tell none. */
import type { Address } from '../address.js';
import type { AddressFilter } from './address-source.js';

/** What a source gives where DNS tells no port. */
export const NO_PORT = 0;

export function defaultPort(port: number): AddressFilter {
  return (addresses) => {
    const result: Address[] = [];
    for (const address of addresses) result.push(address.port === NO_PORT ? withPort(address, port) : address);
    return result;
  };
}

function withPort(address: Address, port: number): Address {
  return address.zone === undefined ? { host: address.host, port } : { ...address, port };
}
