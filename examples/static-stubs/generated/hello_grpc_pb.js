// Written by hand in the form of grpc-tools' output for hello.proto. `npm run generate` replaces it.

'use strict';
var grpc = require('@grpc/grpc-js');
var hello_pb = require('./hello_pb.js');

function serialize_hello_HiRequest(arg) {
  if (!(arg instanceof hello_pb.HiRequest)) {
    throw new Error('Expected argument of type hello.HiRequest');
  }
  return Buffer.from(arg.serializeBinary());
}

function deserialize_hello_HiRequest(buffer_arg) {
  return hello_pb.HiRequest.deserializeBinary(new Uint8Array(buffer_arg));
}

function serialize_hello_HiResponse(arg) {
  if (!(arg instanceof hello_pb.HiResponse)) {
    throw new Error('Expected argument of type hello.HiResponse');
  }
  return Buffer.from(arg.serializeBinary());
}

function deserialize_hello_HiResponse(buffer_arg) {
  return hello_pb.HiResponse.deserializeBinary(new Uint8Array(buffer_arg));
}


var HelloService = exports.HelloService = {
  hi: {
    path: '/hello.Hello/Hi',
    requestStream: false,
    responseStream: false,
    requestType: hello_pb.HiRequest,
    responseType: hello_pb.HiResponse,
    requestSerialize: serialize_hello_HiRequest,
    requestDeserialize: deserialize_hello_HiRequest,
    responseSerialize: serialize_hello_HiResponse,
    responseDeserialize: deserialize_hello_HiResponse,
  },
};

exports.HelloClient = grpc.makeGenericClientConstructor(HelloService, 'Hello');
