/** What `grpc-headless watch --help` prints. */
export const HELP = `Shows the pods of a headless Service live.

Usage: grpc-headless watch [options] <name:port>

Shows the Service as a client with this library sees it: asks DNS, opens one connection to each pod,
and shows the pods with their states and ages, the DNS answers with their TTLs, and what is known of
a DNS cache in front. It makes no call unless --calls or --health is given. In a terminal the view
is drawn in place; in a pipe or a file there is one line for each change.

  <name:port>          as in your client: "hello.shop.svc.cluster.local:50051",
                       "headless://10.96.0.10/hello.shop:50051" to name a DNS server, or
                       "_grpc._tcp.hello.shop" where SRV records tell the port

What to watch:
  --interval TIME      between two DNS queries: 5s (the default), 500ms, 1m; a number without a unit
                       means milliseconds
  --server IP[:PORT]   ask this DNS server in place of resolv.conf's; may be repeated
  --resolv-conf FILE   read this file in place of /etc/resolv.conf
  --tls                connect with TLS; certificates are checked against the name of the target
  --ca FILE            with --tls: trust the certificate authorities in this PEM file
  --calls NUMBER       make so many calls a second (grpc.health.v1.Health/Check), balanced over the
                       pods, and show how many each pod gets, has in flight and fails
  --health [SERVICE]   ask each pod whether it serves (grpc.health.v1.Health/Watch): the server as a
                       whole, or one gRPC service such as shop.Hello; show who does not
  --outlier            with --calls: eject pods whose calls fail; show which, why and for how long
  --dns-only           ask DNS, and open no connection to any pod

How to show it:
  --web [PORT]         also serve a page with a time line, at http://127.0.0.1:8053/ or on PORT (0:
                       any free one). Only this computer can open it; for a pod's page use
                       \`kubectl port-forward POD 8053\`
  --once               print the state when the pods are connected, or after 5 seconds, and end;
                       with --changes or --json, the plain lines until then
  --duration TIME      end after this time
  --changes            plain lines: leave out DNS answers that changed nothing
  --json               plain lines, each a JSON object: time, about, address, text, tone
  -h, --help           print this text

There are no colours where NO_COLOR is set or TERM is "dumb".

Examples:

  $ grpc-headless watch hello.shop.svc.cluster.local:50051
  hello.shop.svc.cluster.local:50051                                     READY  2 of 3 pods ready
  DNS    NOERROR · 3 addresses · TTL 30 s · answered 2 s ago · next query in 4 s
  asked  hello.shop.svc.cluster.local · at 10.96.0.10:53 · over udp
  cache  present, full TTL 30 s · entries expire in 4 s, 11 s, 19 s, 26 s

  POD             STATE         FOR           LAST 36 s                        now
  10.1.0.4:50051  ● ready       12 min 5 s    ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
  10.1.0.7:50051  ● ready       14 s                               ╌━━━━━━━━━━━━━━
  10.1.0.8:50051  ✗ backoff     3 s                                            xxx
  DNS answers                                 ·      ·      ·      ▲      ·    ▲

  $ grpc-headless watch --changes hello.shop.svc.cluster.local:50051 | tee pods.log
  2026-05-04T10:20:31.482Z dns     answer: 3 addresses (+1), TTL 30 s, from 10.96.0.10:53 over udp
  2026-05-04T10:20:31.484Z pod     10.1.0.8:50051 added: connecting
  2026-05-04T10:20:31.502Z pod     10.1.0.8:50051 ready after 18 ms

Exit codes:
  0  it ended by --once or --duration with a pod READY (with --dns-only: with an address in DNS),
     or you ended it with Ctrl-C
  1  it ended by --once or --duration with none
  2  it could not run
`;
