// A grpc-go client that finds its pods by kuberesolver's watch of EndpointSlices, and calls them without a pause. It prints
// a line for the first answer of each pod, "POD EPOCH_MS", and at SIGTERM "CALLS n FAILED n".
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sercand/kuberesolver/v6"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	workers  = 6
	pause    = 20 * time.Millisecond
	deadline = 20 * time.Second
)

// api is the API server, with the token of a ServiceAccount. kuberesolver's own client reads both from fixed paths.
type api struct {
	host, token string
	client      *http.Client
}

func (a *api) Do(request *http.Request) (*http.Response, error) { return a.client.Do(request) }
func (a *api) Host() string                                     { return a.host }
func (a *api) GetRequest(url string) (*http.Request, error) {
	if len(url) < len(a.host) || url[:len(a.host)] != a.host {
		url = a.host + "/" + url
	}
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err == nil {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	return request, err
}

// octets takes messages as they are on the wire, so that no generated code is needed.
type octets struct{}

func (octets) Name() string                  { return "proto" }
func (octets) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (octets) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

// main takes the target, the URL of the API server, and the files of its CA and of the token.
func main() {
	target, host := os.Args[1], os.Args[2]
	ca, token := read(os.Args[3]), read(os.Args[4])
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	access := &api{host: host, token: string(token), client: &http.Client{Transport: transport}}
	connection, err := grpc.NewClient(target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithResolvers(kuberesolver.NewBuilder(access, "kubernetes")),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(octets{})))
	check(err)

	var calls, failed atomic.Int64
	var seen sync.Map
	stopping, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	for range workers {
		ended.Add(1)
		go func() {
			defer ended.Done()
			for stopping.Err() == nil {
				request := append([]byte{0x0a, 3}, "pod\x12\x02hi"...)
				var response []byte
				within, cancel := context.WithTimeout(context.Background(), deadline)
				err := connection.Invoke(within, "/hello.Hello/Hi", &request, &response)
				cancel()
				calls.Add(1)
				if err != nil {
					failed.Add(1)
					fmt.Fprintln(os.Stderr, err)
				} else if len(response) > 2 && response[0] == 0x0a && int(response[1]) <= len(response)-2 {
					pod := string(response[2 : 2+int(response[1])])
					if _, known := seen.LoadOrStore(pod, true); !known {
						fmt.Printf("%s %d\n", pod, time.Now().UnixMilli())
					}
				}
				time.Sleep(pause)
			}
		}()
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	<-signals
	stop()
	ended.Wait()
	fmt.Printf("CALLS %d FAILED %d\n", calls.Load(), failed.Load())
}

func read(file string) []byte {
	data, err := os.ReadFile(file)
	check(err)
	return data
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
