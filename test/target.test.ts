import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseServiceName } from '../lib/dns/service-name.js';
import { HeadlessError } from '../lib/errors.js';
import { formatAuthority, formatTarget, parseTarget, type Target } from '../lib/target.js';
import { covers } from './faults/covers.js';

const HOST = { hostname: 'svc.ns', port: 50051, absolute: false, server: null };
const server = (host: string, port = 53) => ({ host, port });

const accepted: Record<string, Partial<Target>> = {
  'svc.ns:50051': {},
  'headless:///svc.ns:50051': {},
  'headless:svc.ns:50051': {},
  'HEADLESS:///svc.ns:50051': {},
  'dns:///svc.ns:50051': {},
  'dns:svc.ns:50051': {},
  'svc.ns.:50051': { absolute: true },
  'headless:///svc.ns.:1': { absolute: true, port: 1 },
  'headless://10.96.0.10/svc.ns:50051': { server: server('10.96.0.10') },
  'headless://10.96.0.10:5353/svc.ns:65535': { server: server('10.96.0.10', 5353), port: 65_535 },
  'headless://[fd00::a]/svc.ns:50051': { server: server('fd00::a') },
  'headless://[fd00::a]:5353/svc.ns.:50051': { server: server('fd00::a', 5353), absolute: true },
  'dns://10.96.0.10/svc.ns:50051': { server: server('10.96.0.10') },
  'dns:50051': { hostname: 'dns' },
  'headless:50051': { hostname: 'headless' },
  'localhost:50051': { hostname: 'localhost' },
  '_svc.ns:50051': { hostname: '_svc.ns' },
  '_grpc._tcp.svc-1.ns': { hostname: '_grpc._tcp.svc-1.ns', port: null },
  '_grpc._tcp.svc.ns.': { hostname: '_grpc._tcp.svc.ns', port: null, absolute: true },
  '_GRPC._TCP.svc.ns': { hostname: '_GRPC._TCP.svc.ns', port: null },
  'headless:///_grpc._tcp.svc.ns': { hostname: '_grpc._tcp.svc.ns', port: null },
  'dns:///_grpc._tcp.svc.ns': { hostname: '_grpc._tcp.svc.ns', port: null },
  'headless:///_grpc._tcp.svc.ns.': { hostname: '_grpc._tcp.svc.ns', port: null, absolute: true },
  'headless://10.96.0.10:5353/_grpc._tcp.svc.ns': {
    hostname: '_grpc._tcp.svc.ns',
    port: null,
    server: server('10.96.0.10', 5353),
  },
  'hello.42:50051': { hostname: 'hello.42' },
  '42.ns:50051': { hostname: '42.ns' },
  '127.1.svc:50051': { hostname: '127.1.svc' },
  '10.0.0.1:50051': { hostname: '10.0.0.1', absolute: true },
  '[fd00::1]:50051': { hostname: 'fd00::1', absolute: true },
  'headless:///[fd00::1]:50051': { hostname: 'fd00::1', absolute: true },
};

for (const [text, expected] of Object.entries(accepted))
  test(`the target ${text} is accepted, and formatting what was read reads the same`, () => {
    const target = parseTarget(text);
    assert.deepEqual(target, { ...HOST, ...expected });
    assert.deepEqual(parseTarget(formatTarget(target)), target);
  });

