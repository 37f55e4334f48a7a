/** dnsmasq: an authority for the names of a hosts file, and a forwarding cache. */
import { userInfo } from 'node:os';
import { packaged } from './program.js';
import type { Recipe } from './server.js';
import { ZONES } from './zone.js';

const program = packaged('dnsmasq', 'dnsmasq', 'dnsmasq-base');

const args: Recipe['args'] = ({ folder }) => ['--keep-in-foreground', `--conf-file=${folder}/dnsmasq.conf`];

function configuration(port: number, more: readonly string[]): string {
  const lines = [
    `port=${port}`,
    'listen-address=127.0.0.1',
    'bind-interfaces',
    `user=${userInfo().username}`,
    'pid-file=',
    'log-facility=-',
    'no-resolv',
    'no-hosts',
    // The default, 150, counts records, and a Service may have more pods than that.
    'cache-size=10000',
    ...more,
  ];
  return `${lines.join('\n')}\n`;
}

export const dnsmasq: Recipe = {
  program,
  args,
  files: ({ folder, port }, zones) => ({
    'dnsmasq.conf': configuration(port, [
      `addn-hosts=${folder}/hosts`,
      `local-ttl=${zones.ttl}`,
      ...ZONES.map((zone) => `local=/${zone}/`),
      ...zones.entries.flatMap(([name, { cname }]) => (cname === undefined ? [] : [`cname=${name},${cname}`])),
      ...zones.entries.flatMap(([name, { srv = [] }]) =>
        srv.map(({ port, target }) => `srv-host=${name},${target},${port},0,100`),
      ),
    ]),
    hosts: zones.hostsFile(),
  }),
  reload: 'SIGHUP',
  readOnce: ['dnsmasq.conf'],
};

export function dnsmasqCache(upstreamPort: number): Recipe {
  return {
    program,
    args,
    files: ({ port }) => ({ 'dnsmasq.conf': configuration(port, [`server=127.0.0.1#${upstreamPort}`]) }),
    reload: null,
  };
}
