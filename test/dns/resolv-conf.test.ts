import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { parseResolvConf, ResolvConfFile } from '../../lib/dns/resolv-conf.js';
import { covers } from '../faults/covers.js';

const hosts = (text: string): string[] => parseResolvConf(text).servers.map(({ host }) => host);

describe('resolv.conf', () => {
  it('of a pod is read', () => {
    const text =
      'search just-4-test.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n';
    assert.deepEqual(parseResolvConf(text), {
      servers: [{ host: '10.96.0.10', port: 53 }],
      search: ['just-4-test.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
      ndots: 5,
      timeoutMs: undefined,
      attempts: undefined,
      rotate: false,
    });
  });

  it('means 127.0.0.1 when it is empty or names no server', covers(30), () => {
    for (const text of [
      '',
      '\n\n',
      'search a.b',
      'nameserver',
      'nameserver dns.example',
      '  nameserver 10.0.0.1',
      'nameserver10.0.0.1',
    ])
      assert.deepEqual(hosts(text), ['127.0.0.1'], JSON.stringify(text));
  });

  it('is used up to its third nameserver', covers(30), () => {
    const text = [1, 2, 3, 4, 5].map((last) => `nameserver 10.0.0.${last}`).join('\n');
    assert.deepEqual(hosts(text), ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  });

  it('may have CRLF, comments, tabs, and IPv6 with a scope', covers(30), () => {
    const text = '# one\r\n; two\r\nnameserver\t10.0.0.1 # why\r\nnameserver fe80::1%eth0\r\nsearch a.b\tc. ; d\r\n';
    assert.deepEqual(hosts(text), ['10.0.0.1', 'fe80::1%eth0']);
    assert.deepEqual(parseResolvConf(text).search, ['a.b', 'c']);
  });

  it('has its numbers clamped, and values that are not numbers ignored', covers(30), () => {
    const read = (text: string): unknown[] => {
      const { ndots, timeoutMs, attempts } = parseResolvConf(`options ${text}`);
      return [ndots, timeoutMs, attempts];
    };
    assert.deepEqual(read('ndots:99 timeout:99 attempts:99'), [15, 30_000, 5]);
    assert.deepEqual(read('ndots:0 timeout:0 attempts:0'), [0, 1_000, 1]);
    assert.deepEqual(read('ndots:-1 timeout:-1 attempts:-1'), [undefined, undefined, undefined]);
    assert.deepEqual(read('ndots:x timeout attempts:'), [undefined, undefined, undefined]);
    assert.deepEqual(read('ndots:2\noptions timeout:3 rotate'), [2, 3_000, undefined]);
    assert.equal(parseResolvConf('options edns0 rotate').rotate, true);
  });

  it('is used with its last `search` or `domain`, without final dots', () => {
    const search = (text: string): readonly string[] => parseResolvConf(text).search;
    assert.deepEqual(search('search a b\ndomain c'), ['c']);
    assert.deepEqual(search('domain c\nsearch a. b..'), ['a', 'b']);
    assert.deepEqual(search('domain c d'), ['c']);
    assert.deepEqual(search('search .'), []);
    assert.equal(search(`search ${'a '.repeat(100)}`).length, 32);
  });

  it('gives settings within the limits, whatever its text is', () => {
    const word = fc.constantFrom(
      'nameserver',
      'search',
      'options',
      'ndots:',
      '1',
      '10.0.0.1',
      ' ',
      '\n',
      '\r',
      '#',
      ':',
      '.',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 3 })), { maxLength: 40 }), (words) => {
        const { servers, ndots = 0 } = parseResolvConf(words.join(''));
        assert.ok(servers.length >= 1 && servers.length <= 3 && ndots >= 0 && ndots <= 15);
      }),
    );
  });
});

describe('the file', () => {
  function inDirectory(t: TestContext): string {
    const directory = mkdtempSync(join(tmpdir(), 'resolv-'));
    t.after(() => rmSync(directory, { recursive: true }));
    return join(directory, 'resolv.conf');
  }
  const first = (file: ResolvConfFile): string | undefined => file.read().servers[0]?.host;

  it('means 127.0.0.1 while it does not exist', covers(30), (t) => {
    const file = new ResolvConfFile(inDirectory(t));
    assert.equal(first(file), '127.0.0.1');
    assert.equal(first(new ResolvConfFile(tmpdir())), '127.0.0.1', 'nor can a directory be read');
  });

  it('is read again when it is replaced or written to', covers(31), (t) => {
    const path = inDirectory(t);
    const file = new ResolvConfFile(path);
    writeFileSync(path, 'nameserver 10.0.0.1');
    assert.equal(first(file), '10.0.0.1');
    writeFileSync(`${path}.new`, 'nameserver 10.0.0.2');
    renameSync(`${path}.new`, path);
    assert.equal(first(file), '10.0.0.2');
    writeFileSync(path, 'nameserver 10.0.0.33');
    assert.equal(first(file), '10.0.0.33');
  });

  it('keeps its last settings when it is removed, and is not parsed again while it is unchanged', covers(31), (t) => {
    const path = inDirectory(t);
    const file = new ResolvConfFile(path);
    writeFileSync(path, 'nameserver 10.0.0.1');
    const settings = file.read();
    assert.equal(file.read(), settings);
    rmSync(path);
    assert.equal(file.read(), settings);
  });

  it('keeps its last settings while it names no server, as in the middle of being written', covers(31), (t) => {
    const path = inDirectory(t);
    const file = new ResolvConfFile(path);
    writeFileSync(path, 'search svc.cluster.local\nnameserver 10.0.0.1');
    const settings = file.read();
    writeFileSync(path, '');
    assert.equal(file.read(), settings);
    assert.match(file.problem ?? '', /names no server any more/);
    writeFileSync(path, 'nameserver 10.0.0.2');
    assert.equal(first(file), '10.0.0.2');
    assert.equal(file.problem, null);
  });
});
