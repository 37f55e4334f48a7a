// The real grpc-gateway in front of the pods that are named on the command line, with its default settings, and once more
// with the metadata headers of earlier releases. It prints the addresses of both as a line of JSON, and ends with its
// standard input.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	"grpc-headless.test/gateway/echo"
)

func main() {
	pods := manual.NewBuilderWithScheme("pods")
	var state resolver.State
	for _, address := range os.Args[1:] {
		state.Addresses = append(state.Addresses, resolver.Address{Addr: address})
	}
	pods.InitialState(state)
	conn, err := grpc.NewClient("pods:///echo",
		grpc.WithResolvers(pods),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}]}`))
	if err != nil {
		log.Fatal(err)
	}
	addresses := map[string]string{
		"default": serve(conn, runtime.NewServeMux()),
		"legacy":  serve(conn, runtime.NewServeMux(runtime.WithLegacyHeaderMatching())),
	}
	if err := json.NewEncoder(os.Stdout).Encode(addresses); err != nil {
		log.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// serve returns the address that it listens on.
func serve(conn *grpc.ClientConn, mux *runtime.ServeMux) string {
	if err := echo.RegisterEchoHandler(context.Background(), mux, conn); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(listener, mux)) }()
	return listener.Addr().String()
}