const name255 = [63, 63, 63, 61].map((length) => 'a'.repeat(length)).join('.');
const refused: Record<string, [text: string, flaw: RegExp]> = {
  'an empty label': ['a..b:1', /host "a\.\.b" has an empty label/],
  'a leading dot': ['.svc:1', /an empty label/],
  'two final dots': ['svc..:1', /an empty label/],
  'a 64-byte label': [`${'a'.repeat(64)}:1`, /longer than 63 octets/],
  'a name of 256 octets': [`a${name255}:1`, /longer than/],
  'a name of 256 octets in short labels': [`${'a.'.repeat(127)}aa:1`, /its host is longer than 255 octets/],
  NUL: ['svc\0.ns:1', /has a character other than/],
  'a space': ['my svc:1', /label "my svc" has a character/],
  'a newline': ['svc\n:1', /has a character/],
  'a letter beyond ASCII': ['sérvice:1', /has a character/],
  'a path': ['svc/ns:1', /has a character/],
  'no host': [':50051', /its host is empty/],
  'no host but a dot': ['.:50051', /its host is empty/],
  nothing: ['', /it has no port/],
  'no port': ['svc.ns', /it has no port/],
  'no port after the scheme': ['headless:///svc.ns', /it has no port/],
  'an empty port': ['svc.ns:', /it has no port/],
  'port 0': ['svc.ns:0', /port 0 is not within 1 to 65535/],
  'port 65536': ['svc.ns:65536', /port 65536 is not within/],
  'a port in words': [
    'svc.ns:http',
    /its port "http" is not a number; did you mean "headless:\/\/\/_http\._tcp\.svc\.ns"\?/,
  ],
  'a negative port': ['svc.ns:-1', /its port "-1" is not a number; write/],
  'a port of six digits': ['svc.ns:123456', /port 123456 is not within 1 to 65535/],
  'digits of another script': ['svc.ns:１２', /its port "１２" is not a number/],
  'a path after the port': [
    'svc.ns:50051/path',
    /"\/path" stands after its port 50051; did you mean "headless:\/\/\/svc\.ns:50051"\?/,
  ],
  'a query after the port': [
    'headless://10.96.0.10/svc.ns:50051?x=1',
    /"\?x=1" stands after its port 50051; did you mean "headless:\/\/10\.96\.0\.10:53\/svc\.ns:50051"\?/,
  ],
  'a space after the port': ['svc.ns:50051 ', /" " stands after its port 50051; did you mean/],
  'a line break after the port': ['svc.ns:50051\n', /"\\n" stands after its port 50051; did you mean/],
  'a second target after the port': ['svc.ns:1,svc.ns:2', /",svc\.ns:2" stands after its port 1; did you mean/],
  'a port in words after an address': ['[::1]:http', /its port "http" is not a number; write/],
  'an IPv6 address and no port': ['[::1]', /it has no port/],
  'an open bracket': ['[::1', /it has no port/],
  'IPv6 without brackets': [
    'fd00::1:50051',
    /the IPv6 address "fd00::1" needs brackets; did you mean "headless:\/\/\/\[fd00::1\]:50051"\?/,
  ],
  'IPv6 without brackets and port': [
    'fd00::1',
    /"fd00::1" is an IPv6 address with neither brackets nor a port: write "\[fd00::1\]:port"/,
  ],
  'the IPv6 loopback without brackets': [
    '::1:50051',
    /"::1" needs brackets; did you mean "headless:\/\/\/\[::1\]:50051"/,
  ],
  'an IPv4 address out of range': [
    '999.1.1.1:50',
    /host "999\.1\.1\.1" is no IPv4 address .*numbers alone are no host name \(RFC 1123 .*"999\.1\.1\.1\.svc"/,
  ],
  'an IPv4 address of two numbers': ['127.1:50', /host "127\.1" is no IPv4 address/],
  'an IPv4 address of three numbers and a dot': ['headless:///1.2.3.:50', /host "1\.2\.3" is no IPv4 address/],
  'an IPv4 address as one number': ['2130706433:50', /host "2130706433" is no IPv4 address/],
  'an IPv4 address in hexadecimal': ['0x7f000001:50', /host "0x7f000001" is no IPv4 address/],
  'a name in brackets': ['[svc.ns]:50051', /"svc.ns" is not an IPv6 address/],
  'a DNS server by name': ['headless://kube-dns/svc.ns:1', /DNS server "kube-dns" is not an IP address/],
  'a DNS server with port 0': ['headless://10.96.0.10:0/svc.ns:1', /DNS server "10.96.0.10:0"/],
  'two slashes where three belong': [
    'headless://svc.ns:50051',
    /two slashes after "headless:" in the place of three, so that "svc.ns:50051" stands where a DNS server is named; did you mean "headless:\/\/\/svc.ns:50051"\?/,
  ],
  'two slashes and a short name': ['headless://x:1', /two slashes .*did you mean "headless:\/\/\/x:1"\?/],
  'two slashes after dns:': [
    'dns://svc.ns:50051',
    /two slashes after "dns:".*did you mean "headless:\/\/\/svc.ns:50051"/,
  ],
  'two slashes and one at the end': ['headless://svc.ns:50051/', /did you mean "headless:\/\/\/svc.ns:50051"\?/],
  'two slashes and no port': ['headless://svc.ns', /two slashes after "headless:"[^?]*$/],
  'two slashes and nothing else': ['dns://', /two slashes after "dns:" in the place of three; write/],
  'three slashes and nothing else': ['headless:///', /it has no port; write/],
  'one slash where three belong': ['headless:/svc.ns:1', /one slash .*did you mean "headless:\/\/\/svc.ns:1"\?/],
  'the scheme of IPv4 addresses': ['ipv4:10.0.0.1:50051', /its scheme "ipv4" .*did you mean "10.0.0.1:50051"\?/],
  'a list of IPv4 addresses': ['ipv4:10.0.0.1:50051,10.0.0.2:50051', /its scheme "ipv4" lists fixed addresses[^?]*$/],
  'the scheme of IPv6 addresses': ['ipv6:[fd00::1]:50051', /its scheme "ipv6" .*did you mean "\[fd00::1\]:50051"\?/],
  'an IPv6 address in percent signs': ['ipv6:%5Bfd00::1%5D:50051', /did you mean "\[fd00::1\]:50051"\?/],
  'the scheme of a socket file': ['unix:/run/hello.sock', /its scheme "unix" names a socket file of this host[^?]*$/],
  'the scheme of a socket file, with slashes': ['unix:///run/hello.sock', /its scheme "unix" names a socket file/],
  'the scheme of an abstract socket': ['unix-abstract:hello', /its scheme "unix-abstract" is not one[^?]*$/],
  'another scheme': [
    'https://svc.ns:443/path',
    /its scheme "https" is not one .*did you mean "headless:\/\/\/svc.ns:443"\?/,
  ],
  'a named port and a number': [
    '_grpc._tcp.svc.ns:50051',
    /SRV records tell the port of "_grpc._tcp", so leave out ":50051"/,
  ],
  'a named port, a number and the scheme': ['headless:///_grpc._tcp.svc.ns:50051', /leave out ":50051"/],
  'a named port and another protocol': [
    'headless:///_grpc._udp.svc.ns',
    /its protocol is "_udp", and gRPC needs "_tcp"/,
  ],
  'another protocol and a number': ['_grpc._udp.svc.ns:50051', /its protocol is "_udp"/],
  'a port without a name': ['_._tcp.svc.ns', /its port has no name/],
  'a named port without a service': ['_grpc._tcp', /it has no service after "_grpc\._tcp"/],
  'a named port without a service but a dot': ['headless:///_grpc._tcp.', /it has no service after/],
  'a named port of an empty label': ['_grpc._tcp.svc..ns', /an empty label/],
  'a named port of localhost': ['_grpc._tcp.localhost', /localhost is not asked of DNS, so no SRV record/],
  'a named port below localhost': ['_grpc._tcp.hello.LOCALHOST.', /localhost is not asked of DNS/],
  'a named port and a port in words': ['_grpc._tcp.svc.ns:http', /label "ns:http" has a character/],
  'the scheme of xDS': [
    'xds:///svc.ns:443',
    /its scheme "xds" is not one .*did you mean "headless:\/\/\/svc.ns:443"\?/,
  ],
};

for (const [what, [text, flaw]] of Object.entries(refused))
  test(`a target with ${what} is refused with the flaw, the target and the remedy named`, covers(32), () => {
    assert.throws(
      () => parseTarget(text),
      (error: HeadlessError) => {
        assert.equal(error.code, 'ERR_HEADLESS_TARGET');
        assert.match(error.message, flaw);
        assert.ok(error.message.includes(JSON.stringify(text)), error.message);
        assert.match(error.message, /write "service\.namespace:port"/);
        return true;
      },
    );
  });

test('a target that is not text at all is refused the same way', covers(32), () => {
  for (const target of [undefined, null, 50051, {}])
    assert.throws(() => parseTarget(target as never), { code: 'ERR_HEADLESS_TARGET', message: /is not a string/ });
});

test('a host may have the name of a scheme', () => {
  for (const hostname of ['ipv4', 'unix', 'xds', 'dns', 'headless'])
    assert.deepEqual(parseTarget(`${hostname}:50051`), { hostname, port: 50_051, absolute: false, server: null });
});

test('the longest label and the longest name are accepted', () => {
  assert.equal(parseTarget(`${'a'.repeat(63)}:1`).hostname.length, 63);
  assert.equal(parseTarget(`${name255}:1`).hostname, name255);
  assert.equal(parseTarget(`${name255}.:1`).hostname, name255);
});

test('the authority is the name and the port, without a final dot and with brackets around IPv6', () => {
  assert.equal(formatAuthority(parseTarget('headless://10.96.0.10/svc.ns.:50051')), 'svc.ns:50051');
  assert.equal(formatAuthority(parseTarget('[fd00::1]:50051')), '[fd00::1]:50051');
});

test("the authority of a named port is the Service's name alone", () => {
  assert.equal(formatAuthority(parseTarget('headless:///_grpc._tcp.svc.ns')), 'svc.ns');
  assert.equal(
    formatAuthority(parseTarget('_grpc._tcp.hello.shop.svc.cluster.local.')),
    'hello.shop.svc.cluster.local',
  );
});

const label = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
const dnsName = fc.array(label, { minLength: 1, maxLength: 8 }).map((labels) => labels.join('.'));
const ipv6 = fc.ipV6().filter((text) => isIP(text) === 6);
const port = fc.integer({ min: 1, max: 65_535 });
const host = fc.oneof(
  fc.record({
    hostname: dnsName.filter((name) => /[g-z_-]/i.test(name) && parseServiceName(name) === null),
    absolute: fc.boolean(),
  }),
  fc.record({ hostname: fc.oneof(fc.ipV4(), ipv6), absolute: fc.constant(true) }),
);
const anyServer = fc.option(fc.record({ host: fc.oneof(fc.ipV4(), ipv6), port }));

test('every target survives being formatted and read again', () => {
  fc.assert(
    fc.property(host, port, anyServer, (named, number, dnsServer) => {
      const target: Target = { ...named, port: number, server: dnsServer && { ...dnsServer } };
      assert.deepEqual(parseTarget(formatTarget(target)), target);
    }),
  );
});

test('every target with a named port survives being formatted and read again', () => {
  fc.assert(
    fc.property(label, dnsName, fc.boolean(), anyServer, (portName, service, absolute, dnsServer) => {
      const hostname = `_${portName}._tcp.${service}`;
      const target: Target = { hostname, absolute, port: null, server: dnsServer && { ...dnsServer } };
      assert.deepEqual(parseTarget(formatTarget(target)), target);
      assert.equal(formatAuthority(target), service);
    }),
  );
});

test('any text is either a target with a sound name and port or ERR_HEADLESS_TARGET, nothing else', () => {
  const near = fc.array(
    fc.constantFrom('headless', 'dns', ':', '//', '/', '[', ']', '.', 'a', '1', '::1', '\0', ' ', '_x.', '_tcp.'),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        near.map((parts) => parts.join('')),
      ),
      (text) => {
        try {
          const target = parseTarget(text);
          if (target.port === null) assert.match(target.hostname, /^_[^.]+\._tcp\../i);
          else assert.ok(target.port >= 1 && target.port <= 65_535);
          assert.ok(isIP(target.hostname) || /^[\w-]+(\.[\w-]+)*$/.test(target.hostname), target.hostname);
          assert.deepEqual(parseTarget(formatTarget(target)), target);
        } catch (error) {
          if (!(error instanceof HeadlessError)) throw error;
          assert.equal(error.code, 'ERR_HEADLESS_TARGET');
        }
      },
    ),
    { numRuns: 500 },
  );
});
