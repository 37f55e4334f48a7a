/** Checks what users give to `endpointSlices()`. No error shows the contents of objects and long texts: they may hold tokens. */
import { HeadlessError } from '../errors.js';
import { nearestName } from '../options/nearest-name.js';
import { formatValue } from '../options/refusal.js';
import { isKubeConfig, type KubeConfigLike } from './kube-config.js';

const NAMES = ['kubeConfig'] as const;
/** A path is shorter; a token or the text of a kubeconfig file is longer. */
const MOST_SHOWN = 80;
const WITHOUT = 'leave it out to use KUBECONFIG, ~/.kube/config or the ServiceAccount of the pod';

/**
 * The kubeConfig; null where none is given.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` naming the option, the value received and what to write instead.
 */
export function readKubeConfig(options: unknown): KubeConfigLike | null {
  if (options === undefined) return null;
  if (isKubeConfig(options)) throw refuse('takes its KubeConfig in an object: write endpointSlices({ kubeConfig })');
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw refuse(`options must be an object such as { kubeConfig }, got ${shown(options)}; ${WITHOUT}`);
  const given = options as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (NAMES.some((known) => known === name)) continue;
    const near = nearestName(name, NAMES);
    const remedy = near ? `did you mean "${near}"?` : `known are ${NAMES.map((known) => `"${known}"`).join(', ')}`;
    throw refuse(`unknown option ${name} (value ${shown(given[name])}): ${remedy}`);
  }
  const { kubeConfig } = given;
  if (kubeConfig === undefined) return null;
  if (isKubeConfig(kubeConfig)) return kubeConfig;
  const rule = 'option kubeConfig must be a KubeConfig of @kubernetes/client-node';
  throw refuse(`${rule}, got ${shown(kubeConfig)}; ${WITHOUT}`);
}

function refuse(message: string): HeadlessError {
  return new HeadlessError('ERR_HEADLESS_OPTION', `endpointSlices: ${message}`);
}

function shown(value: unknown): string {
  if (isKubeConfig(value)) return 'a KubeConfig';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'another object';
  if (typeof value !== 'string') return formatValue(value);
  const isShort = value.length <= MOST_SHOWN && !value.includes('\n');
  return isShort ? formatValue(value) : `a text of ${value.length} characters`;
}
