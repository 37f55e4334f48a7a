import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { HeadlessError } from '../lib/errors.js';
import { isGroup } from '../lib/options/entry.js';
import { placesIn } from '../lib/options/places.js';
import { SCHEMA } from '../lib/options/schema.js';
import { type HeadlessSettings, resolveOptions } from '../lib/options.js';
import { covers } from './faults/covers.js';

const DEFAULTS: HeadlessSettings = {
  refresh: { intervalMs: 5_000, jitter: 0.1, minIntervalMs: 1_000, burstMs: 30_000, ttl: 'phased' },
  dns: {
    // null is "as resolv.conf says".
    servers: null,
    family: 'auto',
    timeoutMs: null,
    attempts: null,
    search: null,
    ndots: null,
    resolvConf: '/etc/resolv.conf',
    lookup: null,
  },
  source: null,
  zone: null,
  balance: { policy: 'least_request', choices: 2, slowStartMs: 0, subset: null, connections: 1 },
  retry: null,
  outlier: null,
  health: null,
  empty: 'keep',
  drain: { lingerMs: 30_000, timeoutMs: null },
};

const OUTLIER_DEFAULTS = {
  consecutiveFailures: 5,
  failurePercentage: 50,
  intervalMs: 10_000,
  baseEjectionMs: 10_000,
  maxEjectionMs: 300_000,
  maxEjectionPercent: 50,
  codes: ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'INTERNAL', 'UNKNOWN', 'DATA_LOSS'],
};

const lookup = async () => ({ addresses: ['127.0.0.1'], ttlMs: 0 });
const DAY_MS = 86_400_000;

/** Each option by its path, with values it takes (as they come out, where that differs) and values it refuses. */
const OPTIONS: Record<string, { takes: (unknown | { in: unknown; out: unknown })[]; refuses: unknown[] }> = {
  'refresh.intervalMs': { takes: [10, 500.5, DAY_MS], refuses: [0, 9.99, -1, DAY_MS + 1] },
  'refresh.jitter': { takes: [0, 0.5, 1], refuses: [-0.01, 1.01, -1] },
  'refresh.minIntervalMs': { takes: [10, DAY_MS], refuses: [0, 9, -1, DAY_MS + 1] },
  'refresh.burstMs': { takes: [0, DAY_MS], refuses: [-1, DAY_MS + 1] },
  'refresh.ttl': { takes: ['phased', 'adaptive', 'ignore'], refuses: ['adaptiv', 'ADAPTIVE', ''] },
  'dns.servers': {
    takes: [
      { in: ['10.96.0.10'], out: [{ host: '10.96.0.10', port: 53 }] },
      { in: ['10.96.0.10:5353'], out: [{ host: '10.96.0.10', port: 5353 }] },
      {
        in: ['[fd00::a]:5353', 'fd00::b'],
        out: [
          { host: 'fd00::a', port: 5353 },
          { host: 'fd00::b', port: 53 },
        ],
      },
    ],
    refuses: [[], 'kube-dns', ['kube-dns'], ['10.96.0.10', 7], ['10.96.0.10:0'], ['10.96.0.10:65536'], ['256.0.0.1']],
  },
  'dns.family': { takes: ['auto', 'ipv4', 'ipv6', 'dual'], refuses: ['both', 4, 6] },
  'dns.timeoutMs': { takes: [1, 60_000], refuses: [0, -1, 60_001] },
  'dns.attempts': { takes: [1, 10], refuses: [0, 11, 1.5] },
  'dns.search': {
    takes: [
      { in: [], out: [] },
      { in: ['svc.cluster.local.', 'ns'], out: ['svc.cluster.local', 'ns'] },
    ],
    refuses: ['svc.cluster.local', [''], ['a..b'], ['a b'], ['.'], ['a'.repeat(64)], [7]],
  },
  'dns.ndots': { takes: [0, 15], refuses: [-1, 16, 0.5] },
  'dns.resolvConf': { takes: ['/tmp/resolv.conf'], refuses: ['', 'a\0b'] },
  'dns.lookup': { takes: [lookup], refuses: ['lookup'] },
  source: { takes: [{ create: () => null }], refuses: [{ make: () => null }, 'dns', []] },
  'balance.policy': { takes: ['least_request', 'round_robin', 'peak_ewma'], refuses: ['roundrobin', 'pick_first'] },
  'balance.choices': { takes: [2, 10], refuses: [1, 11, 2.5, 0] },
  'balance.slowStartMs': { takes: [0, 10_000, DAY_MS], refuses: [-1, DAY_MS + 1] },
  'balance.connections': { takes: [1, 16], refuses: [0, 17, 1.5, -1] },
  empty: { takes: ['keep', 'drop'], refuses: ['kept', ''] },
  'drain.lingerMs': { takes: [0, DAY_MS], refuses: [-1, DAY_MS + 1] },
  'drain.timeoutMs': { takes: [0, DAY_MS], refuses: [-1, DAY_MS + 1] },
};

