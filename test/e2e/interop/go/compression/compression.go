// Package compression adds to a server of the interop test service the features CompressedRequest and CompressedResponse
// of gRPC's interop test descriptions. It also registers gzip.
package compression

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// ServerOptions are the options of a server that has both features.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.StatsHandler(observer{}),
		grpc.UnaryInterceptor(unary),
		grpc.StreamInterceptor(stream),
	}
}

func unary(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if request, ok := in.(*testpb.SimpleRequest); ok {
		if err := checkRequest(ctx, request.GetExpectCompressed()); err != nil {
			return nil, err
		}
		if wanted := request.GetResponseCompressed(); wanted != nil {
			if err := grpc.SetSendCompressor(ctx, compressor(wanted)); err != nil {
				return nil, err
			}
		}
	}
	return handler(ctx, in)
}

func stream(service any, inner grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return handler(service, &compressingStream{ServerStream: inner})
}

// compressingStream compresses the responses for which the request asks it.
type compressingStream struct {
	grpc.ServerStream
	mu sync.Mutex
	// Of the responses that are still to be sent, in their order.
	wanted []*testpb.BoolValue
}

func (s *compressingStream) RecvMsg(message any) error {
	if err := s.ServerStream.RecvMsg(message); err != nil {
		return err
	}
	switch request := message.(type) {
	case *testpb.StreamingInputCallRequest:
		return checkRequest(s.Context(), request.GetExpectCompressed())
	case *testpb.StreamingOutputCallRequest:
		return s.expect(request.GetResponseParameters())
	}
	return nil
}

func (s *compressingStream) expect(responses []*testpb.ResponseParameters) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, response := range responses {
		s.wanted = append(s.wanted, response.GetCompressed())
		if response.GetCompressed().GetValue() {
			// Names the encoding in the headers, which go out with the first response.
			if err := grpc.SetSendCompressor(s.Context(), gzip.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *compressingStream) SendMsg(message any) error {
	wanted := s.next()
	if wanted == nil || wanted.GetValue() {
		return s.ServerStream.SendMsg(message)
	}
	// A prepared message is encoded as the stream began: without compression, where the requests have none.
	prepared := &grpc.PreparedMsg{}
	if err := prepared.Encode(s.ServerStream, message); err != nil {
		return err
	}
	return s.ServerStream.SendMsg(prepared)
}

func (s *compressingStream) next() *testpb.BoolValue {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.wanted) == 0 {
		return nil
	}
	next := s.wanted[0]
	s.wanted = s.wanted[1:]
	return next
}

func compressor(wanted *testpb.BoolValue) string {
	if wanted.GetValue() {
		return gzip.Name
	}
	return "identity"
}

// checkRequest compares what the last message of the call says with how it arrived.
func checkRequest(ctx context.Context, expected *testpb.BoolValue) error {
	if expected == nil || expected.GetValue() == callOf(ctx).compressed {
		return nil
	}
	return status.Errorf(codes.InvalidArgument, "expect_compressed is %v, but the message was not sent so", expected.GetValue())
}

// call is what is observed of one call. gRPC reads its messages one after the other, so it needs no lock.
type call struct {
	// Whether the last message arrived compressed.
	compressed bool
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	return ctx.Value(callKey{}).(*call)
}

// observer records whether messages arrive compressed: a handler is given them decompressed.
type observer struct{}

func (observer) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, callKey{}, &call{})
}

func (observer) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if payload, ok := event.(*stats.InPayload); ok {
		callOf(ctx).compressed = payload.CompressedLength != payload.Length
	}
}

func (observer) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (observer) HandleConn(context.Context, stats.ConnStats) {}
