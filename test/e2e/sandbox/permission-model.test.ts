import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { eventually } from '../../support/eventually.js';
import { leakCheck } from '../../support/leak-check.js';
import { DNS_IP } from '../../support/pods-in-namespaces.js';
import { command, missing, NETWORK_NAMESPACES } from '../netns/requirements.js';
import { PATIENT, RestrictedCluster } from '../netns/restricted-cluster.js';
import { nodeRelease } from './node-release.js';
import { runInSandbox, type SandboxRun } from './sandbox.js';
import { makeUserProject, type UserProject } from './user-project.js';

/** The newest LTS line, and the first even line whose permission model governs the network too (`--allow-net`). */
const RELEASES = ['24.21.0', '26.10.0'] as const;

const RESOLV_CONF = '--allow-fs-read=/etc/resolv.conf';

const machine = missing(...NETWORK_NAMESPACES, command('setpriv', 'util-linux'));

let project: UserProject;

before(() => {
  if (machine === false) project = makeUserProject();
});
after(() => project?.remove());

for (const version of RELEASES) {
  const release = machine === false ? nodeRelease(version) : { missing: machine };
  const skip = missing(() => ('missing' in release ? release.missing : undefined));
  const node = 'path' in release ? release.path : '';
  const name = `under the permission model of Node ${version}, as nobody, on read-only file systems`;

  test(name, { skip }, async (t) => {
    const defer = leakCheck(t);
    const net = await RestrictedCluster.start(defer, { pods: 2 });
    const network = networkPermission(node);
    const start = (permissions: readonly string[], pods: number, headless: object = {}): SandboxRun =>
      runInSandbox(defer, {
        namespace: net.names.client,
        project: project.folder,
        node,
        resolvConf: net.resolvConf,
        permissions: [`--allow-fs-read=${project.folder}/`, ...permissions],
        args: [String(pods), JSON.stringify(headless)],
      });

    await t.test('it works where the network and resolv.conf are allowed', async () => {
      const run = start([RESOLV_CONF, ...network], 5);
      await eventually(() => assert.ok(run.lines.length >= 2, run.stderr), PATIENT);
      const denied = 'ERR_ACCESS_DENIED';
      assert.deepEqual(run.lines[0], { uid: 65534, otherFile: denied, writing: denied, child: denied });
      assert.deepEqual(run.lines[1], { ready: true });
      await net.scaleUp(3);
      assert.equal(await run.ended, 0, run.stderr);
      const pods = net.pods.toSorted();
      const server = `${DNS_IP}:53`;
      assert.deepEqual(run.lines[2], { pods, name: 'hello.shop.svc.cluster.local', server, transport: 'udp' });
      assert.equal(run.stderr, '');
    });

    await t.test('without resolv.conf it asks 127.0.0.1, says so, and exits by itself', async (t) => {
      const run = start(network, 1);
      assert.equal(await run.ended, 0, run.stderr);
      const { code, message } = run.lines[1] ?? {};
      t.diagnostic(String(message));
      assert.equal(code, 'ERR_HEADLESS_NOT_READY');
      assert.match(String(message), /127\.0\.0\.1:53 .*cannot be reached/);
      assert.equal(run.stderr, '');
    });

    await t.test('without resolv.conf, servers given as an option are asked', async () => {
      const dns = { servers: [DNS_IP], search: ['svc.cluster.local'], ndots: 5 };
      const run = start(network, net.pods.length, { dns });
      assert.equal(await run.ended, 0, run.stderr);
      assert.deepEqual(run.lines[2]?.['pods'], net.pods.toSorted(), run.stderr);
    });

    if (network.length === 0) return;
    await t.test('without the network the error names the flag that allows it', async () => {
      const run = start([RESOLV_CONF], 1);
      assert.equal(await run.ended, 0, run.stderr);
      const { code, message } = run.lines[1] ?? {};
      assert.equal(code, 'ERR_HEADLESS_NOT_READY');
      assert.match(String(message), /--allow-net/);
      assert.equal(run.stderr, '');
    });
  });
}

/** What allows the network: nothing where the model does not govern it, else a flag that warns that it is new. */
function networkPermission(node: string): readonly string[] {
  const governed = execFileSync(node, ['-p', "process.allowedNodeEnvironmentFlags.has('--allow-net')"]);
  return governed.toString().trim() === 'true' ? ['--allow-net', '--disable-warning=ExperimentalWarning'] : [];
}
