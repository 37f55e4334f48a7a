/** The commands by name. Each is loaded when it is called for, so that `--help` of one does not load the others. */
import type { Command } from './command.js';

export interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** A new command is a file of its own and a line here. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  doctor: {
    summary: 'Says why a client does not find or reach its pods',
    load: async () => (await import('./doctor/doctor.js')).doctor,
  },
  watch: {
    summary: 'Shows the pods of a headless Service live, in the terminal or as a page',
    load: async () => (await import('./watch/watch.js')).watch,
  },
};
