/** Unbound: an authority through its auth-zones, and a forwarding cache. */
import { packaged } from './program.js';
import type { Recipe } from './server.js';
import { ZONES } from './zone.js';

const program = packaged('Unbound', 'unbound', 'unbound');

function serverClause(folder: string, port: number): string {
  return `server:
  directory: "${folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  num-threads: 1
  interface: 127.0.0.1@${port}
  port: ${port}
  do-ip6: no
  module-config: "iterator"
  do-not-query-localhost: no
remote-control:
  control-enable: no
`;
}

const args: Recipe['args'] = ({ folder }) => ['-d', '-c', `${folder}/unbound.conf`];

export const unbound: Recipe = {
  program,
  args,
  files: ({ folder, port }, zones) => ({
    'unbound.conf':
      serverClause(folder, port) +
      ZONES.map(
        (zone) => `auth-zone:
  name: "${zone}"
  zonefile: "${folder}/${zone}.zone"
  for-downstream: yes
  for-upstream: yes
  fallback-enabled: no
`,
      ).join(''),
    ...Object.fromEntries(ZONES.map((zone) => [`${zone}.zone`, zones.masterFile(zone)])),
  }),
  reload: 'SIGHUP',
};

export function unboundCache(upstreamPort: number): Recipe {
  const forward = `forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@${upstreamPort}\n`;
  return {
    program,
    args,
    files: ({ folder, port }) => ({ 'unbound.conf': serverClause(folder, port) + forward }),
    reload: null,
  };
}
