/**
 * The open channels of this process, whichever way they were made: for people and metrics. They are held weakly, so that
 * a channel which is dropped without `close()` is collected as it would be without this list.
 */
import type { Snapshot } from './snapshot.js';

/** What an open channel lets others see of it. */
export interface ChannelView {
  /** `headless:///host:port`, or `headless://dns-server:port/host:port`. */
  readonly target: string;
  /**
   * The state of this moment, as plain data. Costs time in proportion to the number of pods. Of a channel that has been
   * closed since, the state is `SHUTDOWN`.
   */
  snapshot(): Snapshot;
  /**
   * Asks DNS now, as {@link HeadlessChannel.refresh} does. A channel that grpc-js made for a `headless:` target stays
   * idle where it is idle.
   *
   * @throws {HeadlessError} `ERR_HEADLESS_CLOSED` once the channel is closed.
   */
  refresh(): Promise<void>;
}

const views = new Set<WeakRef<ChannelView>>();
const collected = new FinalizationRegistry<WeakRef<ChannelView>>((reference) => views.delete(reference));

/**
 * Every open channel of this process in the order in which they were made: those of `createHeadlessClient`, each
 * `HeadlessChannel`, and those that grpc-js makes for `headless:` targets. Idle channels are among them; closed ones are not.
 */
export function channels(): readonly ChannelView[] {
  return [...views].flatMap((reference) => reference.deref() ?? []);
}

/**
 * Adds an open channel, which has to hold `view` for as long as it may be seen.
 *
 * @returns removes it again.
 */
export function addChannel(view: ChannelView): () => void {
  const reference = new WeakRef(view);
  views.add(reference);
  collected.register(view, reference, reference);
  return () => {
    views.delete(reference);
    collected.unregister(reference);
  };
}
