/** The checks that options share, and those of one option whose rule needs more than a line. */
import { status } from '@grpc/grpc-js';
import type { AddressSourceFactory } from '../discovery/address-source.js';
import { hostnameFault } from '../dns/hostname.js';
import type { Lookup } from '../dns/lookup-resolver.js';
import { parseServer, type ServerAddress } from '../dns/settings.js';
import type { Check } from './entry.js';
import { nearestName } from './nearest-name.js';
import { refuseValue } from './refusal.js';

export function number(min: number, max: number, unit = 'number'): Check<number> {
  return {
    allowed: `${min} to ${max}`,
    read(value, path) {
      if (typeof value === 'number' && value >= min && value <= max) return value;
      throw refuseValue(path, value, `must be a ${unit} from ${min} to ${max}`);
    },
  };
}

export function milliseconds(min: number, max: number): Check<number> {
  return number(min, max, 'number of milliseconds');
}

export const flag: Check<boolean> = {
  allowed: '`true`, `false`',
  read(value, path) {
    if (typeof value === 'boolean') return value;
    throw refuseValue(path, value, 'must be true or false');
  },
};

export function integer(min: number, max: number): Check<number> {
  const { allowed, read } = number(min, max, 'whole number');
  return {
    allowed: `${allowed}, whole`,
    read(value, path) {
      if (typeof value !== 'number' || Number.isInteger(value)) return read(value, path);
      throw refuseValue(path, value, `must be a whole number from ${min} to ${max}`);
    },
  };
}

export function oneOf<const T extends string>(...names: readonly T[]): Check<T> {
  return {
    allowed: names.map((name) => `\`'${name}'\``).join(', '),
    read(value, path) {
      const found = names.find((name) => name === value);
      if (found !== undefined) return found;
      const near = typeof value === 'string' ? nearestName(value, names) : undefined;
      const list = names.map((name) => `"${name}"`).join(', ');
      throw refuseValue(path, value, `must be one of ${list}${near ? ` (did you mean "${near}"?)` : ''}`);
    },
  };
}

function listOf<Input, Setting>(item: Check<Input, Setting>): Check<readonly Input[], readonly Setting[]> {
  return {
    allowed: `array of ${item.allowed}`,
    read(value, path) {
      if (!Array.isArray(value)) throw refuseValue(path, value, 'must be an array');
      return value.map((one, index) => item.read(one, `${path}[${index}]`));
    },
  };
}

const server: Check<string, ServerAddress> = {
  allowed: '`"ip"`, `"ip:port"` or `"[v6]:port"`',
  read(value, path) {
    const address = typeof value === 'string' ? parseServer(value) : null;
    if (address) return address;
    throw refuseValue(path, value, 'must be "ip", "ip:port" or "[v6]:port" (a DNS server has no name)');
  },
};

const anyServers = listOf(server);

export const servers: typeof anyServers = {
  allowed: `${anyServers.allowed}, not empty`,
  read(value, path) {
    const list = anyServers.read(value, path);
    if (list.length > 0) return list;
    throw refuseValue(path, value, 'must name at least one server; leave it out to use resolv.conf');
  },
};

/** OK is no failure. */
const FAILURES = Object.keys(status).filter((name) => Number.isNaN(Number(name)) && name !== 'OK');

const anyStatusCodes = listOf(oneOf(...FAILURES));

export const statusCodes: typeof anyStatusCodes = {
  allowed: 'names of status codes',
  read(value, path) {
    const list = anyStatusCodes.read(value, path);
    if (list.length > 0) return list;
    throw refuseValue(path, value, 'must name at least one status code');
  },
};

export const grpcService: Check<string> = {
  allowed: 'a name, or empty',
  read(value, path) {
    if (typeof value === 'string') return value;
    throw refuseValue(path, value, 'must be the name of a gRPC service such as "shop.Hello", or empty');
  },
};

/** Without its final dot. */
const domain: Check<string> = {
  allowed: 'domain names',
  read(value, path) {
    const name = typeof value === 'string' ? value.replace(/\.$/, '') : '';
    if (hostnameFault(name) === undefined) return name;
    throw refuseValue(path, value, 'must be a domain name such as "svc.cluster.local"');
  },
};

export const domains = listOf(domain);

export const zoneName: Check<string> = {
  allowed: 'letters, digits, `-`, `_` and dots',
  read(value, path) {
    if (typeof value === 'string' && hostnameFault(value) === undefined) return value;
    throw refuseValue(path, value, 'must be the name of a topology zone such as "us-west-2a"');
  },
};

export const subsetKey: Check<string> = {
  allowed: 'text, 1 to 256 characters',
  read(value, path) {
    if (typeof value === 'string' && /^[^\r\n]{1,256}$/.test(value)) return value;
    throw refuseValue(
      path,
      value,
      'must be a text of 1 to 256 characters without line breaks, such as the name of the client',
    );
  },
};

export const filePath: Check<string> = {
  allowed: 'path of a file',
  read(value, path) {
    if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
    throw refuseValue(path, value, 'must be the path of a file');
  },
};

export const lookupFunction: Check<Lookup> = {
  allowed: '`(hostname, { signal }) => Promise<{ addresses, ttlMs }>`',
  read(value, path) {
    if (typeof value === 'function') return value as Lookup;
    throw refuseValue(path, value, 'must be a function (hostname, { signal }) => Promise<{ addresses, ttlMs }>');
  },
};

export const sourceFactory: Check<AddressSourceFactory> = {
  allowed: '`endpointSlices()`',
  read(value, path) {
    if (typeof value === 'object' && value !== null && typeof (value as AddressSourceFactory).create === 'function')
      return value as AddressSourceFactory;
    throw refuseValue(
      path,
      value,
      'must be a source of addresses such as endpointSlices() of grpc-headless/kubernetes',
    );
  },
};
