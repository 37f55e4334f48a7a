/** Resolves a named port through its SRV records; where the name does not exist, the error tells the Service's ports. */
import { DnsError } from '../errors.js';
import type { Runtime } from '../runtime.js';
import { exchange as realExchange } from './exchange.js';
import type { NameResolver } from './name-resolver.js';
import { QueryRunner } from './query-runner.js';
import type { Resolution } from './resolution.js';
import { ResolutionPlanner } from './resolution-plan.js';
import type { ServiceName } from './service-name.js';
import { ServicePorts } from './service-ports.js';
import { serviceQuery } from './service-query.js';
import type { DnsSettings } from './settings.js';
import { StubResolver, type StubResolverDependencies } from './stub-resolver.js';

export class ServiceResolver implements NameResolver {
  readonly #resolver: StubResolver;
  readonly #ports: ServicePorts;

  /**
   * @param hostname `_port._tcp.service`, without a final dot, and `name` its parts.
   * @throws HeadlessError `ERR_HEADLESS_TARGET` for a name that DNS cannot be asked for.
   */
  constructor(
    hostname: string,
    name: ServiceName,
    absolute: boolean,
    settings: DnsSettings,
    { clock, random }: Pick<Runtime, 'clock' | 'random'>,
    { emit = () => {}, exchange = realExchange }: Omit<StubResolverDependencies, 'query'> = {},
  ) {
    const query = serviceQuery(settings.family, clock);
    this.#resolver = new StubResolver(hostname, absolute, settings, { clock, random }, { emit, exchange, query });
    const planner = new ResolutionPlanner(name.service, absolute, settings, random);
    this.#ports = new ServicePorts(name, planner, new QueryRunner(exchange, clock, emit), clock);
  }

  async resolve(...args: Parameters<NameResolver['resolve']>): Promise<Resolution> {
    const resolution = await this.#resolver.resolve(...args);
    const outcome = resolution.outcomes.get('SRV');
    if (outcome?.kind === 'addresses') this.#ports.found();
    if (outcome?.kind !== 'empty' || outcome.reason !== 'nxdomain') return resolution;
    const explanation = await this.#ports.explain(args[0]);
    if (explanation === null) return resolution;
    const error = extended(outcome.error, explanation);
    return { ...resolution, outcomes: new Map([...resolution.outcomes, ['SRV', { ...outcome, error }]]) };
  }
}

function extended({ code, message, hostname, server, cause }: DnsError, explanation: string): DnsError {
  return new DnsError(code, `${message}; ${explanation}`, { hostname, server, cause });
}
