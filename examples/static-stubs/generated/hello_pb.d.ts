// package: hello
// file: hello.proto

/* tslint:disable */
/* eslint-disable */

import * as jspb from "google-protobuf";

export class HiRequest extends jspb.Message { 
    getToWho(): string;
    setToWho(value: string): HiRequest;
    getMessage(): string;
    setMessage(value: string): HiRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): HiRequest.AsObject;
    static toObject(includeInstance: boolean, msg: HiRequest): HiRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: HiRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): HiRequest;
    static deserializeBinaryFromReader(message: HiRequest, reader: jspb.BinaryReader): HiRequest;
}

export namespace HiRequest {
    export type AsObject = {
        toWho: string,
        message: string,
    }
}

export class HiResponse extends jspb.Message { 
    getFromWho(): string;
    setFromWho(value: string): HiResponse;
    getMessage(): string;
    setMessage(value: string): HiResponse;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): HiResponse.AsObject;
    static toObject(includeInstance: boolean, msg: HiResponse): HiResponse.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: HiResponse, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): HiResponse;
    static deserializeBinaryFromReader(message: HiResponse, reader: jspb.BinaryReader): HiResponse;
}

export namespace HiResponse {
    export type AsObject = {
        fromWho: string,
        message: string,
    }
}
