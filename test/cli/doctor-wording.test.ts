import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientCode } from '../../lib/cli/doctor/client-code.js';
import type { Reading, TargetFacts } from '../../lib/cli/doctor/facts.js';
import { byWeight, type ClientAdvice, finding, type Weight } from '../../lib/cli/doctor/findings.js';
import { newsAge } from '../../lib/cli/doctor/news-age.js';
import { pointerName } from '../../lib/cli/doctor/service-probe.js';
import {
  likelyNamespaces,
  likelySpellings,
  otherLetters,
  podDomain,
  serviceParts,
} from '../../lib/cli/doctor/spelling.js';
import { wrap } from '../../lib/cli/doctor/style.js';
import { count, duration, list } from '../../lib/cli/doctor/wording.js';
import { hostnameFault } from '../../lib/dns/hostname.js';

const SEARCH = ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'];

const target: TargetFacts = {
  text: 'hello.shop:50051',
  hostname: 'hello.shop',
  port: 50_051,
  absolute: false,
  isAddress: false,
  tls: false,
  ca: null,
  intervalMs: 5_000,
  podsNotTried: 0,
  idleMs: 0,
};

function advise(weight: Weight, client: ClientAdvice) {
  return finding('namesake', { weight, seen: ['it'], remedy: 'do', client });
}

test('the code for the client follows all findings, and of two that disagree the heavier one', () => {
  const findings = byWeight([
    advise('note', { headless: { dns: { family: "'ipv6'" } }, channel: ["'grpc.enable_http_proxy': 0"], tls: false }),
    advise('error', { target: 'hello.shop.svc.cluster.local.:50051', tls: true, ca: 'ca.pem' }),
    advise('warning', {
      headless: { dns: { servers: "['10.0.0.10:53']", family: "'ipv4'" } },
      target: 'other:1',
    }),
  ]);
  assert.equal(
    clientCode(target, findings),
    [
      "import { readFileSync } from 'node:fs';",
      "import { credentials } from '@grpc/grpc-js';",
      "import { createHeadlessClient } from 'grpc-headless';",
      '',
      'const client = createHeadlessClient(',
      '  HelloClient,',
      "  'hello.shop.svc.cluster.local.:50051',",
      "  credentials.createSsl(readFileSync('ca.pem')),",
      '  {',
      "    'grpc.enable_http_proxy': 0,",
      "    headless: { dns: { family: 'ipv4', servers: ['10.0.0.10:53'] } },",
      '  },',
      ');',
    ].join('\n'),
  );
});

test('without advice the code is the target as it was written', () => {
  assert.match(clientCode(target, []), /\n {2}'hello\.shop:50051',\n {2}credentials\.createInsecure\(\),\n\);$/);
});

test('the age of news is that of the documentation', () => {
  const reading = (part: Partial<Reading>): Reading => ({
    ...{ server: '', cache: 'present', ttlMs: 30_000, entries: 4, addresses: null },
    ...part,
  });
  assert.deepEqual(newsAge(reading({ cache: 'none', entries: 0 }), 5_000), { meanMs: 2_500, mostMs: 5_000 });
  assert.deepEqual(newsAge(reading({}), 5_000), { meanMs: 3_750, mostMs: 7_500 });
  assert.deepEqual(newsAge(reading({ entries: 1 }), 5_000), { meanMs: 15_000, mostMs: 30_000 });
  // Entries are not read more often than minIntervalMs allows.
  assert.deepEqual(newsAge(reading({ ttlMs: 2_000 }), 5_000), { meanMs: 500, mostMs: 1_000 });
});

test('wrapped text has all its words in their order, no line longer than a terminal, and code in one piece', () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(words, fc.integer({ min: 12, max: 80 }), (text, columns) => {
      const lines = wrap(text.join(' '), columns);
      assert.equal(lines.join(' '), text.join(' '));
      for (const line of lines) assert.ok(line.length <= columns);
    }),
  );
  assert.deepEqual(wrap('with `balance: { connections: 4 }` only', 12), [
    'with',
    '`balance: { connections: 4 }`',
    'only',
  ]);
});

test('every spelling that is tried is a name that a Service may have, and another one than was written', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/), (label) => {
      for (const spelling of [...likelySpellings(label), ...otherLetters(label)]) {
        assert.notEqual(spelling, label);
        assert.equal(hostnameFault(spelling), undefined);
      }
    }),
    { numRuns: 30 },
  );
});

test('a slip of one letter is undone by one of the spellings', () => {
  const letters = fc.stringMatching(/^[a-z][a-z0-9]{1,15}$/);
  fc.assert(
    fc.property(letters, fc.nat(), fc.constantFrom('leave out', 'double', 'swap', 'replace'), (right, place, slip) => {
      const at = place % right.length;
      const [before, here, after] = [right.slice(0, at), right.charAt(at), right.slice(at + 1)];
      const wrong = {
        'leave out': before + after,
        double: before + here + here + after,
        swap: before + after.slice(0, 1) + here + after.slice(1),
        replace: `${before}x${after}`,
      }[slip];
      if (wrong === right) return;
      assert.ok([...likelySpellings(wrong), ...otherLetters(wrong)].includes(right), `${wrong} for ${right}`);
    }),
    { numRuns: 50 },
  );
});

test('the parts of a name come from what was written, and from the search list of the pod', () => {
  const suffix = 'svc.cluster.local';
  assert.deepEqual(serviceParts('hello', SEARCH), { service: 'hello', namespace: 'shop', suffix });
  assert.deepEqual(serviceParts('hello.web', SEARCH), { service: 'hello', namespace: 'web', suffix });
  assert.deepEqual(serviceParts('hello.web.svc', SEARCH), { service: 'hello', namespace: 'web', suffix });
  assert.deepEqual(serviceParts('hello.web.svc.k8s.corp', SEARCH)?.suffix, 'svc.k8s.corp');
  assert.equal(serviceParts('grpc.example.org', SEARCH), null);
  assert.deepEqual(podDomain(SEARCH), { namespace: 'shop', domain: 'cluster.local' });
  assert.equal(podDomain(['example.org']), null);
});

test('namespaces are looked for in the search list and in the environment, the own one first', () => {
  const parts = { service: 'hello', namespace: 'web', suffix: 'svc.cluster.local' };
  const namespaces = likelyNamespaces(parts, SEARCH, { DB: 'postgres://db.data-lake.svc.cluster.local/', OTHER: 'x' });
  assert.deepEqual(namespaces.slice(0, 3), ['shop', 'data-lake', 'hello']);
  assert.ok(!namespaces.includes('web'));
});

test('the name of a PTR record is that of the RFCs, for both families', () => {
  assert.equal(pointerName('10.0.96.7'), '7.96.0.10.in-addr.arpa');
  const zeros = (count: number): string => '0.'.repeat(count);
  assert.equal(pointerName('fd00::7'), `7.${zeros(29)}d.f.ip6.arpa`);
  assert.equal(pointerName('::1'), `1.${zeros(31)}ip6.arpa`);
  assert.equal(pointerName('1:2:3:4:5:6:7:8').split('.').length, 34);
});

test('numbers and lists are short', () => {
  assert.deepEqual([0.42, 12.4, 2_100, 30_000].map(duration), ['0.4 ms', '12 ms', '2.1 s', '30 s']);
  assert.deepEqual([count(1, 'pod'), count(2, 'pod'), count(2, 'copy', 'copies')], ['1 pod', '2 pods', '2 copies']);
  assert.equal(list(['a', 'b', 'c'], 2), 'a, b and 1 more');
});
