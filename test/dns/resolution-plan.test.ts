import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { covers } from '../faults/covers.js';
import { NAME, NXDOMAIN, ONE, resolverFixture } from '../support/fake-network.js';

describe('resolv.conf', () => {
  function file(t: TestContext, text: string): { path: string; write(text: string): void } {
    const directory = mkdtempSync(join(tmpdir(), 'dns-resolver-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'resolv.conf');
    writeFileSync(path, text);
    return { path, write: (changed) => writeFileSync(path, changed) };
  }

  it('is used where the options are not set', async (t) => {
    const { path } = file(t, 'nameserver 10.0.0.7\nsearch a\noptions ndots:2 timeout:3 attempts:1\n');
    const { resolve, takeQueries, timeouts } = resolverFixture(() => NXDOMAIN, {
      hostname: 'svc.ns',
      absolute: false,
      servers: null,
      resolvConf: path,
    });
    await resolve();
    assert.deepEqual(takeQueries(), ['7 udp A svc.ns.a', '7 udp A svc.ns']);
    assert.deepEqual(timeouts, [3_000, 3_000]);
  });

  it('is overridden by options, one by one: its search list is used beside the option `servers`', async (t) => {
    const { path } = file(t, 'nameserver 10.0.0.7\nsearch a\noptions ndots:2 timeout:3 attempts:4\n');
    const settings = { absolute: false, hostname: 'svc', servers: [ONE], resolvConf: path, timeoutMs: 50, attempts: 1 };
    const { resolve, takeQueries, timeouts } = resolverFixture(() => NXDOMAIN, settings);
    await resolve();
    assert.deepEqual(
      [takeQueries(), timeouts],
      [
        ['1 udp A svc.a', '1 udp A svc'],
        [50, 50],
      ],
    );
  });

  it('stands for the defaults when it is missing: 127.0.0.1, 1000 ms, two rounds', async () => {
    const { resolve, takeQueries, timeouts } = resolverFixture(() => 'timeout', { servers: null });
    await resolve();
    assert.deepEqual([takeQueries().length, timeouts], [2, [1_000, 1_000]]);
  });

  it('is used from the next resolution on when it is replaced', covers(31), async (t) => {
    const { path, write } = file(t, 'nameserver 10.0.0.7');
    const { resolve, takeQueries } = resolverFixture(() => ['10.1.0.1'], { servers: null, resolvConf: path });
    await resolve();
    write('nameserver 10.0.0.88');
    await resolve();
    assert.deepEqual(takeQueries(), [`7 udp A ${NAME}`, `88 udp A ${NAME}`]);
  });

  it('makes the servers take turns if it has `rotate`', async (t) => {
    const { path } = file(t, 'nameserver 10.0.0.7\nnameserver 10.0.0.8\noptions rotate');
    const { resolve, takeQueries } = resolverFixture(() => ['10.1.0.1'], { servers: null, resolvConf: path });
    for (let count = 0; count < 3; count++) await resolve();
    assert.deepEqual(
      takeQueries(),
      [7, 8, 7].map((server) => `${server} udp A ${NAME}`),
    );
  });
});
