/** Facts and findings as text: short lines, aligned, that read as well without colours. */
import { isLocalhost } from '../../dns/local-names.js';
import { callOfFinding, clientCode } from './client-code.js';
import type { Answer, Facts, PodReport, Reading, TargetFacts } from './facts.js';
import type { Finding, Weight } from './findings.js';
import { newsAge } from './news-age.js';
import { type Style, wrap } from './style.js';
import { count, duration, list } from './wording.js';

/** Rows of one kind, before it says how many more there are. */
const MAX_ROWS = 20;
const LABEL_COLUMNS = 12;

export function printReport(facts: Facts, findings: readonly Finding[], style: Style): string {
  const { target } = facts;
  const sections = [
    style.bold(`grpc-headless doctor ${target.text}`),
    section('DNS', dnsRows(facts), style),
    section(`Pods (${facts.pods.length + target.podsNotTried})`, podRows(facts, style), style),
    section('Environment', environmentRows(facts), style),
    printFindings(target, findings, style),
    [style.bold('Client code'), '', indent(clientCode(target, findings), 4)].join('\n'),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

function section(title: string, rows: readonly string[], style: Style): string {
  return rows.length === 0 ? '' : [style.bold(title), ...rows.map((row) => `  ${row}`)].join('\n');
}

function row(label: string, text: string): string {
  return `${label.padEnd(LABEL_COLUMNS)}  ${text}`;
}

function dnsRows(facts: Facts): readonly string[] {
  const { target, resolver, answers, name, readings } = facts;
  if (target.isAddress)
    return [
      row('target', isLocalhost(target.hostname) ? 'localhost, DNS is not asked' : 'an address, DNS is not asked'),
    ];
  const { path, serversGiven, search, ndots, names } = resolver;
  const rows = [
    row('servers', serversGiven ? 'as given' : `of ${path}`),
    row(
      'search list',
      target.absolute
        ? 'not used: the name ends with a dot'
        : search.length > 0
          ? `${list(search, 3)}; ndots ${ndots}`
          : 'empty',
    ),
    ...resolver.servers.flatMap((server) => serverRows(answers, readings, server, name)),
    row(
      'name',
      name === null ? `none of ${count(names.length, 'name')} has addresses` : `${name}${placeOf(name, names)}`,
    ),
  ];
  const reading = readings.find(({ cache }) => cache === 'present') ?? readings[0];
  if (name === null || reading === undefined) return rows;
  const { meanMs, mostMs } = newsAge(reading, target.intervalMs);
  const interval = `interval ${duration(target.intervalMs)}`;
  return [
    ...rows,
    row('cache', cacheText(reading)),
    row('age of news', `about ${duration(meanMs)} on average, ${duration(mostMs)} at most (${interval})`),
  ];
}

function placeOf(name: string, names: readonly string[]): string {
  return names.length === 1 ? '' : ` (number ${names.indexOf(name) + 1} of ${names.length} that were asked for)`;
}

function cacheText({ cache, ttlMs, entries }: Reading): string {
  const ttl = `TTL ${duration(ttlMs)}`;
  if (cache === 'none') return `none seen, ${ttl}`;
  if (cache === 'unknown') return `cannot be told, ${ttl}`;
  return entries > 1
    ? `yes, ${ttl}; phases work: ${entries} entries expire apart`
    : `yes, ${ttl}; phases do not work: one entry`;
}

function serverRows(
  answers: readonly Answer[],
  readings: readonly Reading[],
  server: string,
  name: string | null,
): readonly string[] {
  const of = (transport: Answer['transport']): string => {
    const all = answers.filter((answer) => answer.server === server && answer.transport === transport);
    const chosen = all.find((answer) => answer.name === name && answer.outcome.kind !== 'empty') ?? all[0];
    return chosen === undefined ? 'not asked' : `${outcomeText(chosen)}, ${duration(chosen.ms)}`;
  };
  const ttlMs = readings.find((reading) => reading.server === server)?.ttlMs;
  const ttl = ttlMs === undefined || ttlMs === 0 ? '' : ` (TTL ${duration(ttlMs)})`;
  return [row('nameserver', server), row('', `UDP  ${of('udp')}${ttl}`), row('', `TCP  ${of('tcp')}`)];
}

function outcomeText({ outcome }: Answer): string {
  switch (outcome.kind) {
    case 'addresses':
      return count(outcome.addresses.length, 'address', 'addresses');
    case 'empty':
      return outcome.rcode;
    case 'truncated':
      return 'truncated';
    case 'error':
      return outcome.rcode;
    case 'failed':
      return outcome.reason === 'timeout' ? 'no answer' : outcome.reason;
  }
}

function podRows({ pods, target }: Facts, style: Style): readonly string[] {
  const width = Math.max(0, ...pods.map(({ address }) => address.length));
  const rows = pods.slice(0, MAX_ROWS).map((pod) => `${pod.address.padEnd(width)}  ${podText(pod, style)}`);
  if (pods.length > MAX_ROWS) {
    const rest = pods.slice(MAX_ROWS);
    const failed = rest.filter(({ failure }) => failure !== null).length;
    rows.push(`and ${rest.length} more, of which ${failed} failed`);
  }
  const open = pods.filter(({ failure, idle }) => failure === null && idle === null).length;
  if (open > 0 && target.idleMs > 0)
    rows.push(`${count(open, 'connection')} still open after ${duration(target.idleMs)} idle (--idle watches longer)`);
  if (target.podsNotTried > 0) rows.push(`and ${target.podsNotTried} that were not tried (--pods)`);
  return rows;
}

function podText({ failure, totalMs, health, services, idle, maxStreams }: PodReport, style: Style): string {
  const time = duration(totalMs).padStart(7);
  if (failure !== null) return `${style.bad('failed')} ${time}  ${failure.message}`;
  const notes = [
    health === null ? 'no health service' : `health ${health}`,
    services === null ? 'no reflection' : `serves ${list(services.filter(isOwn), 3) || 'nothing of its own'}`,
    ...(maxStreams === null ? [] : [`${maxStreams} streams`]),
    ...(idle === null ? [] : [`${idle.kind === 'goaway' ? 'GOAWAY' : 'closed'} after ${duration(idle.afterMs)} idle`]),
  ];
  return `${style.good('ready ')} ${time}  ${notes.join(', ')}`;
}

/** Every server with reflection serves these. */
function isOwn(service: string): boolean {
  return !service.startsWith('grpc.');
}

function environmentRows({ environment }: Facts): readonly string[] {
  const { proxy, proxyExcluded, grpcCopies } = environment;
  const [copy] = grpcCopies;
  return [
    row(
      'proxy',
      proxy === null ? 'none' : `${proxy.variable}=${proxy.value}${proxyExcluded ? ', not for this target' : ''}`,
    ),
    row(
      'grpc-js',
      grpcCopies.length === 1 && copy
        ? copy.version
        : grpcCopies.length === 0
          ? 'not found here'
          : count(grpcCopies.length, 'copy', 'copies'),
    ),
  ];
}

function printFindings(target: TargetFacts, findings: readonly Finding[], style: Style): string {
  if (findings.length === 0) return `${style.bold('Findings')}\n  ${style.good('None.')}`;
  const texts = findings.map((finding, index) => printFinding(target, finding, index + 1, style));
  return [style.bold(`Findings (${findings.length})`), ...texts].join('\n\n');
}

const COLOURS: Readonly<Record<Weight, 'bad' | 'warn' | 'info'>> = { error: 'bad', warning: 'warn', note: 'info' };

function printFinding(target: TargetFacts, finding: Finding, number: number, style: Style): string {
  const { weight, title, seen, remedy, manifest, docs } = finding;
  const code = callOfFinding(target, finding);
  const head = `${`${number}.`.padEnd(3)} ${style[COLOURS[weight]](weight)}: ${style.bold(title)}`;
  const part = (label: string, lines: readonly string[]): string =>
    lines.map((line, index) => `    ${(index === 0 ? label : '').padEnd(8)}${line}`).join('\n');
  const width = style.columns - 12;
  return [
    head,
    part(
      'seen',
      seen.flatMap((line) => wrap(line, width)),
    ),
    part('remedy', wrap(remedy, width)),
    ...(manifest === null ? [] : [part('change', manifest.split('\n'))]),
    ...(code === null ? [] : [part('client', code)]),
    part('read', [docs]),
  ].join('\n');
}

function indent(text: string, columns: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(columns));
}