/** Wrong for every option, whatever its type. */
const NEVER: unknown[] = [Number.NaN, Number.POSITIVE_INFINITY, null, true, {}, '5000', 5n];

/** What to give, and the setting to expect. */
function pairOf(value: unknown): { given: unknown; setting: unknown } {
  const differs = typeof value === 'object' && value !== null && 'in' in value && 'out' in value;
  return differs ? { given: value.in, setting: value.out } : { given: value, setting: value };
}

/** `{ refresh: { intervalMs: value } }` for the path `refresh.intervalMs`. */
function nest(path: string, value: unknown): Record<string, unknown> {
  return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>;
}

/** The setting of the option `path`: it has the option's place. */
function read(settings: HeadlessSettings, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], settings);
}

function refusal(options: unknown): HeadlessError {
  try {
    resolveOptions(options);
  } catch (error) {
    assert.equal((error as HeadlessError).code, 'ERR_HEADLESS_OPTION');
    return error as HeadlessError;
  }
  throw new assert.AssertionError({ message: 'the options were accepted' });
}

test('without options every setting has its default', () => {
  for (const options of [undefined, {}, { refresh: {}, dns: {}, balance: {}, drain: {} }])
    assert.deepEqual(resolveOptions(options), DEFAULTS);
});

for (const [path, { takes, refuses }] of Object.entries(OPTIONS)) {
  test(`headless.${path} takes what it documents, its bounds included, and changes nothing else`, () => {
    for (const value of takes) {
      const { given, setting } = pairOf(value);
      const settings = resolveOptions(nest(path, given));
      assert.deepEqual(read(settings, path), setting);
      const changed = JSON.stringify(settings, (key, inner) => (key === path.split('.').at(-1) ? 'x' : inner));
      const before = JSON.stringify(DEFAULTS, (key, inner) => (key === path.split('.').at(-1) ? 'x' : inner));
      assert.equal(changed, before);
    }
  });

  test(`headless.${path} refuses what is out of range or of the wrong type, and says so by name`, covers(47), () => {
    for (const value of [...refuses, ...NEVER.filter((wrong) => !takes.includes(wrong))]) {
      // A file's path may be any text.
      if (path === 'dns.resolvConf' && value === '5000') continue;
      const { message } = refusal(nest(path, value));
      const [, named, got] = /^option (headless\.[\w.]+)(?:\[\d+\])? must .* got (.+)$/s.exec(message) ?? [];
      assert.equal(named, `headless.${path}`, message);
      assert.ok(got, message);
    }
  });

  test(`headless.${path} given as undefined has the same effect as leaving it out`, () => {
    assert.deepEqual(resolveOptions(nest(path, undefined)), DEFAULTS);
  });
}

