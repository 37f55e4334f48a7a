/**
 * The calls of one endpoint that began and have not ended, and which of them count as load.
 *
 * A stream that only stays open, and a call that grpc-js never ends, are no load; how busy a call keeps its pod cannot
 * be seen from outside. The rule: a call is set aside, and counts as load no more, when it is old and a call that
 * began after it was answered. A pod that works on its calls in their order never has a call set aside, and a pod that
 * answers nothing keeps the whole weight of its calls.
 *
 * Age is counted in turns: how often the rotation came to this endpoint while it had calls. By Little's law the
 * average call lasts as many turns as a pod has calls in flight, so the limit grows with the load of the other
 * endpoints; where all have as many streams, none need be set aside. An endpoint that is passed over for so long gets
 * one call, whose answer shows that the pod works. Where none comes, the next such call has to wait twice as long.
 *
 * Calls are not followed one by one, which would cost an allocation for each: all calls of one generation share a pick
 * result. At most two generations count as load: the open one, which new calls join, and the closed one before it.
 */
import { status } from '@grpc/grpc-js';
import { type PickResult, PickResultType, type Subchannel } from '../grpc/experimental.js';
import type { CallObserver } from '../health/health-monitor.js';

/** Turns after which a call is old where the other endpoints are idle, and so many more for each call that they have. */
const OLD_TURNS = 16;
/** Each turn takes over 1/64 of what a greater limit has more; in whole numbers, which cost less. A smaller limit is taken over at once. */
const OLD_TURNS_RISE_BITS = 6;
/** The longest wait for the next trial of a pod that answers nothing is so many times the first. */
const MOST_BACKOFF = 64;

/** Codes that calls end with although the pod sent nothing. */
const UNANSWERED: ReadonlySet<status> = new Set([status.CANCELLED, status.DEADLINE_EXCEEDED, status.UNAVAILABLE]);

interface Generation {
  /** Later generations have greater numbers. */
  number: number;
  /** Calls in flight. */
  calls: number;
  readonly pickResult: PickResult;
}

export class OutstandingCalls {
  #subchannel: Subchannel;
  readonly #observer: CallObserver;
  #load = 0;
  #setAside = 0;
  /** Picks of the turn of the event loop numbered `#pickedTurn` whose calls have not begun: those begin a microtask later at the least. */
  #picks = 0;
  #pickedTurn = -1;

  #open: Generation;
  /** The rotation's turns so far, and those at the last pick and when the open generation got its first call. */
  #turns = 0;
  #lastPickAt = 0;
  #openedAt = 0;
  /** Calls that count as load and belong to closed generations, and the turn of the last pick among them. */
  #closedLoad = 0;
  #closedAt = 0;
  /** Calls of generations up to this one are set aside. */
  #setAsideUpTo = -1;
  /** A generation that ended, for use as a later one. */
  #spare: Generation | null = null;
  /** The turns after which a call is old now. */
  #oldTurns = OLD_TURNS;
  #backoff = 1;

  /** @param observer is told after the counts have been changed. */
  constructor(subchannel: Subchannel, observer: CallObserver) {
    this.#subchannel = subchannel;
    this.#observer = observer;
    this.#open = this.#createGeneration(0);
  }

  /** For the next call. The same object for many calls, but not for all. */
  get pickResult(): PickResult {
    return this.#open.pickResult;
  }

  /** What pick results name from now on; calls that were picked before are not affected. */
  set subchannel(subchannel: Subchannel) {
    this.#subchannel = subchannel;
    this.#open.pickResult.subchannel = subchannel;
  }

  /** All that began and have not ended. */
  get total(): number {
    return this.#load + this.#setAside;
  }

  get setAside(): number {
    return this.#setAside;
  }

  load(turn: number): number {
    return this.#pickedTurn === turn ? this.#load + this.#picks : this.#load;
  }

  recordTurn(otherLoad: number): boolean {
    this.#turns += 1;
    const oldTurns = OLD_TURNS * (1 + otherLoad);
    // An endpoint may be compared with a busy one and an idle one in turn: what the idle one allows has precedence.
    if (oldTurns < this.#oldTurns) this.#oldTurns = oldTurns;
    else this.#oldTurns += (oldTurns - this.#oldTurns + 63) >> OLD_TURNS_RISE_BITS;
    return this.#isOverdue;
  }

  get #isOverdue(): boolean {
    return this.#turns - this.#lastPickAt >= this.#oldTurns * this.#backoff;
  }

  recordPick(turn: number): void {
    if (this.#pickedTurn !== turn) {
      this.#pickedTurn = turn;
      this.#picks = 0;
    }
    this.#picks += 1;
    if (this.#isOverdue) this.#backoff = Math.min(2 * this.#backoff, MOST_BACKOFF);
    if (this.#open.calls === 0) this.#openedAt = this.#turns;
    else if (this.#closedLoad === 0 && this.#turns - this.#openedAt >= this.#oldTurns) this.#closeGeneration();
    this.#lastPickAt = this.#turns;
  }

  #closeGeneration(): void {
    const closed = this.#open;
    this.#closedLoad = closed.calls;
    this.#closedAt = this.#lastPickAt;
    const number = closed.number + 1;
    // The spare one has calls again if one began long after its pick.
    this.#open = this.#spare?.calls === 0 ? this.#spare : this.#createGeneration(number);
    this.#open.number = number;
    // It may be older than the last change of the subchannel.
    this.#open.pickResult.subchannel = this.#subchannel;
    this.#spare = null;
    this.#openedAt = this.#turns;
  }

  #createGeneration(number: number): Generation {
    const generation: Generation = {
      number,
      calls: 0,
      pickResult: {
        pickResultType: PickResultType.COMPLETE,
        subchannel: this.#subchannel,
        status: null,
        onCallStarted: () => this.#onStarted(generation),
        onCallEnded: (code) => this.#onEnded(generation, code),
      },
    };
    return generation;
  }

  #onStarted(generation: Generation): void {
    generation.calls += 1;
    this.#count(generation, 1);
    if (this.#picks > 0) this.#picks -= 1;
    this.#observer.onStarted();
  }

  #onEnded(generation: Generation, code: status): void {
    generation.calls -= 1;
    this.#count(generation, -1);
    if (!UNANSWERED.has(code)) this.#onAnswer(generation);
    if (generation.calls === 0 && generation !== this.#open) this.#spare = generation;
    this.#observer.onEnded(code);
  }

  /** A call may begin long after its pick, when its generation has been closed or even set aside. */
  #count(generation: Generation, change: 1 | -1): void {
    if (generation.number <= this.#setAsideUpTo) {
      this.#setAside += change;
      return;
    }
    this.#load += change;
    if (generation !== this.#open) this.#closedLoad += change;
  }

  #onAnswer(generation: Generation): void {
    this.#backoff = 1;
    if (generation !== this.#open || this.#closedLoad === 0) return;
    if (this.#turns - this.#closedAt < this.#oldTurns) return;
    this.#load -= this.#closedLoad;
    this.#setAside += this.#closedLoad;
    this.#closedLoad = 0;
    this.#setAsideUpTo = generation.number - 1;
  }
}
