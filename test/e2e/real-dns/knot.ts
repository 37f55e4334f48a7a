/** Knot DNS: an authority only. */
import { packaged } from './program.js';
import type { Recipe } from './server.js';
import { ZONES } from './zone.js';

const program = packaged('Knot DNS', 'knotd', 'knot');

export const knot: Recipe = {
  program,
  args: ({ folder }) => ['--config', `${folder}/knot.conf`],
  files: ({ folder, port }, zones) => ({
    'knot.conf': `server:
    rundir: "${folder}"
    listen: "127.0.0.1@${port}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: "stderr"
    any: "info"
database:
    storage: "${folder}/db"
template:
  - id: "default"
    storage: "${folder}"
    file: "%s.zone"
    journal-content: "none"
    zonefile-sync: -1
zone:
${ZONES.map((zone) => `  - domain: "${zone}"`).join('\n')}
`,
    ...Object.fromEntries(ZONES.map((zone) => [`${zone}.zone`, zones.masterFile(zone)])),
  }),
  reload: 'SIGHUP',
};
