import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  errorOf,
  NAME,
  NXDOMAIN,
  ONE,
  SERVFAIL,
  told,
  type Word,
  type World,
  type WorldOptions,
  world,
} from '../support/fake-network.js';

describe('the search list', () => {
  const short: WorldOptions = {
    hostname: 'svc',
    absolute: false,
    search: ['a', 'b'],
    ndots: 5,
    servers: [ONE],
    attempts: 1,
  };
  const names = (asked: string[]): string[] => asked.map((line) => line.split(' ')[3] as string);

  /** A world whose names have what `zone` says; all others do not exist. */
  const search = (zone: Record<string, Word>, options: WorldOptions = {}): World =>
    world(({ question }) => zone[question.hostname] ?? NXDOMAIN, { ...short, ...options });

  it('is walked until a name has addresses; NXDOMAIN, NODATA and refusals lead on', async () => {
    for (const word of [NXDOMAIN, [], SERVFAIL, { rcode: 'REFUSED' }] as Word[]) {
      const { resolve, asked } = search({ 'svc.a': word, 'svc.b': ['10.1.0.1'] });
      const resolution = await resolve();
      assert.deepEqual([told(resolution), resolution.name], [['A 10.1.0.1'], 'svc.b']);
      assert.deepEqual(names(asked()), ['svc.a', 'svc.b']);
    }
  });

  it('ends in silence, since the next name would meet with it too', async () => {
    for (const word of ['TIMEOUT', 'UNREACHABLE', 'MALFORMED'] as Word[]) {
      const { resolve, asked } = search({ 'svc.a': word, 'svc.b': ['10.1.0.1'] });
      assert.deepEqual(told(await resolve()), [`A failed ${word}`]);
      assert.deepEqual(names(asked()), ['svc.a']);
    }
  });

  it('that finds nothing tells of a failure before NODATA before NXDOMAIN, and of the names tried', async () => {
    assert.deepEqual(told(await search({ 'svc.a': SERVFAIL, svc: [] }).resolve()), ['A failed SERVFAIL']);
    assert.deepEqual(told(await search({ 'svc.b': [] }).resolve()), ['A empty NODATA']);
    const resolution = await search({}).resolve();
    assert.deepEqual([told(resolution), resolution.name], [['A empty NXDOMAIN'], 'svc']);
    assert.match(errorOf(resolution).message, /"svc".*NXDOMAIN.*svc\.a, svc\.b/);
  });

  it('is tried from the name that answered, and walked again when that is empty', async () => {
    const zone: Record<string, Word> = { 'svc.b': ['10.1.0.1'] };
    const { resolve, asked } = search(zone);
    await resolve();
    asked();
    await resolve();
    assert.deepEqual(names(asked()), ['svc.b']);
    delete zone['svc.b'];
    const resolution = await resolve();
    assert.deepEqual([told(resolution), resolution.name], [['A empty NXDOMAIN'], 'svc.b']);
    assert.deepEqual(names(asked()), ['svc.b', 'svc.a', 'svc']);
    zone['svc.a'] = ['10.1.0.2'];
    assert.equal((await resolve()).name, 'svc.a');
  });

  it('does not lead to a namesake while the name that answered merely fails', async () => {
    const zone: Record<string, Word> = { 'svc.b': ['10.1.0.1'], svc: ['203.0.113.1'] };
    const { resolve } = search(zone);
    await resolve();
    zone['svc.b'] = SERVFAIL;
    assert.deepEqual(told(await resolve()), ['A failed SERVFAIL']);
  });

  it('asks A and AAAA of one name before it goes on to the next', async () => {
    const { resolve, asked } = world(
      ({ question }) => (question.hostname === 'svc.b' && question.type === 'AAAA' ? ['fd00::1'] : []),
      { ...short, family: 'auto' },
    );
    assert.deepEqual(told(await resolve()), ['A empty NODATA', 'AAAA fd00::1']);
    assert.deepEqual(asked(), ['1 udp A svc.a', '1 udp AAAA svc.a', '1 udp A svc.b', '1 udp AAAA svc.b']);
  });
});

describe('resolv.conf', () => {
  function file(t: TestContext, text: string): { path: string; write(text: string): void } {
    const directory = mkdtempSync(join(tmpdir(), 'dns-client-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'resolv.conf');
    writeFileSync(path, text);
    return { path, write: (changed) => writeFileSync(path, changed) };
  }

  it('rules where the options say nothing', async (t) => {
    const { path } = file(t, 'nameserver 10.0.0.7\nsearch a\noptions ndots:2 timeout:3 attempts:1\n');
    const { resolve, asked, timeouts } = world(() => NXDOMAIN, {
      hostname: 'svc.ns',
      absolute: false,
      servers: null,
      resolvConf: path,
    });
    await resolve();
    assert.deepEqual(asked(), ['7 udp A svc.ns.a', '7 udp A svc.ns']);
    assert.deepEqual(timeouts, [3_000, 3_000]);
  });

  it('gives way to options; its search list stays while servers are given', async (t) => {
    const { path } = file(t, 'nameserver 10.0.0.7\nsearch a\noptions ndots:2 timeout:3 attempts:4\n');
    const settings = { absolute: false, hostname: 'svc', servers: [ONE], resolvConf: path, timeoutMs: 50, attempts: 1 };
    const { resolve, asked, timeouts } = world(() => NXDOMAIN, settings);
    await resolve();
    assert.deepEqual(
      [asked(), timeouts],
      [
        ['1 udp A svc.a', '1 udp A svc'],
        [50, 50],
      ],
    );
  });

  it('missing, means the defaults: 127.0.0.1, 1000 ms, two rounds', async () => {
    const { resolve, asked, timeouts } = world(() => 'TIMEOUT', { servers: null });
    await resolve();
    assert.deepEqual([asked().length, timeouts], [2, [1_000, 1_000]]);
  });

  it('fault 31: replaced, counts from the next resolution on', async (t) => {
    const { path, write } = file(t, 'nameserver 10.0.0.7');
    const { resolve, asked } = world(() => ['10.1.0.1'], { servers: null, resolvConf: path });
    await resolve();
    write('nameserver 10.0.0.88');
    await resolve();
    assert.deepEqual(asked(), [`7 udp A ${NAME}`, `88 udp A ${NAME}`]);
  });

  it('with `rotate` has the servers take turns', async (t) => {
    const { path } = file(t, 'nameserver 10.0.0.7\nnameserver 10.0.0.8\noptions rotate');
    const { resolve, asked } = world(() => ['10.1.0.1'], { servers: null, resolvConf: path });
    for (let count = 0; count < 3; count++) await resolve();
    assert.deepEqual(
      asked(),
      [7, 8, 7].map((server) => `${server} udp A ${NAME}`),
    );
  });
});
