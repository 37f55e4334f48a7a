/** The pods behind SRV records: each target's address, from the answer's additional section or asked for. */
import type { Address } from '../../address.js';
import { formatHostPort } from '../../address.js';
import type { ServerAddress } from '../../dns/settings.js';
import type { AnswerWithServices, DnsAsker } from './dns-asker.js';

/** So many targets are asked for; the others are left out. */
const MAX_TARGETS = 256;

/** One address of each target, IPv4 where it has one. Each host and port once. */
export async function podsOfServices(
  asker: DnsAsker,
  answers: readonly AnswerWithServices[],
  name: string,
  [server]: readonly ServerAddress[],
): Promise<readonly Address[]> {
  const records = answers.filter((answer) => answer.name === name).flatMap(({ services }) => services);
  const unique = [...new Map(records.map((record) => [`${record.target} ${record.port}`, record])).values()];
  const pods = await Promise.all(
    unique.slice(0, MAX_TARGETS).map(async ({ target, port, ipv4, ipv6 }) => {
      const host = ipv4[0] ?? ipv6[0] ?? (server && (await askFor(asker, server, target)));
      return host === undefined ? [] : [{ host, port }];
    }),
  );
  return [...new Map(pods.flat().map((pod) => [formatHostPort(pod.host, pod.port), pod])).values()];
}

async function askFor(asker: DnsAsker, server: ServerAddress, hostname: string): Promise<string | undefined> {
  if (hostname === '') return undefined;
  for (const type of ['A', 'AAAA'] as const) {
    const { outcome } = await asker.askWhole(server, { hostname, type });
    if (outcome.kind === 'addresses') return outcome.addresses[0];
  }
  return undefined;
}
