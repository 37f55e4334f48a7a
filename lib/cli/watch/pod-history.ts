/** The states of one pod, as they followed each other, and what to say of each change. */
import type { EndpointSnapshot } from '../../index.js';
import { count, duration } from './format.js';
import type { ChangeView, PodView, Span, Tone } from './view.js';

type Change = Omit<ChangeView, 'id'>;

/** Another state than the type has: one that a later version of the library reports, or `listed`. */
export type SeenEndpoint = Omit<EndpointSnapshot, 'state'> & { readonly state: string };

export class PodHistory {
  readonly address: string;
  /** Of the last change. */
  revision = 0;
  #spans: Span[] = [];
  #endpoint: SeenEndpoint | null = null;
  #goneAt: number | null = null;

  constructor(address: string) {
    this.address = address;
  }

  get goneAt(): number | null {
    return this.#goneAt;
  }

  /** The pod is there, as `endpoint` tells. */
  see(endpoint: SeenEndpoint, now: number, revision: number): { changed: boolean; changes: readonly Change[] } {
    const before = this.#goneAt === null ? this.#endpoint : null;
    const last = this.#spans.at(-1);
    this.#endpoint = endpoint;
    this.#goneAt = null;
    if (before && before.state === endpoint.state) {
      const changed = !sameCounts(before, endpoint);
      if (changed) this.revision = revision;
      return { changed, changes: [] };
    }
    this.revision = revision;
    // No state begins before the one that it follows, wherever the wall clock jumps to.
    const from = Math.max(last?.to ?? last?.from ?? 0, Math.min(now, endpoint.since));
    if (last && last.to === null) this.#spans[this.#spans.length - 1] = { ...last, to: from };
    this.#spans.push({ state: endpoint.state, from, to: null });
    const { text, tone } = describe(before, endpoint, last && before ? from - last.from : null);
    return { changed: true, changes: [this.#change(from, text, tone)] };
  }

  /** The pod is there no more. Nothing happens if it was gone already. */
  leave(now: number, revision: number): readonly Change[] {
    if (this.#goneAt !== null) return [];
    const last = this.#spans.at(-1);
    if (last && last.to === null) this.#spans[this.#spans.length - 1] = { ...last, to: Math.max(last.from, now) };
    this.#goneAt = now;
    this.revision = revision;
    const text =
      last?.state === 'draining' ? 'gone: the drained connection is closed' : 'gone: DNS no longer has its address';
    return [this.#change(now, text, 'neutral')];
  }

  /** Forgets what ended before `from`. Returns false when nothing is left. */
  forget(from: number): boolean {
    if (this.#goneAt !== null && this.#goneAt < from) return false;
    if (this.#spans.some(({ to }) => to !== null && to < from))
      this.#spans = this.#spans.filter(({ to }) => to === null || to >= from);
    return true;
  }

  view(): PodView {
    const endpoint = this.#endpoint;
    return {
      address: this.address,
      spans: [...this.#spans],
      goneAt: this.#goneAt,
      inFlight: this.#goneAt === null ? (endpoint?.inFlight ?? 0) : 0,
      started: endpoint?.started ?? 0,
      succeeded: endpoint?.succeeded ?? 0,
      failed: endpoint?.failed ?? 0,
      zone: endpoint?.zone ?? null,
      weight: endpoint?.weight ?? null,
      lastError: endpoint ? causeOf(endpoint) : null,
    };
  }

  #change(at: number, text: string, tone: Tone): Change {
    return { at, about: 'pod', address: this.address, text, tone, routine: false };
  }
}

function describe(
  before: SeenEndpoint | null,
  endpoint: SeenEndpoint,
  ms: number | null,
): { text: string; tone: Tone } {
  const after = ms === null ? '' : ` after ${duration(ms)}`;
  const error = causeOf(endpoint);
  const cause = error === null ? '' : `: ${error}`;
  const added = before === null ? 'added: ' : '';
  switch (endpoint.state) {
    case 'ready':
      if (before?.state === 'draining') return { text: 'back in DNS, the connection was kept', tone: 'good' };
      return { text: `${added}ready${after}`, tone: 'good' };
    case 'connecting':
      if (before?.state === 'ready') return { text: 'connection lost, connecting again', tone: 'bad' };
      return { text: `${added}connecting`, tone: 'neutral' };
    case 'backoff':
      return { text: `${added}cannot be connected to, trying again${cause}`, tone: 'bad' };
    case 'draining':
      return { text: `left DNS, draining${callsLeft(endpoint.inFlight)}`, tone: 'neutral' };
    case 'listed':
      return { text: 'added to DNS', tone: 'good' };
    default:
      return { text: `${added}${endpoint.state}${after}${cause}`, tone: 'neutral' };
  }
}

/** Without the name of the class that grpc-js puts before most messages. */
function causeOf({ lastError }: SeenEndpoint): string | null {
  return lastError === null ? null : lastError.replace(/^Error: /, '');
}

function callsLeft(inFlight: number): string {
  return inFlight === 0 ? '' : ` with ${count(inFlight, 'call', 'calls')} in flight`;
}

function sameCounts(one: SeenEndpoint, other: SeenEndpoint): boolean {
  return (
    one.inFlight === other.inFlight &&
    one.started === other.started &&
    one.succeeded === other.succeeded &&
    one.failed === other.failed &&
    one.zone === other.zone &&
    one.weight === other.weight &&
    one.lastError === other.lastError
  );
}
