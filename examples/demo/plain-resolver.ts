/**
 * Side effect: lets grpc-js ask the DNS server that a `dns://server/name` target names. Without this it asks the
 * operating system's resolver instead, which cannot be pointed at a port on loopback. When it asks is the same in
 * either case. grpc-js reads the variable as it loads, so this must be imported before it.
 */
process.env.GRPC_NODE_USE_ALTERNATIVE_RESOLVER = 'true';
