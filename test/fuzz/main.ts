/**
 * Runs the fuzzer: `npm run fuzz -- --seconds 60 --seed 7`. Findings are saved under test/fuzz/findings/, and
 * `--replay FILE` checks one again; after the flaw is fixed its message is added to test/fuzz/corpus/.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { RecordType } from '../../lib/dns/message.js';
import { CORPUS } from './corpus.js';
import { type Finding, Fuzzer } from './fuzzer.js';
import { minimise } from './minimise.js';
import { check, LIBRARY } from './oracle.js';
import type { TextFlaw } from './texts.js';

const FINDINGS = new URL('./findings/', import.meta.url);
/** Of one property: further findings are most likely the same flaw. */
const MOST_FINDINGS = 5;
const PROGRESS_MS = process.stdout.isTTY ? 500 : 5_000;
const SLICE = 500;

interface Saved {
  readonly property: string;
  readonly detail: string;
  readonly seed: number;
  readonly execution: number;
  /** Of a message, in hex. */
  readonly type?: RecordType;
  readonly query?: string;
  readonly message?: string;
  readonly whole?: string;
  /** Of a text. */
  readonly text?: string;
}

function save(finding: Finding | TextFlaw, seed: number, execution: number): string {
  const saved: Saved = { ...('input' in finding ? ofMessage(finding) : ofText(finding)), seed, execution };
  const json = JSON.stringify(saved, null, 2);
  const file = new URL(`${createHash('sha256').update(json).digest('hex').slice(0, 12)}.json`, FINDINGS);
  mkdirSync(FINDINGS, { recursive: true });
  writeFileSync(file, `${json}\n`);
  return `${saved.property}: ${saved.detail}\n  ${file.pathname}`;
}

function ofMessage(finding: Finding): Omit<Saved, 'seed' | 'execution'> {
  const { property, detail, input } = finding;
  const { type, query, message } = minimise(LIBRARY, input, finding);
  const hex = { query: query.toString('hex'), message: message.toString('hex'), whole: input.message.toString('hex') };
  return { property, detail, type, ...hex };
}

function ofText({ reader, text, detail }: TextFlaw): Omit<Saved, 'seed' | 'execution'> {
  return { property: `${reader} reads any text`, detail, text };
}

function replay(path: string): void {
  const { type = 'A', query = '', message = '', text } = JSON.parse(readFileSync(path, 'utf8')) as Saved;
  if (text !== undefined) {
    console.log(`a text, to be given to its reader: ${JSON.stringify(text)}`);
    return;
  }
  const { signature, flaw, ms } = check(LIBRARY, {
    type,
    query: Buffer.from(query, 'hex'),
    message: Buffer.from(message, 'hex'),
  });
  console.log(`${signature} in ${ms.toFixed(3)} ms: ${flaw ? `${flaw.property}: ${flaw.detail}` : 'no flaw'}`);
  process.exitCode = flaw ? 1 : 0;
}

function run(seconds: number, seed: number): void {
  console.log(`fuzzing for ${seconds} s with --seed ${seed}, from a corpus of ${CORPUS.length}`);
  const fuzzer = new Fuzzer(LIBRARY, seed, CORPUS);
  const found = new Map<string, number>();
  const started = performance.now();
  let findings = 0;
  let shownAt = started;

  const show = (now: number, end: string): void => {
    const { executions, outcomes, pool, slowestMs } = fuzzer.stats;
    const passed = (now - started) / 1000;
    const rate = Math.round(executions / passed).toLocaleString('en');
    const line = `${passed.toFixed(0)} s: ${executions.toLocaleString('en')} executions, ${rate}/s, ${findings} findings, `;
    process.stdout.write(`${line}${outcomes} outcomes, ${pool} kept, slowest ${slowestMs.toFixed(2)} ms${end}`);
  };

  for (let now = started; now - started < seconds * 1000; now = performance.now()) {
    for (let count = 0; count < SLICE; count++) {
      const finding = fuzzer.step();
      if (finding === null) continue;
      findings += 1;
      const kind = 'property' in finding ? finding.property : finding.reader;
      const known = found.get(kind) ?? 0;
      found.set(kind, known + 1);
      if (known < MOST_FINDINGS) console.log(`\n${save(finding, seed, fuzzer.stats.executions)}`);
    }
    if (now - shownAt < PROGRESS_MS) continue;
    shownAt = now;
    show(now, process.stdout.isTTY ? '   \r' : '\n');
  }
  show(performance.now(), '\n');
  for (const [kind, count] of found) console.log(`${count} x ${kind}`);
  console.log(`the same again: npm run fuzz -- --seconds ${seconds} --seed ${seed}`);
  process.exitCode = findings > 0 ? 1 : 0;
}

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, replay: { type: 'string' } },
});
if (values.replay !== undefined) replay(values.replay);
else {
  const seconds = Number(values.seconds ?? 60);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 0x1_0000_0000));
  if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error('--seconds takes a number above 0, --seed an integer');
  run(seconds, seed);
}
