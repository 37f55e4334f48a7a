// package: hello
// file: hello.proto

/* tslint:disable */
/* eslint-disable */

import * as grpc from "@grpc/grpc-js";
import * as hello_pb from "./hello_pb";

interface IHelloService extends grpc.ServiceDefinition<grpc.UntypedServiceImplementation> {
    hi: IHelloService_IHi;
}

interface IHelloService_IHi extends grpc.MethodDefinition<hello_pb.HiRequest, hello_pb.HiResponse> {
    path: "/hello.Hello/Hi";
    requestStream: false;
    responseStream: false;
    requestSerialize: grpc.serialize<hello_pb.HiRequest>;
    requestDeserialize: grpc.deserialize<hello_pb.HiRequest>;
    responseSerialize: grpc.serialize<hello_pb.HiResponse>;
    responseDeserialize: grpc.deserialize<hello_pb.HiResponse>;
}

export const HelloService: IHelloService;

export interface IHelloServer extends grpc.UntypedServiceImplementation {
    hi: grpc.handleUnaryCall<hello_pb.HiRequest, hello_pb.HiResponse>;
}

export interface IHelloClient {
    hi(request: hello_pb.HiRequest, callback: (error: grpc.ServiceError | null, response: hello_pb.HiResponse) => void): grpc.ClientUnaryCall;
    hi(request: hello_pb.HiRequest, metadata: grpc.Metadata, callback: (error: grpc.ServiceError | null, response: hello_pb.HiResponse) => void): grpc.ClientUnaryCall;
    hi(request: hello_pb.HiRequest, metadata: grpc.Metadata, options: Partial<grpc.CallOptions>, callback: (error: grpc.ServiceError | null, response: hello_pb.HiResponse) => void): grpc.ClientUnaryCall;
}

export class HelloClient extends grpc.Client implements IHelloClient {
    constructor(address: string, credentials: grpc.ChannelCredentials, options?: Partial<grpc.ClientOptions>);
    public hi(request: hello_pb.HiRequest, callback: (error: grpc.ServiceError | null, response: hello_pb.HiResponse) => void): grpc.ClientUnaryCall;
    public hi(request: hello_pb.HiRequest, metadata: grpc.Metadata, callback: (error: grpc.ServiceError | null, response: hello_pb.HiResponse) => void): grpc.ClientUnaryCall;
    public hi(request: hello_pb.HiRequest, metadata: grpc.Metadata, options: Partial<grpc.CallOptions>, callback: (error: grpc.ServiceError | null, response: hello_pb.HiResponse) => void): grpc.ClientUnaryCall;
}
