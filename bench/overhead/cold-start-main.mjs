// One cold start, in plain JavaScript and with the published files, as a user has them: loads a package and makes one call.
//
//     node cold-start-main.mjs PACKAGE TARGET [DNS-SERVER]
//
// Prints the milliseconds of both, as JSON. With a DNS server the client is made by the factory, else by its constructor.
const [name, target, server] = process.argv.slice(2);

const startedAt = performance.now();
const loaded = await import(name);
const importMs = performance.now() - startedAt;

const { Client, credentials } = await import('@grpc/grpc-js');
const same = (octets) => octets;

const calledAt = performance.now();
const insecure = credentials.createInsecure();
const client =
  server === undefined
    ? new Client(target, insecure)
    : loaded.createHeadlessClient(Client, target, insecure, { headless: { dns: { servers: [server] } } });
await new Promise((resolve, reject) => {
  const options = { deadline: Date.now() + 10_000 };
  const done = (error) => (error ? reject(error) : resolve());
  client.makeUnaryRequest('/hello.Hello/Hi', same, same, Buffer.alloc(0), options, done);
});
const firstCallMs = performance.now() - calledAt;
client.close();
console.log(JSON.stringify({ importMs, firstCallMs }));
process.exit(0);
