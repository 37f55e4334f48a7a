/** Where the fields and records of a message are, as far as they can be read: the targets of mutations. Never fails. */

export type FieldKind = 'count' | 'label' | 'pointer' | 'type' | 'class' | 'ttl' | 'rdlength' | 'rdata';

export interface Field {
  readonly kind: FieldKind;
  readonly at: number;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Layout {
  readonly fields: readonly Field[];
  /** Complete records, in order. */
  readonly records: readonly Span[];
  /** Offsets at which a name begins. */
  readonly names: readonly number[];
}

/** More records of a large message would add little variety. */
const MOST_RECORDS = 500;

export function layoutOf(message: Buffer): Layout {
  const fields: Field[] = [];
  const records: Span[] = [];
  const names: number[] = [];
  for (const at of [4, 6, 8, 10]) if (message.length >= 12) fields.push({ kind: 'count', at });

  /** The offset just after the name; -1 where it cannot be found. */
  const walkName = (start: number): number => {
    names.push(start);
    for (let at = start; ; ) {
      const length = message[at];
      if (length === undefined) return -1;
      if (length >= 0xc0) {
        fields.push({ kind: 'pointer', at });
        return at + 2;
      }
      fields.push({ kind: 'label', at });
      if (length === 0) return at + 1;
      at += 1 + (length & 0x3f);
    }
  };

  let at = message.length > 12 ? walkName(12) : -1;
  if (at !== -1) at += 4;
  while (at !== -1 && at < message.length && records.length < MOST_RECORDS) {
    const start = at;
    const behindName = walkName(start);
    if (behindName === -1 || behindName + 10 > message.length) break;
    fields.push(
      { kind: 'type', at: behindName },
      { kind: 'class', at: behindName + 2 },
      { kind: 'ttl', at: behindName + 4 },
      { kind: 'rdlength', at: behindName + 8 },
      { kind: 'rdata', at: behindName + 10 },
    );
    at = behindName + 10 + message.readUInt16BE(behindName + 8);
    if (at <= message.length) records.push({ start, end: at });
  }
  return { fields, records, names };
}
