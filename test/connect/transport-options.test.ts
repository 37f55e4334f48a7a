import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compressionAlgorithms, credentials } from '@grpc/grpc-js';
import { resolveTransportOptions } from '../../lib/connect/transport-options.js';
import { createHeadlessTransport, type HeadlessTransportOptions } from '../../lib/connect.js';

const insecure = credentials.createInsecure();
const required = { target: 'svc.ns:1', credentials: insecure };

function refused(options: object, message: RegExp): void {
  const all = { ...required, ...options } as HeadlessTransportOptions;
  assert.throws(() => createHeadlessTransport(all), { code: 'ERR_HEADLESS_OPTION', message });
}

test('the defaults', () => {
  assert.deepEqual(resolveTransportOptions(required), {
    channelOptions: {},
    interceptors: [],
    binaryOptions: undefined,
    compressMinBytes: 1_024,
    defaultTimeoutMs: undefined,
  });
});

test('options of the transport become those of the channel, beside those that are given', () => {
  const { channelOptions } = resolveTransportOptions({
    ...required,
    headless: { empty: 'drop' },
    options: { 'grpc.keepalive_time_ms': 10_000 },
    sendCompression: 'gzip',
    readMaxBytes: 10,
    writeMaxBytes: 20,
  });
  assert.deepEqual(channelOptions, {
    headless: { empty: 'drop' },
    'grpc.keepalive_time_ms': 10_000,
    'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
    'grpc.max_receive_message_length': 10,
    'grpc.max_send_message_length': 20,
  });
});

test('what is said twice is refused', () => {
  refused({ headless: {}, options: { headless: {} } }, /headless and options\['headless'\]/);
  refused({ readMaxBytes: 1, options: { 'grpc.max_receive_message_length': 2 } }, /readMaxBytes/);
});

test('options of Connect’s own transports are refused, with what to do instead', () => {
  refused({ baseUrl: 'http://svc' }, /baseUrl .*http:\/\/svc.*target/);
  refused({ useBinaryFormat: false }, /useBinaryFormat .*false.*never JSON/);
  refused({ jsonOptions: {} }, /jsonOptions .*never JSON/);
  refused({ httpVersion: '2' }, /always HTTP\/2/);
  refused({ 'grpc.keepalive_time_ms': 1 }, /write options: \{ 'grpc.keepalive_time_ms'/);
});

test('a misspelt option is refused with the nearest name', () => {
  refused({ interceptor: [] }, /did you mean "interceptors"/);
  refused({ headless: { refesh: {} } }, /refresh/);
});

test('values out of range are refused', () => {
  refused({ interceptors: [1] }, /interceptors must be a list of functions/);
  refused({ sendCompression: 'br' }, /sendCompression .*got "br"/);
  refused({ readMaxBytes: 0 }, /readMaxBytes .*got 0/);
  refused({ writeMaxBytes: 1.5 }, /writeMaxBytes .*got 1.5/);
  refused({ compressMinBytes: -1 }, /compressMinBytes .*got -1/);
  refused({ defaultTimeoutMs: 0 }, /defaultTimeoutMs .*got 0/);
  for (const options of ['gzip', [], 5, new Map()]) refused({ options }, /^option options must be an object .*got /);
  for (const binaryOptions of [5, 'json', [], null, true])
    refused({ binaryOptions }, /^option binaryOptions must be an object of protobuf-es's options, such as .*got /);
});

test('a wrong target and wrong credentials are the channel’s to refuse', () => {
  assert.throws(() => createHeadlessTransport({ ...required, target: 'http://svc' }), { code: 'ERR_HEADLESS_TARGET' });
  assert.throws(() => createHeadlessTransport({ target: 'svc.ns:1' } as HeadlessTransportOptions), TypeError);
});
