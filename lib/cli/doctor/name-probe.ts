/** Asks every nameserver, over UDP and TCP, for every name that the host may stand for; and which of these is the Service's. */
import type { RecordType } from '../../dns/message.js';
import type { ServerAddress } from '../../dns/settings.js';
import type { AnswerWithServices, DnsAsker } from './dns-asker.js';
import type { Answer } from './facts.js';

/** In the order of servers, names, transports and types. TCP is asked for the first type alone. */
export function probeNames(
  asker: DnsAsker,
  servers: readonly ServerAddress[],
  names: readonly string[],
  types: readonly RecordType[],
): Promise<AnswerWithServices[]> {
  const questions = servers.flatMap((server) =>
    names.flatMap((hostname) => [
      ...types.map((type) => ({ server, hostname, type, transport: 'udp' as const })),
      ...types.slice(0, 1).map((type) => ({ server, hostname, type, transport: 'tcp' as const })),
    ]),
  );
  return Promise.all(
    questions.map(({ server, hostname, type, transport }) => asker.ask(server, { hostname, type }, transport)),
  );
}

/** The first name that has addresses, even ones that did not fit the answer; null where none has. */
export function foundName(names: readonly string[], answers: readonly Answer[]): string | null {
  const found = answersWithRecords(answers);
  return names.find((name) => found.some((answer) => answer.name === name)) ?? null;
}

/** Names that have addresses, in the order in which they are asked for. */
export function namesWithRecords(names: readonly string[], answers: readonly Answer[]): readonly string[] {
  const found = new Set(answersWithRecords(answers).map(({ name }) => name));
  return names.filter((name) => found.has(name));
}

function answersWithRecords(answers: readonly Answer[]): readonly Answer[] {
  return answers.filter(({ outcome }) => outcome.kind === 'addresses' || outcome.kind === 'truncated');
}

/** The set that one server has for a name and type; null where it told none. */
export function setOf(answers: readonly Answer[], server: string, name: string, type: RecordType): string[] | null {
  for (const answer of answers) {
    if (answer.server !== server || answer.name !== name || answer.type !== type) continue;
    if (answer.outcome.kind === 'addresses') return [...answer.outcome.addresses].sort();
  }
  return null;
}

/** Of all servers, each once. */
export function addressesOf(answers: readonly Answer[], name: string, type: RecordType): readonly string[] {
  const all = answers.flatMap(({ outcome, ...answer }) =>
    answer.name === name && answer.type === type && outcome.kind === 'addresses' ? outcome.addresses : [],
  );
  return [...new Set(all)];
}
