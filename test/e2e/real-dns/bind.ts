/** BIND 9: an authority, and a forwarding cache. */
import { packaged } from './program.js';
import type { Recipe } from './server.js';
import { ZONES } from './zone.js';

const program = packaged('BIND 9', 'named', 'bind9');

/**
 * `max-records-per-type` is 100 unless set (since 9.18.28, for CVE-2024-1737): a larger set is neither loaded nor
 * cached. `null` leaves it so.
 */
function options(folder: string, port: number, maxRecordsPerType: number | null, more: string): string {
  return `options {
  directory "${folder}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  empty-zones-enable no;
  dnssec-validation no;
  ${maxRecordsPerType === null ? '' : `max-records-per-type ${maxRecordsPerType};`}
  ${more}
};
controls { };
`;
}

const args: Recipe['args'] = ({ folder }) => ['-g', '-n', '1', '-c', `${folder}/named.conf`];

export const bind: Recipe = {
  program,
  args,
  files: ({ folder, port }, zones) => ({
    'named.conf':
      options(folder, port, 0, 'recursion no;') +
      ZONES.map((zone) => `zone "${zone}" { type primary; file "${zone}.zone"; };\n`).join(''),
    ...Object.fromEntries(ZONES.map((zone) => [`${zone}.zone`, zones.masterFile(zone)])),
  }),
  reload: 'SIGHUP',
};

export function bindCache(upstreamPort: number, { maxRecordsPerType = 0 as number | null } = {}): Recipe {
  const forward = `recursion yes; forward only; forwarders { 127.0.0.1 port ${upstreamPort}; };`;
  return {
    program,
    args,
    files: ({ folder, port }) => ({ 'named.conf': options(folder, port, maxRecordsPerType, forward) }),
    reload: null,
  };
}
