/** What `grpc-headless doctor --help` prints. */
export const HELP = `Says why a client does not find or reach its pods

Usage: npx grpc-headless doctor <name:port> [options]

Run it where it does not work: in the client's pod, with the target as the client
has it. It asks DNS and connects to each pod as the client would. It sends no call
of yours, and needs no rights at the Kubernetes API.

  kubectl exec -it deploy/my-client -- npx grpc-headless doctor hello.shop:50051
  npx grpc-headless doctor hello.shop:50051 --tls --ca /etc/tls/ca.pem
  npx grpc-headless doctor _grpc._tcp.hello.shop          the port from SRV records
  npx grpc-headless doctor hello.shop:50051 --json | jq '.findings[].id'

What it looks at, in this order:
  1. resolv.conf; each nameserver, over UDP and TCP, for each name of the search list
  2. whether the name is that of a headless Service, or what was meant by it
  3. caches in front of DNS, and how old the news of pods may be
  4. each pod: TCP, TLS and its name, HTTP/2, health, reflection, idle connections
  5. the environment: proxies, copies of @grpc/grpc-js

Options:
  --resolv-conf FILE  the file to read                        /etc/resolv.conf
  --server IP[:PORT]  ask this nameserver; may be repeated    those of the file
  --tls               connect by TLS, and check the name
  --ca FILE           the authorities to trust, PEM           those of Node.js
  --timeout MS        for one DNS query; twice that for a pod 1000
  --idle SECONDS      how long to watch idle connections      2
  --interval TIME     the client's refresh.intervalMs; 5000   5s
                      (milliseconds), 500ms or 2m
  --pods N            connect to this many pods at most       100
  --json              print facts and findings as JSON (docs/doctor.md)
  --help              this text

Findings come in the order of their weight:
  error    calls fail, or all of them go to one pod
  warning  calls may fail, or will after a change
  note     it costs something, or may surprise
Each has its remedy, and the place to read more: docs/troubleshooting.md.

It takes about 3 seconds, and less than 10 where a nameserver or a pod is silent.

Exit codes: 0 no finding, 1 findings, 2 it could not run.
`;
