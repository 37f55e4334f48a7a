/**
 * Why a Service has no port of a name: asked of DNS for the error's message. CoreDNS answers SRV for a Service's plain
 * name with all of its ports; other servers need not, and then there is nothing to say.
 */
import type { Clock } from '../runtime.js';
import { isRcode } from './failure.js';
import { PLAIN_BITS } from './message.js';
import type { QueryRunner } from './query-runner.js';
import type { ResolutionPlanner } from './resolution-plan.js';
import type { ServiceName } from './service-name.js';

/** While the port stays missing, DNS is asked so often. */
const AGAIN_MS = 60_000;

export class ServicePorts {
  readonly #name: ServiceName;
  readonly #planner: ResolutionPlanner;
  readonly #runner: QueryRunner;
  readonly #clock: Pick<Clock, 'now'>;
  #last: { readonly explanation: string | null; readonly askedAt: number } | null = null;

  /** @param planner of the Service's plain name. */
  constructor(name: ServiceName, planner: ResolutionPlanner, runner: QueryRunner, clock: Pick<Clock, 'now'>) {
    this.#name = name;
    this.#planner = planner;
    this.#runner = runner;
    this.#clock = clock;
  }

  /** The port was found: the next time that it is missing, DNS is asked at once. */
  found(): void {
    this.#last = null;
  }

  /** What the Service has instead; null where DNS does not tell. Rejects only with the signal's reason. */
  async explain(signal: AbortSignal): Promise<string | null> {
    const now = this.#clock.now();
    if (this.#last === null || now - this.#last.askedAt >= AGAIN_MS)
      this.#last = { askedAt: now, explanation: await this.#ask(signal) };
    return this.#last.explanation;
  }

  async #ask(signal: AbortSignal): Promise<string | null> {
    const plan = this.#planner.next();
    let denied = false;
    for (const hostname of plan.names) {
      const { outcome } = await this.#runner.run({ hostname, type: 'SRV' }, PLAIN_BITS, plan, signal);
      if (outcome.kind === 'services') return this.#listed(outcome.services.map(({ port }) => port));
      // NODATA: the name exists, on a server that tells no ports.
      if (outcome.kind === 'empty' && outcome.failure.reason === 'nodata') return null;
      if (outcome.kind === 'failed' && !isRcode(outcome.failure.reason)) return null;
      denied ||= outcome.kind === 'empty';
    }
    return denied ? `the Service "${this.#name.service}" has no ready pod, or does not exist` : null;
  }

  #listed(all: readonly number[]): string {
    const ports = [...new Set(all)].sort((one, other) => one - other);
    const { port } = this.#name;
    if (ports.length === 1) return `the Service has port ${ports[0]}; it is not named ${port}`;
    return `the Service has ports ${ports.slice(0, -1).join(', ')} and ${ports.at(-1)}; none of them is named ${port}`;
  }
}
