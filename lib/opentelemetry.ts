/**
 * grpc-headless/opentelemetry: metrics of every channel of the process. Needs the package `@opentelemetry/api`.
 *
 * @module grpc-headless/opentelemetry
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type Attributes, type Meter, type MeterProvider, metrics } from '@opentelemetry/api';
import { HeadlessError } from './errors.js';
import { flag } from './options/checks.js';
import type { Schema } from './options/entry.js';
import { readGroup } from './options/group.js';
import { refuseValue } from './options/refusal.js';
import type { DiagnosticsMessages, Subject } from './telemetry/diagnostics-channels.js';
import type { TelemetryEvent } from './telemetry/events.js';
import { BoundedValues } from './telemetry/metrics/bounded-values.js';
import { Collector } from './telemetry/metrics/collector.js';
import { COUNTED, OBSERVED, QUESTION_NAME, REFRESH_DURATION, TARGET } from './telemetry/metrics/definitions.js';
import { onPodReleased } from './telemetry/released-pods.js';

/** What is measured beside the metrics that are always there. */
export interface MetricsOptions {
  /**
   * Picks and calls are told for each endpoint, with its address as `network.peer.address` and `network.peer.port`: a few
   * series for each of the first 500 pods that the process meets, and one for all others. Default false.
   */
  readonly addresses?: boolean | undefined;
}

const OPTIONS = {
  addresses: {
    doc: 'Picks and calls are told for each endpoint.',
    check: flag,
    default: false,
  },
} satisfies Schema<MetricsOptions>;

const SCOPE = 'grpc-headless';
/** Of one attribute. The value for all others is that of gRFC A66. */
const MOST_VALUES = 100;
const OTHER = 'other';

const registered = new WeakSet<MeterProvider>();

/**
 * Reports metrics of every channel of this process, also of those that are made later, to OpenTelemetry. The names are in
 * docs/monitoring.md.
 *
 * @param meterProvider default: the global one, which has to be set before.
 * @returns undoes it: nothing is measured any more, though an SDK may repeat the last values. Idempotent.
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` for a wrong argument or option, and if metrics are registered with this provider
 *   already: all would count double.
 */
export function registerMetrics(
  meterProvider: MeterProvider = metrics.getMeterProvider(),
  options: MetricsOptions = {},
): () => void {
  if (typeof (meterProvider as Partial<MeterProvider> | null)?.getMeter !== 'function')
    throw refuseValue(
      'registerMetrics.meterProvider',
      meterProvider,
      'must be a MeterProvider of OpenTelemetry, or undefined for the global one',
    );
  const { addresses } = readGroup(OPTIONS, options, 'registerMetrics');
  if (registered.has(meterProvider))
    throw new HeadlessError(
      'ERR_HEADLESS_OPTION',
      'metrics are registered with this MeterProvider already: call what registerMetrics() returned first',
    );
  registered.add(meterProvider);
  const meter = meterProvider.getMeter(SCOPE);
  const values: Values = {
    targets: new BoundedValues(MOST_VALUES, OTHER),
    names: new BoundedValues(MOST_VALUES, OTHER),
  };
  const collector = new Collector({ addresses, targets: values.targets });
  const undo = [
    observeChannels(meter, collector),
    listen('channel_closed', ({ target }) => collector.onChannelClosed(target)),
    onPodReleased((view, address, calls) => collector.onPodReleased(view, address, calls)),
    ...countEvents(meter, values),
    measureRefreshes(meter, values),
  ];
  return () => {
    for (const one of undo.splice(0)) one();
    registered.delete(meterProvider);
  };
}

interface Values {
  readonly targets: BoundedValues;
  readonly names: BoundedValues;
}

/** Returns how to undo it, as the functions below do. */
function observeChannels(meter: Meter, collector: Collector): () => void {
  const gauge = (key: keyof typeof OBSERVED) => meter.createObservableGauge(OBSERVED[key].name, OBSERVED[key]);
  const upDown = (key: keyof typeof OBSERVED) => meter.createObservableUpDownCounter(OBSERVED[key].name, OBSERVED[key]);
  const counter = (key: keyof typeof OBSERVED) => meter.createObservableCounter(OBSERVED[key].name, OBSERVED[key]);
  const instruments = {
    channels: upDown('channels'),
    endpoints: upDown('endpoints'),
    ejected: upDown('ejected'),
    unhealthy: upDown('unhealthy'),
    inPanic: upDown('inPanic'),
    picks: counter('picks'),
    calls: counter('calls'),
    callsInFlight: upDown('callsInFlight'),
    answerAge: gauge('answerAge'),
    failures: gauge('failures'),
  };
  const all = Object.values(instruments);
  const callback: Parameters<Meter['addBatchObservableCallback']>[0] = (result) =>
    collector.collect((metric, value, attributes) => result.observe(instruments[metric], value, attributes));
  meter.addBatchObservableCallback(callback, all);
  return () => meter.removeBatchObservableCallback(callback, all);
}

function countEvents(meter: Meter, values: Values): (() => void)[] {
  return COUNTED.flatMap((definition) => {
    const counter = meter.createCounter(definition.name, definition);
    return definition.events.map(({ kind, attributes, counts }) =>
      listen(kind, (event) => {
        if (counts === undefined || counts(event))
          counter.add(1, { ...subjectOf(event, values), ...attributes?.(event) });
      }),
    );
  });
}

function measureRefreshes(meter: Meter, values: Values): () => void {
  const histogram = meter.createHistogram(REFRESH_DURATION.name, REFRESH_DURATION);
  return listen('poll_settled', (event) =>
    histogram.record(event.durationMs / 1_000, { ...subjectOf(event, values), ...REFRESH_DURATION.attributes(event) }),
  );
}

type Message<K extends TelemetryEvent['kind']> = DiagnosticsMessages[`grpc-headless:${K}`];

function listen<K extends TelemetryEvent['kind']>(kind: K, listener: (event: Message<K>) => void): () => void {
  const channel = `grpc-headless:${kind}`;
  const onMessage = (message: unknown): void => listener(message as Message<K>);
  subscribe(channel, onMessage);
  return () => void unsubscribe(channel, onMessage);
}

function subjectOf(subject: Subject, { names, targets }: Values): Attributes {
  return 'name' in subject ? { [QUESTION_NAME]: names.of(subject.name) } : { [TARGET]: targets.of(subject.target) };
}
