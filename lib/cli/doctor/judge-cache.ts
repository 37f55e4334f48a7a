/** A cache in front of the DNS server, and what it makes of the age of news. */
import type { Facts } from './facts.js';
import { type Finding, finding } from './findings.js';
import { newsAge } from './news-age.js';
import { duration } from './wording.js';

/** Only where the cache, and not the interval, decides how old news may be. */
export function judgeCache({ readings, target }: Facts): readonly Finding[] {
  const cached = readings.filter(({ cache }) => cache === 'present');
  const late = cached.filter((reading) => newsAge(reading, target.intervalMs).mostMs > target.intervalMs);
  if (late.length === 0) return [];
  const oneEntry = late.some(({ entries }) => entries === 1);
  return [
    finding('dns-cache', {
      weight: oneEntry ? 'warning' : 'note',
      seen: late.map((reading) => {
        const { meanMs, mostMs } = newsAge(reading, target.intervalMs);
        const { server, ttlMs, entries } = reading;
        const phases =
          entries > 1 ? `phases work (${entries} entries that expire apart)` : 'phases do not work (one entry)';
        return `${server}: TTL ${duration(ttlMs)}, ${phases}: news about ${duration(meanMs)} old on average, ${duration(mostMs)} at most.`;
      }),
      remedy:
        `Without the cache news would be at most ${duration(target.intervalMs)} old, which is the interval. Where you may alter the cluster: lower the TTL of the ` +
        'cache, or turn it off for the zone of the cluster, as newer versions of kubeadm do. Otherwise the client needs no change: it reads ' +
        'the cache as well as it can (refresh.ttl: phased), and a shorter interval changes nothing.',
      manifest: [
        '# Corefile of CoreDNS',
        'cache 30 {',
        '    disable success cluster.local',
        '    disable denial cluster.local',
        '}',
      ].join('\n'),
    }),
  ];
}
