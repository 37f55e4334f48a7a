/** The states of one pod, as they followed each other. */
import {
  causeOf,
  ejectionNews,
  healthNews,
  type PodNews,
  type SeenEndpoint,
  shownState,
  stateNews,
} from './pod-news.js';
import type { ChangeView, PodView, Span } from './view.js';

type Change = Omit<ChangeView, 'id'>;

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
    const state = shownState(endpoint);
    const ejection = ejectionNews(before, endpoint);
    if (before && last?.state === state) {
      const news = [ejection, healthNews(before, endpoint)].filter((one) => one !== null);
      const changed = news.length > 0 || !sameFigures(before, endpoint);
      if (changed) this.revision = revision;
      return { changed, changes: news.map((one) => this.#change(one, now)) };
    }
    this.revision = revision;
    // Ejections and answers to health checks leave the endpoint's own state, and its time, as they are.
    const began = before && before.state === endpoint.state ? (ejection?.at ?? now) : endpoint.since;
    // No state begins before the one that it follows, wherever the wall clock jumps to.
    const from = Math.max(last?.to ?? last?.from ?? 0, Math.min(now, began));
    if (last && last.to === null) this.#spans[this.#spans.length - 1] = { ...last, to: from };
    this.#spans.push({ state, from, to: null });
    const news = [ejection, stateNews(before, endpoint, last && before ? from - last.from : null)];
    return { changed: true, changes: news.flatMap((one) => (one === null ? [] : [this.#change(one, from)])) };
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
    return [this.#change({ text, tone: 'neutral' }, now)];
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
      health: endpoint?.health ?? null,
      ejected: this.#goneAt === null ? (endpoint?.ejected ?? null) : null,
    };
  }

  #change({ text, tone, at }: PodNews, now: number): Change {
    return { at: Math.min(now, at ?? now), about: 'pod', address: this.address, text, tone, routine: false };
  }
}

function sameFigures(one: SeenEndpoint, other: SeenEndpoint): boolean {
  return (
    one.inFlight === other.inFlight &&
    one.started === other.started &&
    one.succeeded === other.succeeded &&
    one.failed === other.failed &&
    one.zone === other.zone &&
    one.weight === other.weight &&
    one.lastError === other.lastError &&
    one.health === other.health
  );
}
