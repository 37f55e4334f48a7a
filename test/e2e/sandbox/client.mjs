// The program in the sandbox. It tells what it sees, a line of JSON at a time, and ends by itself.
//   client.mjs <folder> <pods expected> <more options for `headless`, as JSON>
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { createHeadlessClient } from 'grpc-headless';

const [folder, expected, headless] = process.argv.slice(2);
const tell = (line) => console.log(JSON.stringify(line));

function codeOf(action) {
  try {
    action();
    return 'allowed';
  } catch (error) {
    return error.code;
  }
}

tell({
  uid: process.getuid(),
  otherFile: codeOf(() => readFileSync('/etc/passwd')),
  writing: codeOf(() => writeFileSync(`${folder}/file`, '')),
  child: codeOf(() => spawnSync('true')),
});

const { hello } = loadPackageDefinition(loadSync(`${folder}/hello.proto`, { keepCase: true, defaults: true }));
const client = createHeadlessClient(hello.Hello, 'hello.shop:50051', credentials.createInsecure(), {
  headless: { refresh: { intervalMs: 500, minIntervalMs: 200 }, ...JSON.parse(headless) },
});
const channel = client.getChannel();

const callPod = () =>
  new Promise((resolve, reject) => {
    const request = { to_who: 'pod', message: 'hi' };
    client.Hi(request, { deadline: Date.now() + 5_000 }, (error, response) =>
      error ? reject(error) : resolve(response.from_who),
    );
  });

try {
  await channel.ready({ timeoutMs: 4_000 });
  const seen = new Set();
  tell({ ready: true });
  const deadline = performance.now() + 30_000;
  while (seen.size < Number(expected) && performance.now() < deadline) seen.add(await callPod());
  const { dns } = channel.snapshot();
  tell({ pods: [...seen].sort(), name: dns.name, server: dns.server, transport: dns.transport });
} catch (error) {
  tell({ code: error.code, message: error.message });
}
channel.close();
