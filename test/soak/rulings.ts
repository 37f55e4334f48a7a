/** The sum of all rulings: how many calls ended how, why they failed, and every promise that was broken. */
import { status } from '@grpc/grpc-js';
import type { CallKind, EndedCall, Ruling } from './call-rules.js';

/** Sentences of one kind are many if there is one; so many tell the story. */
const SHOWN = 20;

export class Recorder {
  readonly ok = new Map<CallKind, number>();
  /** "UNAVAILABLE, was on a pod that was killed" */
  readonly explained = new Map<string, number>();
  readonly sentences: string[] = [];
  broken = 0;
  calls = 0;

  add(call: EndedCall, ruling: Ruling): void {
    this.calls += 1;
    if (ruling.kind === 'broken') this.break(ruling.sentence);
    else if (ruling.kind === 'kept') this.ok.set(call.kind, (this.ok.get(call.kind) ?? 0) + 1);
    else {
      const reason = `${call.kind}: ${status[call.code]}, ${ruling.by}`;
      this.explained.set(reason, (this.explained.get(reason) ?? 0) + 1);
    }
  }

  /** A promise was broken. */
  break(sentence: string): void {
    this.broken += 1;
    if (this.sentences.length < SHOWN) this.sentences.push(sentence);
  }

  get failed(): number {
    return [...this.explained.values()].reduce((sum, times) => sum + times, 0);
  }
}
