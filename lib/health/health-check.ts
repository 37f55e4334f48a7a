/**
 * Client-side health checks (gRFC A17): each connected endpoint is asked for a stream of its service's status, by
 * `grpc.health.v1.Health/Watch` on the connection that its calls use.
 *
 * - It takes no calls before the first answer, and then while the answer is SERVING.
 * - UNIMPLEMENTED: the server has no health service, and is taken for healthy. Told once for a channel.
 * - A stream that breaks leaves the health as it was, and is opened again after a backoff.
 */
import { connectivityState, status } from '@grpc/grpc-js';
import type { Subchannel } from '../grpc/experimental.js';
import type { Runtime, Timer } from '../runtime.js';
import type { Emit } from '../telemetry/events.js';
import type { ServingStatus } from './health-messages.js';
import type { HealthMonitor, MonitoredEndpoint, ReportHealth } from './health-monitor.js';
import { type OpenHealthStream, openHealthStream } from './health-stream.js';

/** gRFC A17 has the backoff of connections: https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md. */
const BACKOFF = { initialMs: 1_000, multiplier: 1.6, jitter: 0.2, maxMs: 120_000 };
/**
 * Without an answer for so long the endpoint counts as unhealthy, no longer as one that connects: calls wait for those,
 * and a server that does not answer must not make them wait for ever.
 */
const FIRST_ANSWER_MS = 1_000;

export interface HealthCheckDependencies extends Pick<Runtime, 'random'> {
  readonly clock: Pick<Runtime['clock'], 'setTimer'>;
  readonly emit: Emit;
  readonly open?: OpenHealthStream;
}

/** What the watches of one channel share. */
interface Shared extends Required<HealthCheckDependencies> {
  readonly service: string;
  onUnimplemented(address: string): void;
}

/** @param service the name to ask for; empty: the server as a whole. */
export function healthCheck(
  { service }: { readonly service: string },
  { open = openHealthStream, ...dependencies }: HealthCheckDependencies,
): HealthMonitor {
  let told = false;
  const shared: Shared = {
    ...dependencies,
    open,
    service,
    onUnimplemented(address) {
      if (told) return;
      told = true;
      dependencies.emit({ kind: 'health_unimplemented', address });
    },
  };
  return {
    watch(endpoint, report) {
      const watch = new HealthWatch(endpoint, report, shared);
      return () => watch.stop();
    },
  };
}

class HealthWatch {
  readonly #endpoint: MonitoredEndpoint;
  readonly #report: ReportHealth;
  readonly #shared: Shared;
  #closeStream: (() => void) | null = null;
  /** Of the next attempt, or of the first answer. */
  #timer: Timer | null = null;
  /** Of this connection; null before the first one. */
  #answer: ServingStatus | 'UNIMPLEMENTED' | null = null;
  /** Attempts in a row without an answer. */
  #failures = 0;

  constructor(endpoint: MonitoredEndpoint, report: ReportHealth, shared: Shared) {
    this.#endpoint = endpoint;
    this.#report = report;
    this.#shared = shared;
    endpoint.subchannel.addConnectivityStateListener(this.#onState);
    this.#report(null, { health: 'UNKNOWN' });
    if (endpoint.subchannel.getConnectivityState() === connectivityState.READY) this.#open();
  }

  stop(): void {
    this.#endpoint.subchannel.removeConnectivityStateListener(this.#onState);
    this.#close();
  }

  readonly #onState = (_subchannel: Subchannel, _previous: connectivityState, next: connectivityState): void => {
    // Also where the connection says GOAWAY: a server that shuts down gracefully waits for its streams to end.
    this.#close();
    this.#answer = null;
    this.#failures = 0;
    this.#report(null, { health: 'UNKNOWN' });
    if (next === connectivityState.READY) this.#open();
  };

  #open(): void {
    const { open, service, clock } = this.#shared;
    this.#closeStream = open(this.#endpoint, service, {
      onStatus: (answer) => this.#onAnswer(answer, answer === 'SERVING'),
      onEnd: (code, details) => this.#onEnd(code, details),
    });
    if (this.#answer === null)
      this.#timer = clock.setTimer(FIRST_ANSWER_MS, () => this.#report(false, { health: 'UNKNOWN' }));
  }

  #onAnswer(answer: ServingStatus | 'UNIMPLEMENTED', healthy: boolean): void {
    this.#timer?.cancel();
    this.#failures = 0;
    const changed = answer !== this.#answer;
    this.#answer = answer;
    if (!changed) return;
    this.#shared.emit({ kind: 'health_changed', address: this.#endpoint.address, health: answer });
    this.#report(healthy, { health: answer });
  }

  #onEnd(code: status, details: string): void {
    this.#close();
    if (code === status.UNIMPLEMENTED) {
      this.#shared.onUnimplemented(this.#endpoint.address);
      this.#onAnswer('UNIMPLEMENTED', true);
      return;
    }
    const { clock, random, emit } = this.#shared;
    const base = Math.min(BACKOFF.initialMs * BACKOFF.multiplier ** this.#failures, BACKOFF.maxMs);
    const retryMs = base * (1 + BACKOFF.jitter * (2 * random() - 1));
    this.#failures += 1;
    emit({ kind: 'health_watch_failed', address: this.#endpoint.address, code, details, retryMs });
    this.#timer = clock.setTimer(retryMs, () => this.#open());
    // Without any answer there is nothing to keep to.
    if (this.#answer === null) this.#report(false, { health: 'UNKNOWN' });
  }

  #close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#closeStream?.();
    this.#closeStream = null;
  }
}
