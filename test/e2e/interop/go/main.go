// The interop servers of grpc-go: one on each address ("ip:port") of the command line. `google.golang.org/grpc/interop/server`
// listens on all addresses of the machine, so this registers the same service on a listener for each. Each server also
// has grpc-go's health service, and the two features of the descriptions that grpc-go's service lacks (package compression).
//
//	interop -descriptors             prints the definitions of the service: a google.protobuf.FileDescriptorSet
//	interop [-cert F -key F] A B C   prints a line when all listen; when its standard input ends, it ends as soon as all
//	                                 clients have closed their connections
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"grpc-headless.test/interop/compression"
)

func main() {
	descriptors := flag.Bool("descriptors", false, "print the definitions of the service, and end")
	cert := flag.String("cert", "", "the file of the certificate, in PEM; without it the servers use no TLS")
	key := flag.String("key", "", "the file of the certificate's key, in PEM")
	flag.Parse()
	if *descriptors {
		printDescriptors()
		return
	}
	options := compression.ServerOptions()
	if *cert != "" {
		creds, err := credentials.NewServerTLSFromFile(*cert, *key)
		if err != nil {
			log.Fatal(err)
		}
		options = append(options, grpc.Creds(creds))
	}
	var servers []*grpc.Server
	for _, address := range flag.Args() {
		servers = append(servers, serve(address, options))
	}
	fmt.Println("listening")
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, server := range servers {
		server.GracefulStop()
	}
}

func serve(address string, options []grpc.ServerOption) *grpc.Server {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(options...)
	testgrpc.RegisterTestServiceServer(server, interop.NewTestServer())
	healthgrpc.RegisterHealthServer(server, health.NewServer())
	go func() {
		if err := server.Serve(listener); err != nil {
			log.Fatal(err)
		}
	}()
	return server
}

func printDescriptors() {
	set := &descriptorpb.FileDescriptorSet{}
	addFile(set, testgrpc.File_grpc_testing_test_proto)
	bytes, err := proto.Marshal(set)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := os.Stdout.Write(bytes); err != nil {
		log.Fatal(err)
	}
}

// addFile adds a file after the files that it imports.
func addFile(set *descriptorpb.FileDescriptorSet, file protoreflect.FileDescriptor) {
	imports := file.Imports()
	for i := range imports.Len() {
		addFile(set, imports.Get(i).FileDescriptor)
	}
	for _, added := range set.File {
		if added.GetName() == file.Path() {
			return
		}
	}
	set.File = append(set.File, protodesc.ToFileDescriptorProto(file))
}
