/** Times as people read them. The same words as in the terminal (lib/cli/watch/format.ts). */

/** @param {number} ms */
export function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joined(minutes, 'min', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joined(hours, 'h', minutes % 60, 'min');
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/**
 * Time until something is due, rounded up.
 *
 * @param {number} ms
 */
export function countdown(ms) {
  return age(Math.ceil(Math.max(0, ms) / 1_000) * 1_000);
}

/** @param {number} ms */
export function duration(ms) {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1_000;
  return seconds < 9.95 && Math.round(seconds * 10) % 10 !== 0
    ? `${seconds.toFixed(1)} s`
    : age(Math.round(seconds) * 1_000);
}

/**
 * @param {number} whole
 * @param {string} unit
 * @param {number} rest
 * @param {string} restUnit
 */
function joined(whole, unit, rest, restUnit) {
  return rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${restUnit}`;
}

/**
 * `14:03:07`, in the browser's time zone.
 *
 * @param {number} at
 */
export function clockTime(at) {
  const time = new Date(at);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/**
 * @param {number} number
 * @param {string} one
 * @param {string} many
 */
export function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}