test('headless.outlier is off, or on with defaults for what is left out', () => {
  const outlierOf = (outlier: unknown): unknown => resolveOptions({ outlier }).outlier;
  for (const off of [undefined, false]) assert.equal(outlierOf(off), null);
  for (const on of [true, {}]) assert.deepEqual(outlierOf(on), OUTLIER_DEFAULTS);
  const bounds = [
    { consecutiveFailures: 0, intervalMs: 10, baseEjectionMs: 1, maxEjectionMs: 1 },
    { failurePercentage: 0 },
    { consecutiveFailures: 1_000_000, failurePercentage: 100, intervalMs: DAY_MS, baseEjectionMs: DAY_MS },
    { maxEjectionMs: DAY_MS, maxEjectionPercent: 0 },
    { maxEjectionPercent: 100, codes: ['ABORTED', 'UNKNOWN'] },
  ];
  for (const given of bounds) assert.deepEqual(outlierOf(given), { ...OUTLIER_DEFAULTS, ...given });
});

test('headless.outlier refuses what is out of range, or no code', covers(47), () => {
  for (const [outlier, named] of [
    ['yes', ''],
    [[], ''],
    [{ consecutiveFailures: -1 }, '.consecutiveFailures'],
    [{ consecutiveFailures: 1.5 }, '.consecutiveFailures'],
    [{ failurePercentage: 101 }, '.failurePercentage'],
    [{ intervalMs: 9 }, '.intervalMs'],
    [{ baseEjectionMs: 0 }, '.baseEjectionMs'],
    [{ maxEjectionMs: DAY_MS + 1 }, '.maxEjectionMs'],
    [{ maxEjectionPercent: -1 }, '.maxEjectionPercent'],
    [{ codes: [] }, '.codes'],
    [{ codes: ['OK'] }, '.codes[0]'],
    [{ codes: ['UNAVAILABLE', 14] }, '.codes[1]'],
  ] as const) {
    const { message } = refusal({ outlier });
    assert.ok(message.startsWith(`option headless.outlier${named} must `), message);
  }
});

test('headless.health is off, or on for the server as a whole or for a service', covers(47), () => {
  const healthOf = (health: unknown): unknown => resolveOptions({ health }).health;
  for (const off of [undefined, false]) assert.equal(healthOf(off), null);
  for (const on of [true, {}, { service: '' }]) assert.deepEqual(healthOf(on), { service: '' });
  assert.deepEqual(healthOf({ service: 'shop.Hello' }), { service: 'shop.Hello' });
  assert.match(refusal({ health: 'shop.Hello' }).message, /^option headless\.health must be true, false or an object/);
  assert.match(refusal({ health: { service: 1 } }).message, /^option headless\.health\.service must be the name/);
});

test('headless.zone needs a name, takes a mode, and has no setting without them', () => {
  const zoneOf = (zone: unknown): unknown => resolveOptions({ zone }).zone;
  assert.equal(zoneOf(undefined), null);
  assert.deepEqual(zoneOf({ name: 'us-west-2a' }), { name: 'us-west-2a', mode: 'prefer' });
  assert.deepEqual(zoneOf({ name: 'eu.1_a', mode: 'pin' }), { name: 'eu.1_a', mode: 'pin' });
});

test('headless.balance.subset needs a size, takes a key, and has no setting without them', () => {
  const subsetOf = (subset: unknown): unknown => resolveOptions({ balance: { subset } }).balance.subset;
  assert.equal(subsetOf(undefined), null);
  assert.deepEqual(subsetOf({ size: 20 }), { size: 20, key: null });
  assert.deepEqual(subsetOf({ size: 1, key: 'cart-7d9f' }), { size: 1, key: 'cart-7d9f' });
});

test('headless.balance.subset refuses sizes and keys that select nothing', covers(47), () => {
  for (const size of [undefined, 0, 1.5, -1, 10_001, '20'])
    assert.match(
      refusal({ balance: { subset: { size } } }).message,
      /^option headless\.balance\.subset\.size must be .* got /,
    );
  for (const key of ['', 7, 'a\nb', 'a'.repeat(257)])
    assert.match(
      refusal({ balance: { subset: { size: 1, key } } }).message,
      /^option headless\.balance\.subset\.key must be .* got /,
    );
  for (const subset of [null, 20, true, [20]])
    assert.match(
      refusal({ balance: { subset } }).message,
      /^option headless\.balance\.subset must be an object such as \{ size: 20 \}, got /,
    );
});

