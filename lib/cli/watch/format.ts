/** Times and numbers as people read them. */

/** `85 ms`, `1.2 s`, `42 s`, `3 min 5 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  const rounded = Math.max(0, ms);
  if (rounded < 1_000) return `${Math.round(rounded)} ms`;
  const seconds = rounded / 1_000;
  if (seconds < 9.95 && Math.round(seconds * 10) % 10 !== 0) return `${seconds.toFixed(1)} s`;
  return age(Math.round(seconds) * 1_000);
}

/** As `duration`, in whole seconds: what changes at most once a second. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joined(minutes, 'min', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joined(hours, 'h', minutes % 60, 'min');
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** Time until something is due, in whole seconds, rounded up: `0 s` means now. */
export function countdown(ms: number): string {
  return age(Math.ceil(Math.max(0, ms) / 1_000) * 1_000);
}

function joined(whole: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${restUnit}`;
}

/** `1 pod`, `3 pods`. */
export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** `14:03:07`, in this machine's time zone. */
export function clockTime(at: number): string {
  const time = new Date(at);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}
