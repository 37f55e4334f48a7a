/** What happened to the pods and to DNS, by the clock of the process that makes the calls. */

/** `until` is Infinity while it lasts. */
export interface Period {
  readonly from: number;
  until: number;
}

/** Why a call on a pod may fail. */
export type TroubleKind = 'killed' | 'hung' | 'stopped';

export interface Trouble extends Period {
  readonly kind: TroubleKind;
}

export interface PodHistory {
  /** When it was in DNS. */
  readonly published: Period[];
  readonly troubles: Trouble[];
}

/** Older ones explain no call, and must not fill the memory of a soak of hours. */
const KEPT_MS = 10 * 60_000;

export class History {
  readonly #pods = new Map<string, PodHistory>();
  readonly outages: Period[] = [];

  of(ip: string): PodHistory | undefined {
    return this.#pods.get(ip);
  }

  published(ip: string, now: number): void {
    this.#open(ip).published.push({ from: now, until: Number.POSITIVE_INFINITY });
  }

  unpublished(ip: string, now: number): void {
    const period = this.#open(ip).published.at(-1);
    if (period && period.until > now) period.until = now;
  }

  /** Begins; the caller ends it. */
  trouble(ip: string, kind: TroubleKind, now: number): Trouble {
    const trouble: Trouble = { kind, from: now, until: Number.POSITIVE_INFINITY };
    this.#open(ip).troubles.push(trouble);
    return trouble;
  }

  outage(now: number): Period {
    const outage: Period = { from: now, until: Number.POSITIVE_INFINITY };
    this.outages.push(outage);
    return outage;
  }

  forget(now: number): void {
    const isOld = ({ until }: Period): boolean => until < now - KEPT_MS;
    prune(this.outages, isOld);
    for (const [ip, { published, troubles }] of this.#pods) {
      prune(published, isOld);
      prune(troubles, isOld);
      if (published.length === 0 && troubles.length === 0) this.#pods.delete(ip);
    }
  }

  #open(ip: string): PodHistory {
    let history = this.#pods.get(ip);
    if (!history) {
      history = { published: [], troubles: [] };
      this.#pods.set(ip, history);
    }
    return history;
  }
}

function prune<T>(list: T[], unwanted: (item: T) => boolean): void {
  const kept = list.filter((item) => !unwanted(item));
  list.splice(0, list.length, ...kept);
}
