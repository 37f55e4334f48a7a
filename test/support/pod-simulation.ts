/**
 * Pods that exist as queues of calls on a clock of their own: what a policy does with a slow, hung or failing pod, in
 * milliseconds of real time and the same in every run. The endpoints and the pickers are the real ones.
 */
import { status } from '@grpc/grpc-js';
import type { Endpoint } from '../../lib/balancer/endpoint.js';
import type { PickArgs, PickResult } from '../../lib/grpc/experimental.js';
import type { Picker, PickerContext, Policy } from '../../lib/picker/policy.js';
import type { Random } from '../../lib/runtime.js';
import { readyEndpoint } from './fake-endpoint.js';

const NO_ARGS = {} as PickArgs;

export interface SimulatedCall {
  readonly pod: SimulatedPod;
  readonly startedAt: number;
  /** Null while it is under way. */
  readonly latencyMs: number | null;
  readonly code: status | null;
}

export interface CallOptions {
  /** Times the pod's service time. Default 1. */
  readonly size?: number;
  readonly deadlineMs?: number;
}

interface QueuedCall {
  readonly result: PickResult;
  readonly size: number;
  readonly record: {
    readonly pod: SimulatedPod;
    readonly startedAt: number;
    latencyMs: number | null;
    code: status | null;
  };
}

export class SimulatedPod {
  readonly endpoint: Endpoint;
  readonly name: string;
  /** Of a call of size 1. */
  serviceMs: (now: number) => number;
  /** Calls worked on at the same time. */
  workers: number;
  /** What calls end with. */
  code: status = status.OK;
  /** Accepts calls and works on none. */
  hung = false;
  working = 0;
  readonly queue: QueuedCall[] = [];

  constructor(name: string, serviceMs: number, workers: number, joinedAt: number | null) {
    this.name = name;
    this.serviceMs = () => serviceMs;
    this.workers = workers;
    this.endpoint = readyEndpoint(name, 0, joinedAt);
  }
}

export interface PodSimulationOptions {
  readonly policy: Policy;
  readonly random: Random;
  readonly serviceMs?: number;
  /** Default 1: a pod works on its calls one after the other. */
  readonly workers?: number;
}

export class PodSimulation {
  now = 0;
  readonly pods: SimulatedPod[] = [];
  readonly calls: SimulatedCall[] = [];
  readonly #policy: Policy;
  readonly #context: PickerContext;
  readonly #serviceMs: number;
  readonly #workers: number;
  readonly #events: { readonly at: number; readonly run: () => void }[] = [];
  #turn = 0;
  #picker: Picker | null = null;

  constructor(pods: number, { policy, random, serviceMs = 8, workers = 1 }: PodSimulationOptions) {
    this.#policy = policy;
    this.#serviceMs = serviceMs;
    this.#workers = workers;
    this.#context = { random, turns: { current: () => this.#turn }, clock: { now: () => this.now } };
    for (let pod = 0; pod < pods; pod++) this.#add(null);
    this.#publish(this.pods);
  }

  pod(index: number): SimulatedPod {
    const pod = this.pods[index];
    if (!pod) throw new RangeError(`there is no pod ${index}`);
    return pod;
  }

  /** A pod that joins the set in use, now. */
  join(): SimulatedPod {
    const pod = this.#add(this.now);
    this.#publish(this.pods);
    return pod;
  }

  /** It gets no more calls. */
  leave(pod: SimulatedPod): void {
    this.#publish(this.pods.filter((other) => other !== pod));
  }

  #publish(pods: readonly SimulatedPod[]): void {
    const endpoints = pods.map(({ endpoint }) => endpoint);
    this.#picker = this.#policy.createPicker(endpoints, this.#picker, this.#context);
  }

  at(time: number, run: () => void): void {
    const index = this.#events.findLastIndex((event) => event.at <= time);
    this.#events.splice(index + 1, 0, { at: time, run });
  }

  /** Sends a call now. */
  call({ size = 1, deadlineMs }: CallOptions = {}): SimulatedCall {
    const { pod, result } = this.#pick();
    const record: QueuedCall['record'] = { pod, startedAt: this.now, latencyMs: null, code: null };
    const call: QueuedCall = { result, size, record };
    this.calls.push(record);
    pod.queue.push(call);
    if (deadlineMs !== undefined) this.at(this.now + deadlineMs, () => this.#end(call, status.DEADLINE_EXCEEDED));
    this.#work(pod);
    return record;
  }

  /** Opens a stream that stays open; the function ends it. */
  stream(): { readonly pod: SimulatedPod; end(): void } {
    const { pod, result } = this.#pick();
    return { pod, end: () => result.onCallEnded?.(status.OK, '', {} as never) };
  }

  /** Open-loop calls with exponential gaps, from now on for so long. */
  load(callsPerSecond: number, ms: number, options: () => CallOptions = () => ({})): void {
    const end = this.now + ms;
    const next = (): void => {
      if (this.now >= end) return;
      this.call(options());
      this.at(this.now - (Math.log(1 - this.#context.random()) * 1_000) / callsPerSecond, next);
    };
    this.at(this.now, next);
  }

  /** So many calls, each after the one before it has ended. */
  sequence(calls: number): SimulatedCall[] {
    return Array.from({ length: calls }, () => {
      const call = this.call();
      while (call.code === null && this.#step());
      return call;
    });
  }

  runUntil(time: number): void {
    while ((this.#events[0]?.at ?? Number.POSITIVE_INFINITY) <= time) this.#step();
    this.now = time;
  }

  #step(): boolean {
    const event = this.#events.shift();
    if (!event) return false;
    this.now = Math.max(this.now, event.at);
    this.#turn += 1;
    event.run();
    return true;
  }

  #add(joinedAt: number | null): SimulatedPod {
    const pod = new SimulatedPod(`${this.pods.length}`, this.#serviceMs, this.#workers, joinedAt);
    this.pods.push(pod);
    return pod;
  }

  #pick(): { pod: SimulatedPod; result: PickResult } {
    this.#turn += 1;
    const result = (this.#picker as Picker).pick(NO_ARGS);
    const pod = this.pods.find(({ endpoint }) => endpoint.subchannel === result.subchannel);
    if (!pod) throw new Error('the picker picked no pod');
    result.onCallStarted?.();
    return { pod, result };
  }

  #work(pod: SimulatedPod): void {
    while (!pod.hung && pod.working < pod.workers) {
      const call = pod.queue.shift();
      if (!call) return;
      if (call.record.code !== null) continue;
      pod.working += 1;
      this.at(this.now + pod.serviceMs(this.now) * call.size, () => {
        pod.working -= 1;
        this.#end(call, pod.code);
        this.#work(pod);
      });
    }
  }

  /** A hung pod takes up its work again. */
  resume(pod: SimulatedPod): void {
    pod.hung = false;
    this.#work(pod);
  }

  #end({ record, result }: QueuedCall, code: status): void {
    if (record.code !== null) return;
    record.code = code;
    record.latencyMs = this.now - record.startedAt;
    result.onCallEnded?.(code, '', {} as never);
  }
}
