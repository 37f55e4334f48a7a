import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ArgumentError, OPTIONS, parseArguments } from '../../lib/cli/watch/arguments.js';
import { HELP } from '../../lib/cli/watch/help.js';

const page = readFileSync(new URL('../../docs/watch.md', import.meta.url), 'utf8');

test('a target alone gets the defaults', () => {
  assert.deepEqual(parseArguments(['hello.shop:50051']), {
    target: 'hello.shop:50051',
    intervalMs: null,
    servers: [],
    resolvConf: null,
    tls: false,
    ca: null,
    dnsOnly: false,
    calls: 0,
    health: null,
    outlier: false,
    web: null,
    once: false,
    durationMs: null,
    changesOnly: false,
    json: false,
  });
});

test('times have units, and a bare number means milliseconds, as in the options', () => {
  const interval = (text: string) => parseArguments(['a:1', '--interval', text]).intervalMs;
  assert.deepEqual(
    ['5000', '10', '1.5s', '500ms', '2m', '24h'].map(interval),
    [5_000, 10, 1_500, 500, 120_000, 86_400_000],
  );
  for (const text of ['', '5', '5ms', '-1', '5 s', 's', '1e3', '2d', '48h'])
    assert.throws(
      () => parseArguments(['a:1', `--interval=${text}`]),
      /--interval takes a time from 10ms to 24h such as 5s, .* without a unit means milliseconds\), got "/,
      text,
    );
  const duration = (text: string) => parseArguments(['a:1', '--duration', text]).durationMs;
  assert.deepEqual(['400ms', '596h'].map(duration), [400, 2_145_600_000]);
  for (const text of ['60', '1000h'])
    assert.throws(
      () => duration(text),
      /--duration takes a time from 100ms to 596h such as .* milliseconds\), got "/,
      text,
    );
});

test('--calls takes 0, which is the default', () => {
  assert.deepEqual(parseArguments(['a:1', '--calls', '0']), parseArguments(['a:1']));
  assert.equal(parseArguments(['a:1', '--calls', '0', '--dns-only']).dnsOnly, true);
});

test('--web takes a port or none, before and after the target', () => {
  const web = (...args: string[]) => parseArguments(args).web;
  assert.deepEqual(web('--web', 'a:1'), { port: 8053, chosen: false });
  assert.deepEqual(web('a:1', '--web'), { port: 8053, chosen: false });
  assert.deepEqual(web('a:1', '--web', '--json'), { port: 8053, chosen: false });
  assert.deepEqual(web('--web', '9000', 'a:1'), { port: 9_000, chosen: true });
  assert.deepEqual(web('a:1', '--web=0'), { port: 0, chosen: true });
  assert.throws(() => web('a:1', '--web', '70000'), /port from 0 to 65535/);
  assert.throws(() => web('a:1', '--web=x'), /port from 0 to 65535/);
});

test('--health takes a service or none, before and after the target', () => {
  const read = (...args: string[]) => {
    const { health, target } = parseArguments(args);
    return [health, target];
  };
  assert.deepEqual(read('--health', 'a:1'), ['', 'a:1']);
  assert.deepEqual(read('a:1', '--health'), ['', 'a:1']);
  assert.deepEqual(read('a:1', '--health', '--json'), ['', 'a:1']);
  assert.deepEqual(read('--health', 'shop.Hello', 'a:1'), ['shop.Hello', 'a:1']);
  assert.deepEqual(read('a:1', '--health', 'shop.Hello'), ['shop.Hello', 'a:1']);
  assert.deepEqual(read('--health=shop.Hello', 'a:1'), ['shop.Hello', 'a:1']);
  assert.deepEqual(read('--health=', 'a:1'), ['', 'a:1']);
  assert.deepEqual(read('--health', '_grpc._tcp.hello.shop'), ['', '_grpc._tcp.hello.shop']);
  assert.deepEqual(read('--health', 'headless:///a:1'), ['', 'headless:///a:1']);
});

test('servers may be several', () => {
  const { servers } = parseArguments(['a:1', '--server', '10.0.0.1', '--server', '10.0.0.2:5353']);
  assert.deepEqual(servers, ['10.0.0.1', '10.0.0.2:5353']);
});

const WRONG: readonly [args: string[], message: RegExp][] = [
  [[], /the target is missing/],
  [['a:1', 'b:2'], /"b:2" is left over/],
  [['a:1', '--colour'], /Unknown option '--colour'/],
  [['a:1', '--interval'], /'--interval <value>' argument missing/],
  [['a:1', '--ca', 'x.pem'], /--ca needs --tls/],
  [['a:1', '--dns-only', '--tls'], /--tls has no meaning/],
  [['a:1', '--dns-only', '--calls', '1'], /--calls cannot be made/],
  [['a:1', '--dns-only', '--health'], /--health cannot ask the pods/],
  [['a:1', '--dns-only', '--outlier'], /--outlier ejects no pod/],
  [['a:1', '--outlier'], /--outlier .* needs --calls: write for example --calls 10/],
  [['--health', 'hello.shop'], /the target is missing: .* \("hello\.shop" is taken for the service of --health\)/],
  [['a:1', '--once', '--web'], /--web would serve nothing/],
  [['a:1', '--outlier', '--calls', '0'], /--outlier .* needs --calls/],
  [['a:1', '--calls', '-1'], /'--calls' argument is ambiguous/],
  [['a:1', '--calls=-1'], /--calls takes a number from 0 \(none\) to 1000, got "-1"/],
  [['a:1', '--calls', 'many'], /--calls takes a number from 0 \(none\) to 1000, got "many"/],
];

for (const [args, message] of WRONG)
  test(`\`watch ${args.join(' ')}\` is refused with a sentence that names the argument`, () => {
    assert.throws(
      () => parseArguments(args),
      (error) => error instanceof ArgumentError && message.test(error.message),
    );
  });

test('the help and docs/watch.md name every option, and none that does not exist', () => {
  const known = Object.keys(OPTIONS).toSorted();
  const inHelp = Array.from(HELP.matchAll(/^ {2}(?:-h, )?--([a-z-]+)/gm), ([, name]) => name).toSorted();
  assert.deepEqual(inHelp, known);
  const inPage = Array.from(page.matchAll(/^\| `(?:-h`, `)?--([a-z-]+)/gm), ([, name]) => name).toSorted();
  assert.deepEqual(inPage, known);
});

test('the help fits a terminal of 100 columns, and begins with a summary', () => {
  const lines = HELP.split('\n');
  assert.ok((lines[0]?.length ?? 0) <= 60, lines[0]);
  assert.deepEqual(
    lines.filter((line) => line.length > 100),
    [],
  );
});
