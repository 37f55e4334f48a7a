/** The stream of events, opened again whenever it ends. */

/** @import { WatchView } from '../view.js' */

/** After an answer that is no stream the browser gives up, and the page tries again after so long. */
const REOPEN_MS = 2_000;

/**
 * @param {object} listener
 * @param {(view: WatchView) => void} listener.onView all there is.
 * @param {(view: WatchView) => void} listener.onChange what changed since.
 * @param {() => void} listener.onLost the stream ended; another attempt follows.
 */
export function connect(listener) {
  const source = new EventSource('/events');
  source.addEventListener('view', ({ data }) => listener.onView(JSON.parse(data)));
  source.addEventListener('change', ({ data }) => listener.onChange(JSON.parse(data)));
  source.addEventListener('error', () => {
    listener.onLost();
    if (source.readyState === EventSource.CLOSED) setTimeout(() => connect(listener), REOPEN_MS);
  });
}
