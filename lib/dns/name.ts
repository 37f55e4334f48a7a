/**
 * Domain names inside a message: skipped, checked and compared in place. As text the two labels `svc`,`ns` and the one
 * label `svc.ns` would be the same name, so that only names of a host name's characters are converted to text.
 */

/** A message that no address may be taken from. */
export class MalformedMessage extends Error {
  override readonly name: string = 'MalformedMessage';
}

/** Octets of a message's header (RFC 1035 section 4.1.1). No name begins there. */
export const HEADER_OCTETS = 12;
/** Octets of a name with its length octets and the root's (RFC 1035 section 2.3.4). */
export const MAX_NAME_OCTETS = 255;
/** Octets of one label (RFC 1035 section 2.3.4). */
export const MAX_LABEL_OCTETS = 63;

/** A name of 255 octets has at most 127 labels, so that a valid one needs at most a pointer between every two. */
const MAX_POINTERS = 126;
/**
 * How much work the names of one message may cause: one unit for a label or a pointer followed, one for four octets
 * compared. The largest valid message (64 KiB), compressed or not, needs about half of it. A forged message cannot
 * block the event loop for longer than this takes.
 */
const BUDGET = 65_536;
/** Where the text of one name is put together. */
const TEXT = Buffer.alloc(MAX_NAME_OCTETS);
const DOT = 0x2e;

/** Reads the names of one message. All methods throw `MalformedMessage`, also when the names cost too much in all. */
export class NameReader {
  readonly #message: Uint8Array;
  #budget = BUDGET;
  /** The target of the last valid name that was a pointer and nothing else. */
  #lastPointer = -1;

  constructor(message: Uint8Array) {
    this.#message = message;
  }

  /** Checks the name at `start` along all its pointers, and returns the offset just after it at this place. */
  skip(start: number): number {
    const message = this.#message;
    // After a CNAME nearly every owner is the same pointer, whose target has to be checked only once.
    const alone = message[start + 1] === undefined ? -1 : this.pointerAt(start);
    if (alone !== -1 && alone === this.#lastPointer && alone < start) return start + 2;
    let at = start;
    let runStart = start;
    let end = -1;
    let octets = 1;
    let pointers = 0;
    for (;;) {
      this.#spend(1);
      const length = message[at];
      if (length === undefined) throw new MalformedMessage('a name runs past the end');
      if (length === 0) {
        this.#lastPointer = alone;
        return end === -1 ? at + 1 : end;
      }
      if (length <= MAX_LABEL_OCTETS) {
        octets += length + 1;
        if (octets > MAX_NAME_OCTETS) throw new MalformedMessage('a name of more than 255 octets');
        at += length + 1;
        continue;
      }
      // 0x40 and 0x80: extended labels (RFC 6891 section 5) and a type that was never assigned: their length is unknown.
      if (length < 0xc0) throw new MalformedMessage('a label of an unknown type');
      const low = message[at + 1];
      if (low === undefined) throw new MalformedMessage('a pointer runs past the end');
      const target = ((length & 0x3f) << 8) | low;
      // "A prior occurrence" (RFC 1035 section 4.1.4): before the labels that the pointer ends, so that it cannot loop.
      if (target >= runStart || target < HEADER_OCTETS)
        throw new MalformedMessage('a pointer that does not point back');
      pointers += 1;
      if (pointers > MAX_POINTERS) throw new MalformedMessage('a name of too many pointers');
      if (end === -1) end = at + 2;
      at = target;
      runStart = target;
    }
  }

  /** Whether two names that `skip` has checked are equal, ASCII letters compared without case (RFC 4343). */
  equal(first: number, second: number): boolean {
    const message = this.#message;
    let a = this.#toLabel(first);
    let b = this.#toLabel(second);
    while (a !== b) {
      const length = message[a] as number;
      if (length !== message[b]) return false;
      if (length === 0) return true;
      this.#spend(length >> 2);
      if (!sameOctets(message, a + 1, message, b + 1, length)) return false;
      a = this.#toLabel(a + length + 1);
      b = this.#toLabel(b + length + 1);
    }
    return true;
  }

  /**
   * The name at `start`, which `skip` has checked, as a host name that DNS can be asked for: lower case, without a final
   * dot, empty for the root. null where a label has other characters than a host name, which text would not tell apart.
   */
  hostname(start: number): string | null {
    const message = this.#message;
    let length = 0;
    for (let at = this.#toLabel(start); message[at] !== 0; ) {
      const end = at + 1 + (message[at] as number);
      if (length > 0) TEXT[length++] = DOT;
      for (let index = at + 1; index < end; index++) {
        const octet = lower(message[index] as number);
        if (!isHostnameOctet(octet)) return null;
        TEXT[length++] = octet;
      }
      at = this.#toLabel(end);
    }
    return TEXT.toString('latin1', 0, length);
  }

  /** Where the name at `offset`, checked by `skip`, points if it is nothing but a pointer; else -1. */
  pointerAt(offset: number): number {
    const first = this.#message[offset] as number;
    return first < 0xc0 ? -1 : ((first & 0x3f) << 8) | (this.#message[offset + 1] as number);
  }

  /** Follows pointers to the length octet of the next label. */
  #toLabel(offset: number): number {
    let at = offset;
    for (;;) {
      this.#spend(1);
      const target = this.pointerAt(at);
      if (target === -1) return at;
      at = target;
    }
  }

  #spend(units: number): void {
    this.#budget -= units;
    if (this.#budget < 0) throw new MalformedMessage('names too costly to follow');
  }
}

/** Compares `length` octets, ASCII letters without case. False where either array is too short. */
export function sameOctets(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  for (let index = 0; index < length; index++) {
    const x = a[aStart + index];
    const y = b[bStart + index];
    if (x === undefined || y === undefined) return false;
    if (x !== y && lower(x) !== lower(y)) return false;
  }
  return true;
}

/** Lower-case letters, digits, `-` and `_`. */
function isHostnameOctet(octet: number): boolean {
  return (octet >= 0x61 && octet <= 0x7a) || (octet >= 0x30 && octet <= 0x39) || octet === 0x2d || octet === 0x5f;
}

function lower(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
}
