/** What the servers of these tests are told to serve: two zones, as master files (RFC 1035 section 5) or a hosts file. */

/** Of one name. Either addresses, or a CNAME, or SRV records. */
export interface Records {
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  /** Without a final dot. */
  readonly cname?: string;
  /** Of priority 0 and weight 100; targets without final dots. */
  readonly srv?: readonly { readonly port: number; readonly target: string }[];
}

/** The cluster's own zone, and the one that an ExternalName Service may point to. */
const CLUSTER_ZONE = 'cluster.local';
const OTHER_ZONE = 'example.org';
export const ZONES: readonly string[] = [CLUSTER_ZONE, OTHER_ZONE];

/** In each zone: its address says which serial the server has loaded, also where there is no SOA to ask for. */
export const MARKER = 'published';

export class Zones {
  /** Seconds, of all records and of NXDOMAIN. */
  readonly ttl: number;
  readonly #records = new Map<string, Records>();
  #serial = 1;

  constructor(ttl: number) {
    this.ttl = ttl;
  }

  set(name: string, records: Records): void {
    this.#records.set(name, records);
    this.#serial += 1;
  }

  remove(name: string): void {
    this.#records.delete(name);
    this.#serial += 1;
  }

  /** The serial as the marker shows it. */
  get stamp(): string {
    return `10.255.${this.#serial >> 8}.${this.#serial & 255}`;
  }

  get entries(): [name: string, records: Records][] {
    const markers = ZONES.map((zone): [string, Records] => [`${MARKER}.${zone}`, { a: [this.stamp] }]);
    return [...this.#records, ...markers];
  }

  masterFile(zone: string): string {
    const head = [
      `$ORIGIN ${zone}.`,
      `$TTL ${this.ttl}`,
      `@ SOA ns hostmaster ${this.#serial} 3600 600 86400 ${this.ttl}`,
      '@ NS ns',
      'ns A 127.0.0.1',
    ];
    const body = this.entries
      .filter(([name]) => name.endsWith(`.${zone}`))
      .flatMap(([name, { a = [], aaaa = [], cname, srv = [] }]) => [
        ...a.map((ip) => `${name}. A ${ip}`),
        ...aaaa.map((ip) => `${name}. AAAA ${ip}`),
        ...srv.map(({ port, target }) => `${name}. SRV 0 100 ${port} ${target}.`),
        ...(cname === undefined ? [] : [`${name}. CNAME ${cname}.`]),
      ]);
    return `${[...head, ...body].join('\n')}\n`;
  }

  /** All addresses, in the form of /etc/hosts. It has no CNAMEs and no SRV records. */
  hostsFile(): string {
    const lines = this.entries.flatMap(([name, { a = [], aaaa = [] }]) => [...a, ...aaaa].map((ip) => `${ip} ${name}`));
    return `${lines.join('\n')}\n`;
  }
}
