/** A client of a cell, of whatever library: it is connected, calls at a rate, and tells what it saw. */
import { status } from '@grpc/grpc-js';
import type { CallsReport, Recorder } from '../../test/support/recorder.js';
import type { Client } from './grid.js';

export interface ClientSettings {
  readonly id: string;
  readonly client: Client;
  /** `"ip:port"`. */
  readonly dns: string;
  /** `name:port`; of HAProxy, its own address. */
  readonly target: string;
  /** URL of the API server. */
  readonly api: string;
  readonly callsPerSecond: number;
}

/** The calls of one client. */
interface CallLog {
  /** Answered calls: when due (`machineMs()`), how long from then, and whose answer (an index into `pods`). */
  readonly dueAt: Float64Array;
  readonly latencyMs: Float32Array;
  readonly pod: Uint16Array;
  readonly pods: readonly string[];
  readonly calls: CallsReport;
}

/** What one client saw. All times are `machineMs()`. */
export interface ClientLog extends CallLog {
  readonly id: string;
  /** Addresses as `ip:port`. Empty of the baselines, which do not tell. */
  readonly updates: readonly { at: number; added: readonly string[]; removed: readonly string[] }[];
  /** When an added endpoint was READY, in the order of updates. */
  readonly connected: readonly { at: number; address: string }[];
  /** Null for the baselines, which do not count. */
  readonly polls: number | null;
  readonly queries: number | null;
}

export interface Observer {
  /** Rejects where it takes too long, with what prevents it. */
  connect(): Promise<void>;
  /** Calls begin. */
  call(): void;
  /** What came before does not count. */
  begin(): void;
  /** After the calls that are under way. */
  finish(): Promise<ClientLog>;
}

/** Long: on a busy machine a dozen clients start at once. */
export const READY_WITHIN_MS = 60_000;

/** Keeps the answered calls of a recorder. */
export class CallKeeper {
  readonly #recorder: Recorder;
  readonly #dueAt: number[] = [];
  readonly #latencyMs: number[] = [];
  readonly #pod: number[] = [];
  readonly #pods = new Map<string, number>();

  /** @param offsetMs turns the times of the recorder into `machineMs()`. */
  constructor(recorder: Recorder, offsetMs: number) {
    this.#recorder = recorder;
    recorder.subscribe(({ code, pod, dueAt, endedAt }) => {
      if (code !== status.OK || pod === null) return;
      this.#dueAt.push(dueAt + offsetMs);
      this.#latencyMs.push(endedAt - dueAt);
      const known = this.#pods.get(pod);
      this.#pod.push(known ?? this.#pods.size);
      if (known === undefined) this.#pods.set(pod, this.#pods.size);
    });
  }

  reset(): void {
    this.#recorder.reset();
    this.#dueAt.length = 0;
    this.#latencyMs.length = 0;
    this.#pod.length = 0;
  }

  log(): CallLog {
    return {
      dueAt: Float64Array.from(this.#dueAt),
      latencyMs: Float32Array.from(this.#latencyMs),
      pod: Uint16Array.from(this.#pod),
      pods: [...this.#pods.keys()],
      calls: this.#recorder.report(),
    };
  }
}
