/** What an endpoint connects to: an address, and which of the connections to it. */
import type { Address } from '../address.js';

export interface EndpointAddress extends Address {
  /** Absent: the first one. 1, 2, …: further connections to the same address. */
  readonly connection?: number;
}
