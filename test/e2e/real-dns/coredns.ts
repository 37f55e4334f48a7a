/** CoreDNS, built by `../coredns/main.ts`: an authority through `file` or `auto`, and a cache before a `forward`. */
import { coredns as built } from '../coredns/program.js';
import type { Program } from './program.js';
import type { Recipe } from './server.js';
import { ZONES } from './zone.js';

const program: Program = {
  title: 'CoreDNS',
  path: built.binary,
  missing: built.missing(),
  install: () => built.binary,
};

const args: Recipe['args'] = ({ folder }) => ['-conf', `${folder}/Corefile`];

/** `loadbalance` as in Kubernetes; `minimal` because its `kubernetes` plugin sends no NS records either. */
function corefile(port: number, plugins: readonly string[]): string {
  const lines = ['bind 127.0.0.1', 'errors', 'bufsize 1232', 'loadbalance', 'minimal', ...plugins];
  return `.:${port} {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;
}

/** @param plugin both look at the master files every 100 ms, and take one whose serial has changed. */
function authority(plugin: (folder: string) => readonly string[]): Recipe {
  return {
    program,
    args,
    files: ({ folder, port }, zones) => ({
      Corefile: corefile(port, plugin(folder)),
      ...Object.fromEntries(ZONES.map((zone) => [`${zone}.zone`, zones.masterFile(zone)])),
    }),
    reload: null,
  };
}

export const coredns = authority((folder) =>
  ZONES.map((zone) => `file ${folder}/${zone}.zone ${zone} {\n    reload 100ms\n  }`),
);

export const corednsAuto = authority((folder) => [
  `auto {\n    directory ${folder} ^(.*)\\.zone$ {1}\n    reload 100ms\n  }`,
]);

/** `cache 30` as kubeadm writes it: it holds nothing for less than 5 s. `ttl` in seconds. */
export function corednsCache(upstreamPort: number, ttl = 30): Recipe {
  return {
    program,
    args,
    files: ({ port }) => ({ Corefile: corefile(port, [`cache ${ttl}`, `forward . 127.0.0.1:${upstreamPort}`]) }),
    reload: null,
  };
}
