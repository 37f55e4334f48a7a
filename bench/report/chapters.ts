/** The chapters of the report: one for each question of which there is a result. */
import type { DnsCell } from '../dns.js';
import type { FleetCell } from '../fleet/show.js';
import type { Result } from '../harness/result.js';
import type { CellResult, CostResult } from '../intervals/analysis.js';
import type { IntervalsParameters } from '../intervals/show.js';
import type { OverheadCell } from '../overhead.js';
import type { ScaleCell } from '../scale.js';
import type { TailCell } from '../tail.js';
import { cachesSection } from './caches.js';
import { dnsSection } from './dns.js';
import { fleetSection } from './fleet.js';
import { intervalsSection } from './intervals.js';
import { overheadSection } from './overhead.js';
import type { Chapter, Section } from './page.js';
import { scaleSection } from './scale.js';
import { tailSection } from './tail.js';

/** The result of a question; null where it was never run. */
export type ReadResult = (question: string) => Result | null;

/** In the order in which a user would ask. Another question's charts: a file in report/, and a line here. */
const QUESTIONS: readonly {
  readonly name: string;
  readonly draw: (result: Result<never>, read: ReadResult) => Section;
}[] = [
  { name: 'intervals', draw: (result: Result<CellResult>) => intervalsSection(result) },
  { name: 'caches', draw: (result: Result<CellResult>) => cachesSection(result) },
  { name: 'overhead', draw: (result: Result<OverheadCell>) => overheadSection(result) },
  { name: 'tail', draw: (result: Result<TailCell>) => tailSection(result) },
  { name: 'scale', draw: (result: Result<ScaleCell>) => scaleSection(result) },
  { name: 'dns', draw: (result: Result<DnsCell>, read: ReadResult) => dnsSection(result, pollCost(read)) },
  { name: 'fleet', draw: (result: Result<FleetCell>) => fleetSection(result) },
];

/** The one cost of a poll, measured in the client processes of the intervals. */
function pollCost(read: ReadResult): CostResult | null {
  const parameters = read('intervals')?.parameters as unknown as IntervalsParameters | undefined;
  return parameters?.cost ?? null;
}

export function chaptersOf(read: ReadResult): Chapter[] {
  return QUESTIONS.flatMap(({ name, draw }) => {
    const result = read(name);
    return result ? [{ result, section: draw(result as Result<never>, read) }] : [];
  });
}
