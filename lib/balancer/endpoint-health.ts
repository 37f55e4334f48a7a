/** What the health monitors of one endpoint say, taken together. */
import type { status } from '@grpc/grpc-js';
import type { CallObserver, HealthMonitor, MonitoredEndpoint, ShownHealth } from '../health/health-monitor.js';

export class EndpointHealth implements CallObserver {
  /** The monitor's that asked for the endpoint's calls; null where none did. */
  #callObserver: CallObserver | null = null;
  readonly #onReport: (changed: boolean) => void;
  /** Monitors that report something else than healthy; null: not known yet. */
  readonly #objections = new Map<HealthMonitor, false | null>();
  #shown: Required<ShownHealth> = { health: null, ejected: null };
  #stops: (() => void)[] = [];

  /** @param onReport a monitor reported; `changed`: a verdict is another one than before. */
  constructor(onReport: (changed: boolean) => void) {
    this.#onReport = onReport;
  }

  /** Whether it may take calls; null: not known yet. */
  get verdict(): boolean | null {
    if (this.#objections.size === 0) return true;
    return [...this.#objections.values()].includes(false) ? false : null;
  }

  /** Whether it may take calls where no other endpoint does. */
  get verdictInPanic(): boolean {
    for (const { binding } of this.#objections.keys()) if (binding) return false;
    return true;
  }

  /** Members of the endpoint's snapshot. */
  get shown(): Required<ShownHealth> {
    return this.#shown;
  }

  start(monitors: readonly HealthMonitor[], about: Omit<MonitoredEndpoint, 'observeCalls'>): void {
    const endpoint: MonitoredEndpoint = {
      ...about,
      get listed() {
        return about.listed;
      },
      observeCalls: (observer) => {
        this.#callObserver = observer;
      },
    };
    this.#stops = monitors.map((monitor) =>
      monitor.watch(endpoint, (healthy, shown) => this.#report(monitor, healthy, shown)),
    );
  }

  onStarted(): void {
    this.#callObserver?.onStarted();
  }

  onEnded(code: status): void {
    this.#callObserver?.onEnded(code);
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  #report(monitor: HealthMonitor, healthy: boolean | null, shown?: ShownHealth): void {
    const { verdict, verdictInPanic } = this;
    if (shown) this.#shown = { ...this.#shown, ...shown };
    if (healthy) this.#objections.delete(monitor);
    else this.#objections.set(monitor, healthy);
    this.#onReport(verdict !== this.verdict || verdictInPanic !== this.verdictInPanic);
  }
}
