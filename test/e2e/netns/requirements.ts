/**
 * What a suite needs of the machine. Missing, it is skipped with a sentence that says how to get it; where CI is set
 * nothing may be skipped, and the same sentence fails the run.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The sentence to skip with; false when all is there. To be handed to node:test's `skip`. */
export function missing(...requirements: readonly (() => string | undefined)[]): string | false {
  const lacking = requirements.map((requirement) => requirement()).find((sentence) => sentence !== undefined);
  if (lacking === undefined) return false;
  if (process.env['CI']) throw new Error(`not to be skipped in CI: ${lacking}`);
  return lacking;
}

function linuxRoot(): string | undefined {
  if (process.platform !== 'linux')
    return 'network namespaces exist on Linux only: run this there, or in a Linux container';
  if (process.geteuid?.() !== 0)
    return 'making network namespaces takes root: run it with `sudo`, or in a container with `--privileged`';
  return undefined;
}

/** A command of a Debian or Ubuntu package. */
export function command(name: string, debianPackage: string): () => string | undefined {
  return () => {
    const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
    if (folders.some((folder) => folder !== '' && existsSync(join(folder, name)))) return undefined;
    return `the command \`${name}\` is missing: apt-get install --no-install-recommends ${debianPackage}`;
  };
}

/** All that `namespaces.ts` calls. */
export const NETWORK_NAMESPACES = [linuxRoot, command('ip', 'iproute2'), command('iptables', 'iptables')] as const;
