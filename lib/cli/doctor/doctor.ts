/** The command `grpc-headless doctor`: probes, judges, prints. */
import { MessageChannel } from 'node:worker_threads';
import { HeadlessError } from '../../errors.js';
import { systemRuntime } from '../../runtime.js';
import { type Command, type CommandContext, EXIT_COULD_NOT_RUN } from '../command.js';
import { clientCode, codeOfFinding } from './client-code.js';
import { examine } from './examination.js';
import type { Facts } from './facts.js';
import type { Finding } from './findings.js';
import { HELP } from './help.js';
import { judge } from './judgement.js';
import { printReport } from './report.js';
import { type DoctorSettings, readSettings, UsageError } from './settings.js';
import { styleFor } from './style.js';

const EXIT_FINE = 0;
const EXIT_FINDINGS = 1;

export const doctor: Command = {
  help: HELP,
  async run(args, context) {
    let settings: DoctorSettings;
    try {
      settings = readSettings(args);
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof HeadlessError)) throw error;
      context.err(`grpc-headless doctor: ${error.message}\nnpx grpc-headless doctor --help explains the command.\n`);
      return EXIT_COULD_NOT_RUN;
    }
    const facts = await examineAlive(settings, context);
    if (facts === null) return EXIT_COULD_NOT_RUN;
    const findings = judge(facts);
    context.out(
      settings.json
        ? printJson(facts, findings)
        : printReport(facts, findings, styleFor(context.terminal, context.env)),
    );
    return findings.length > 0 ? EXIT_FINDINGS : EXIT_FINE;
  },
};

/** null: interrupted. */
async function examineAlive(settings: DoctorSettings, context: CommandContext): Promise<Facts | null> {
  const { env, signal, err, interactive = false } = context;
  // The sockets and timers of lib/dns never keep a process alive: without this, Node would end while they are waited for.
  const { port1, port2 } = new MessageChannel();
  port1.on('message', () => {});
  const progress = (step: string): void => {
    if (interactive) err(`\r\u001b[2K${step} ...`);
  };
  try {
    return await examine(settings, { ...systemRuntime, env, folder: process.cwd(), signal, progress });
  } catch (error) {
    if (!signal.aborted) throw error;
    err('grpc-headless doctor: interrupted\n');
    return null;
  } finally {
    if (interactive) err('\r\u001b[2K');
    port1.close();
    port2.close();
  }
}

/** The schema is in docs/doctor.md. */
function printJson(facts: Facts, findings: readonly Finding[]): string {
  const { target } = facts;
  const report = {
    findings: findings.map(({ client: _, ...finding }, index) => ({
      ...finding,
      code: codeOfFinding(target, findings[index] as Finding),
    })),
    client: clientCode(target, findings),
    facts,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}
