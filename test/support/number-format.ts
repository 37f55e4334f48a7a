/**
 * Figures as text, each with its unit. Where a figure may be missing, `null`, `undefined` and NaN show as a dash: not
 * measured is not zero.
 */

const DASH = '–';

/** `340 ms`, `1.24 s`, `12.4 s`, `3.1 min`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return DASH;
  if (!Number.isFinite(ms)) return 'never';
  const size = Math.abs(ms);
  if (size === 0) return '0 ms';
  if (size < 1) return `${significant(ms * 1000)} µs`;
  if (size < 999.5) return `${significant(ms)} ms`;
  if (size < 119_950) return `${significant(ms / 1000)} s`;
  return `${significant(ms / 60_000)} min`;
}

/** `12.4 %`. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined || Number.isNaN(share) ? DASH : `${significant(share * 100)} %`;
}

/** `1,204`, `12.4`. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return DASH;
  return Number.isInteger(value) ? value.toLocaleString('en-US') : significant(value);
}

/** `1 pod`, `4 pods`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** `×1.03`. */
export function ratio(value: number | null | undefined): string {
  return value === null || value === undefined || Number.isNaN(value) ? DASH : `×${significant(value)}`;
}

/** Three significant digits; whole numbers from 100 on. */
export function significant(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  if (size >= 10) return value.toFixed(1);
  return value === 0 ? '0' : value.toFixed(2);
}

/** `×1.03 (0.98–1.07)`: a ratio with its interval of confidence. */
export function ratioWithInterval(figure: { value: number; low: number; high: number } | null | undefined): string {
  return figure ? `${ratio(figure.value)} (${figure.low.toFixed(2)}–${figure.high.toFixed(2)})` : ratio(null);
}

/** `1.2 s`, always in seconds. */
export function seconds(ms: number, digits = 1): string {
  return `${(ms / 1000).toFixed(digits)} s`;
}

/** `0:07`, `12:34` or `1:02:03`, to the nearest second. */
export function clockTime(ms: number): string {
  const total = Math.round(ms / 1000);
  const [hours, minutes, rest] = [Math.floor(total / 3_600), Math.floor(total / 60) % 60, total % 60];
  const twoDigits = (value: number): string => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${twoDigits(rest)}` : `${minutes}:${twoDigits(rest)}`;
}

/** `1.5 KiB`. */
export function kibibytes(octets: number | null | undefined, digits = 1): string {
  return octets === null || octets === undefined ? DASH : `${(octets / 1024).toFixed(digits)} KiB`;
}

/** `16.7 MiB`. */
export function mebibytes(octets: number): string {
  return `${(octets / 2 ** 20).toFixed(1)} MiB`;
}
