/** The sum of all rulings: how many calls ended how, why they failed, and every rule that was broken. */
import { status } from '@grpc/grpc-js';
import type { CallKind } from '../support/hello-calls.js';
import type { Ruling, SoakCall } from './call-rules.js';

/** Of many sentences of one kind, the first ones are enough. */
const SHOWN = 20;

export class Rulings {
  readonly ok = new Map<CallKind, number>();
  /** "UNAVAILABLE, was on a pod that was killed" */
  readonly explained = new Map<string, number>();
  readonly sentences: string[] = [];
  broken = 0;
  calls = 0;

  add(call: SoakCall, ruling: Ruling): void {
    this.calls += 1;
    if (ruling.kind === 'broken') this.break(ruling.sentence);
    else if (ruling.kind === 'kept') this.ok.set(call.kind, (this.ok.get(call.kind) ?? 0) + 1);
    else {
      const reason = `${call.kind}: ${status[call.code]}, ${ruling.by}`;
      this.explained.set(reason, (this.explained.get(reason) ?? 0) + 1);
    }
  }

  /** A rule was broken. */
  break(sentence: string): void {
    this.broken += 1;
    if (this.sentences.length < SHOWN) this.sentences.push(sentence);
  }

  get failed(): number {
    return [...this.explained.values()].reduce((sum, times) => sum + times, 0);
  }
}