test('headless.zone refuses what DNS has no name for, and modes that do not exist', covers(47), () => {
  for (const name of [undefined, null, '', 'a b', 'a..b', '.a', 'z'.repeat(64), 7])
    assert.match(refusal({ zone: { name } }).message, /^option headless\.zone\.name must be .* got /);
  for (const mode of [null, '', 'Pin', true])
    assert.match(refusal({ zone: { name: 'a', mode } }).message, /^option headless\.zone\.mode must be .* got /);
  for (const zone of [null, 'a', true, ['a']])
    assert.match(
      refusal({ zone }).message,
      /^option headless\.zone must be an object such as \{ name: 'us-west-2a' \}, got /,
    );
});

test('headless.retry needs a number of attempts, takes codes, and has no setting without them', () => {
  const retryOf = (retry: unknown): unknown => resolveOptions({ retry }).retry;
  assert.equal(retryOf(undefined), null);
  assert.deepEqual(retryOf({ attempts: 2 }), { attempts: 2, codes: ['UNAVAILABLE'] });
  const codes = ['UNAVAILABLE', 'RESOURCE_EXHAUSTED'];
  assert.deepEqual(retryOf({ attempts: 5, codes }), { attempts: 5, codes });
});

test('headless.retry refuses attempts out of range and what is no status code of a failure', covers(47), () => {
  for (const attempts of [undefined, null, 1, 6, 2.5, '3', Number.NaN])
    assert.match(refusal({ retry: { attempts } }).message, /^option headless\.retry\.attempts must be .* got /);
  for (const codes of [null, [], 'UNAVAILABLE', {}, ['OK'], ['unavailable'], [14], ['14'], ['UNAVAILABLE', '']])
    assert.match(
      refusal({ retry: { attempts: 2, codes } }).message,
      /^option headless\.retry\.codes(\[\d\])? must .* got /,
    );
  for (const retry of [null, 2, true, [2]])
    assert.match(
      refusal({ retry }).message,
      /^option headless\.retry must be an object such as \{ attempts: 2 \}, got /,
    );
});

