/** Why a request to the API server failed, in the form that decides what comes next. */

export interface FailureDetails {
  /** HTTP's status; null where there was no response. */
  readonly status?: number | null;
  readonly retryAfterMs?: number;
  /** The connection of a watch that was established broke. */
  readonly broken?: boolean;
  readonly cause?: unknown;
}

export class RequestFailure extends Error {
  readonly status: number | null;
  /** As the server asks for by `Retry-After`; 0 where it does not. */
  readonly retryAfterMs: number;
  readonly broken: boolean;

  constructor(message: string, { status = null, retryAfterMs = 0, broken = false, cause }: FailureDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.broken = broken;
  }

  /** The resource version is too old: the objects have to be listed anew. */
  get expired(): boolean {
    return this.status === 410;
  }
}
