/** Runs the doctor against servers of a test, and returns what it found. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APART_MS } from '../../lib/cli/doctor/cache-probe.js';
import { examine } from '../../lib/cli/doctor/examination.js';
import type { Facts } from '../../lib/cli/doctor/facts.js';
import type { Finding, FindingId } from '../../lib/cli/doctor/findings.js';
import { judge } from '../../lib/cli/doctor/judgement.js';
import { printReport } from '../../lib/cli/doctor/report.js';
import { type DoctorSettings, readSettings } from '../../lib/cli/doctor/settings.js';
import { styleFor } from '../../lib/cli/doctor/style.js';
import { type Clock, systemRuntime } from '../../lib/runtime.js';
import type { Defer } from './leak-check.js';

export interface Diagnosis {
  readonly facts: Facts;
  readonly findings: readonly Finding[];
  readonly ids: readonly FindingId[];
  /** As a user without a terminal sees it. */
  readonly text: string;
  /** The finding of this id. @throws where there is none. */
  finding(id: FindingId): Finding;
}

export interface DiagnosisOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Where packages are looked for. Default: a folder without any. */
  readonly folder?: string;
  /** Really wait between the two readings of TTLs: for tests of caches. */
  readonly patient?: boolean;
  /** What no argument can set. */
  readonly settings?: Partial<DoctorSettings>;
}

/** Idle connections are watched only where `--idle` is among the arguments. */
export async function diagnose(
  defer: Defer,
  args: readonly string[],
  { env = {}, folder = temporaryFolder(defer), patient = false, settings = {} }: DiagnosisOptions = {},
): Promise<Diagnosis> {
  const signal = new AbortController().signal;
  const facts = await examine(
    { ...readSettings(['--idle', '0', ...args]), ...settings },
    { ...systemRuntime, clock: patient ? systemRuntime.clock : HASTY_CLOCK, env, folder, signal, progress: () => {} },
  );
  const findings = judge(facts);
  return {
    facts,
    findings,
    ids: findings.map(({ id }) => id),
    text: printReport(facts, findings, styleFor(null, {})),
    finding(id) {
      const found = findings.find((each) => each.id === id);
      if (!found) throw new Error(`no finding ${id}, but ${findings.map((each) => each.id).join(', ') || 'none'}`);
      return found;
    },
  };
}

/** The pause between two readings of a TTL tells nothing where no cache counts it down. */
const HASTY_CLOCK: Clock = {
  ...systemRuntime.clock,
  setTimer: (delayMs, callback) => systemRuntime.clock.setTimer(delayMs === APART_MS ? 1 : delayMs, callback),
};

export function temporaryFolder(defer: Defer): string {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  defer(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The path of a file with this text. */
export function temporaryFile(defer: Defer, name: string, text: string | Buffer): string {
  const path = join(temporaryFolder(defer), name);
  writeFileSync(path, text);
  return path;
}