test('a refusal shows the value received as a person would write it', covers(47), () => {
  const shown: [value: unknown, text: string][] = [
    [Number.NaN, 'NaN'],
    [-1, '-1'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    ['fast', '"fast"'],
    [null, 'null'],
    [[1], '[1]'],
    [10n, '10'],
    [{ deep: 10n }, '[object Object]'],
    [lookup, 'a function'],
    [Symbol('x'), 'Symbol(x)'],
  ];
  for (const [value, text] of shown)
    assert.equal(
      refusal({ refresh: { intervalMs: value } }).message,
      `option headless.refresh.intervalMs must be a number of milliseconds from 10 to 86400000, got ${text}`,
    );
});

test('the item of a list that is wrong is named by its place', covers(47), () => {
  assert.match(refusal({ dns: { servers: ['10.0.0.1', 'x'] } }).message, /headless\.dns\.servers\[1\] .* got "x"$/);
  assert.match(refusal({ dns: { search: ['a', 'b', ''] } }).message, /headless\.dns\.search\[2\] .* got ""$/);
});

const unknown: [options: unknown, name: string, hint: string][] = [
  [{ refesh: {} }, 'headless.refesh', 'did you mean "refresh"?'],
  [{ refresh: { interval: 5 } }, 'headless.refresh.interval', 'did you mean "intervalMs"?'],
  [{ refresh: { minIntervalMS: 5 } }, 'headless.refresh.minIntervalMS', 'did you mean "minIntervalMs"?'],
  [{ dns: { server: [] } }, 'headless.dns.server', 'did you mean "servers"?'],
  [{ balance: { polcy: 'x' } }, 'headless.balance.polcy', 'did you mean "policy"?'],
  [{ drain: { linger: 1 } }, 'headless.drain.linger', 'did you mean "lingerMs"?'],
  [{ drain: { timeout: undefined } }, 'headless.drain.timeout', 'did you mean "timeoutMs"?'],
  [{ drain: { cut: undefined } }, 'headless.drain.cut', 'known are "lingerMs", "timeoutMs"'],
  [
    { unrelated: 5 },
    'headless.unrelated',
    'known are "refresh", "dns", "source", "zone", "balance", "retry", "outlier", "health", "empty", "drain"',
  ],
  // Of another group.
  [
    { intervalMs: 5 },
    'headless.intervalMs',
    'did you mean headless.refresh.intervalMs or headless.outlier.intervalMs?',
  ],
  [{ policy: 'x' }, 'headless.policy', 'did you mean headless.balance.policy?'],
  [{ polcy: 'x' }, 'headless.polcy', 'did you mean headless.balance.policy?'],
  [{ interval: 5 }, 'headless.interval', 'did you mean headless.refresh.intervalMs or headless.outlier.intervalMs?'],
  [{ timeoutMs: 5 }, 'headless.timeoutMs', 'did you mean headless.dns.timeoutMs or headless.drain.timeoutMs?'],
  [{ subset: { size: 5 } }, 'headless.subset', 'did you mean headless.balance.subset?'],
  [{ refresh: { lookup } }, 'headless.refresh.lookup', 'did you mean headless.dns.lookup?'],
  [{ balance: { retry: {} } }, 'headless.balance.retry', 'did you mean headless.retry?'],
  [{ refresh: { MinIntervalMs: 5 } }, 'headless.refresh.MinIntervalMs', 'did you mean "minIntervalMs"?'],
];
for (const [options, name, hint] of unknown)
  test(`the unknown option ${name} is refused with what was probably meant, or what is known`, covers(47), () => {
    const { message } = refusal(options);
    assert.ok(message.startsWith(`unknown option ${name} (value `), message);
    assert.ok(message.endsWith(hint), message);
  });

test('a group of options that is no object is refused by name', covers(47), () => {
  for (const value of [null, 5, 'x', true, [], () => {}]) {
    assert.match(
      refusal(value).message,
      /^option headless must be an object such as \{ refresh: \{ intervalMs: 2000 \} \}, got /,
    );
    for (const group of ['refresh', 'dns', 'balance', 'drain'])
      assert.match(
        refusal({ [group]: value }).message,
        new RegExp(`^option headless\\.${group} must be an object such as \\{ \\w+: .* \\}, got `),
      );
  }
});

test('what JavaScript has as objects and no one writes options as is refused by its kind', covers(47), () => {
  const objects: [value: object, text: string][] = [
    [new Map([['refresh', { intervalMs: 1_000 }]]), 'a Map'],
    [new Set(['refresh']), 'a Set'],
    [new Date(), 'a Date'],
    [Promise.resolve({ refresh: { intervalMs: 1_000 } }), 'a Promise'],
    [new TypeError('x'), 'an Error'],
    [/x/, 'a RegExp'],
    [Buffer.from('a'), 'a Uint8Array'],
    [new URL('http://hello'), 'a URL'],
    [Object('x'), 'a String'],
    [runInNewContext('new Map()') as object, 'a Map'],
  ];
  for (const [value, text] of objects)
    for (const options of [value, { refresh: value }, { health: value }, { balance: { subset: value } }])
      assert.ok(refusal(options).message.endsWith(`, got ${text}`), refusal(options).message);
});

test('options may be an object without a prototype, of another realm, or of a class of the user', () => {
  class Settings {
    readonly empty = 'drop';
  }
  const bare = Object.assign(Object.create(null) as object, { empty: 'drop' });
  for (const options of [
    new Settings(),
    bare,
    Object.freeze({ empty: 'drop' }),
    runInNewContext("({ empty: 'drop' })"),
  ])
    assert.equal(resolveOptions(options).empty, 'drop');
});

test('every group has an example, which it takes', () => {
  for (const { names, entry } of placesIn(SCHEMA)) {
    if (!isGroup(entry)) continue;
    const path = names.join('.');
    assert.ok(entry.example, path);
    const settings = read(resolveOptions(nest(path, entry.example)), path);
    assert.notEqual(settings, null, path);
  }
});

test('outlier ejection with both of its rules off is refused', covers(47), () => {
  assert.match(
    refusal({ outlier: { consecutiveFailures: 0, failurePercentage: 0 } }).message,
    /^option headless\.outlier must have one of its rules on.*write outlier: false/,
  );
});

test('options that another one limits, or that a shared configuration may hold, are taken together', () => {
  for (const options of [
    { refresh: { intervalMs: 1_000, minIntervalMs: 60_000 } },
    { balance: { policy: 'round_robin', choices: 4 } },
    { dns: { lookup, servers: ['10.96.0.10'], family: 'ipv4', search: [], ndots: 5, resolvConf: '/etc/resolv.conf' } },
    { refresh: { burstMs: 0, minIntervalMs: 10 } },
    { outlier: { baseEjectionMs: 60_000, maxEjectionMs: 1_000 } },
    { outlier: { maxEjectionPercent: 0 } },
    { outlier: { consecutiveFailures: 0 } },
    { dns: { lookup, timeoutMs: 100, attempts: 1 } },
    { dns: { lookup, family: 'ipv4' }, source: { create: () => null } },
    { balance: { policy: 'peak_ewma', choices: 4 } },
    { balance: { policy: 'round_robin', choices: undefined } },
  ])
    resolveOptions(options);
});

test('a name mistyped in a choice is answered with the nearest one', covers(47), () => {
  const { message } = refusal({ balance: { policy: 'roundrobin' } });
  assert.match(
    message,
    /must be one of "least_request", "round_robin", "peak_ewma" \(did you mean "round_robin"\?\), got/,
  );
});

/** Objects with the names of options, and with other names, around values of any kind. */
const optionLike = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.jsonValue(),
    fc.constantFrom(...NEVER, ...Object.values(OPTIONS).flatMap(({ takes, refuses }) => [...takes, ...refuses])),
    tie('group'),
  ),
  group: fc.dictionary(
    fc.oneof(
      fc.constantFrom(...Object.keys(OPTIONS).flatMap((path) => path.split('.')), '__proto__', 'constructor'),
      fc.string(),
    ),
    tie('value'),
    { maxKeys: 4 },
  ),
}));

