/** The servers' programs: where they are, and what to do about those that are not there. */
import { accessSync, constants, copyFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Program {
  /** As people call it. */
  readonly title: string;
  readonly path: string | undefined;
  /** What stands in the way, and how to get rid of it; undefined where nothing does. */
  readonly missing: string | undefined;
  /** Puts the program where `folder` is, if it must not run where it was found; returns its path. */
  install(folder: string): string;
}

/** A program of a Debian package. Daemons are in sbin, which is not in everybody's PATH. */
export function packaged(title: string, command: string, debianPackage: string): Program {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  const path = folders.map((folder) => join(folder, command)).find(isExecutable);
  const how = `apt-get install --no-install-recommends ${debianPackage}`;
  return {
    title,
    path,
    missing: path === undefined ? `${title} is missing (no program "${command}"): ${how}` : undefined,
    install(folder) {
      if (path === undefined) throw new Error(`${title} is missing: ${how}`);
      // AppArmor's profiles of these packages go by the path, and forbid a configuration outside /etc: a copy is free.
      const copy = join(folder, command);
      copyFileSync(path, copy, constants.COPYFILE_FICLONE);
      return copy;
    },
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
