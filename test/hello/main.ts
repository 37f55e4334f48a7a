/**
 * Compiles the .proto files that a gateway reads at run time, and generates the Go code of the real grpc-gateway: after a
 * change of a .proto file, run
 *
 *     npm run generate:gateway
 *
 * It needs Go and npm's registry: buf compiles them, and the generators are those that `test/e2e/gateway/go/go.mod` pins.
 */
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BUF = '@bufbuild/buf@1.75.0';
const HELLO = 'examples/hello/proto';
const ECHO = 'test/e2e/gateway/proto';
const GO = 'test/e2e/gateway/go';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Both folders are roots of imports. */
const WORKSPACE = JSON.stringify({ version: 'v2', modules: [{ path: HELLO }, { path: ECHO }] });

function buf(...args: string[]): void {
  execFileSync('npm', ['exec', '--yes', '--package', BUF, '--', 'buf', ...args, '--config', WORKSPACE], {
    cwd: root,
    stdio: 'inherit',
  });
}

function compile(file: string, output: string): void {
  buf('build', '.', '--path', file, '--as-file-descriptor-set', '--exclude-source-info', '-o', output);
}

function generator(pkg: string) {
  return {
    local: ['go', '-C', GO, 'run', pkg],
    out: GO,
    opt: 'module=grpc-headless.test/gateway',
  };
}

compile(`${HELLO}/hello.proto`, 'examples/hello/hello.binpb');
compile(`${ECHO}/echo.proto`, 'test/e2e/gateway/echo.binpb');
const plugins = [
  generator('google.golang.org/protobuf/cmd/protoc-gen-go'),
  generator('google.golang.org/grpc/cmd/protoc-gen-go-grpc'),
  generator('github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-grpc-gateway'),
];
buf('generate', '.', '--path', `${ECHO}/echo.proto`, '--template', JSON.stringify({ version: 'v2', plugins }));