test('whatever JSON is given, the result is a complete set of settings or a HeadlessError that names the option', () => {
  const shape = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).map(([key, inner]) => [key, key in DEFAULTS ? shape(inner) : null])
      : null;
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), optionLike.value, optionLike.group), (options) => {
      try {
        assert.deepEqual(shape(resolveOptions(options)), shape(DEFAULTS));
        accepted += 1;
      } catch (error) {
        assert.ok(error instanceof HeadlessError, String(error));
        assert.equal(error.code, 'ERR_HEADLESS_OPTION');
        assert.match(error.message, /^(option|unknown option) headless/);
        refused += 1;
      }
    }),
    { numRuns: 1_000 },
  );
  assert.ok(accepted > 0 && refused > 0, `${accepted} accepted, ${refused} refused`);
});

test('options that are valid one by one are valid together, and each sets its own setting only', () => {
  const valid = Object.entries(OPTIONS).map(([path, { takes }]) =>
    fc.constantFrom(...takes).map((value) => [path, value]),
  );
  fc.assert(
    fc.property(fc.tuple(...valid), (pairs) => {
      const options: Record<string, Record<string, unknown>> = {};
      const expected: [path: string, setting: unknown][] = [];
      const all = pairs as [string, unknown][];
      const policy = all.find(([path]) => path === 'balance.policy')?.[1];
      for (const [path, value] of all) {
        // These have no effect beside others: see above.
        if (path === 'dns.lookup' || (path === 'balance.choices' && policy === 'round_robin')) continue;
        const { given, setting } = pairOf(value);
        expected.push([path, setting]);
        const [group = '', name] = path.split('.');
        if (name === undefined) Object.assign(options, { [group]: given });
        else options[group] = { ...options[group], [name]: given };
      }
      const settings = resolveOptions(options);
      for (const [path, setting] of expected) assert.deepEqual(read(settings, path), setting);
    }),
  );
});
