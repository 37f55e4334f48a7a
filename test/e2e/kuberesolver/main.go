// A grpc-go client that finds its pods by kuberesolver's watch of EndpointSlices, and balances by round_robin.
//
//	kuberesolver TARGET API_URL CA_FILE TOKEN_FILE
//
// calls without a pause, some calls at a time. It prints a line for the first answer of each pod, "POD EPOCH_MS", and at
// SIGTERM "CALLS n FAILED n".
//
//	kuberesolver -rate 25 -deadline 5s TARGET API_URL
//
// prints "READY" when it is connected, begins to call at its rate when it reads a line, whether or not earlier calls have
// ended, and stops at the end of its input. It prints a line for each call: "CALL DUE ENDED CODE POD", with times in
// microseconds of CLOCK_MONOTONIC, the number of the gRPC status, and "-" for a call that no pod answered.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sercand/kuberesolver/v6"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const (
	workers = 6
	pause   = 20 * time.Millisecond
)

var (
	rate     = flag.Float64("rate", 0, "calls a second; 0: without a pause")
	deadline = flag.Duration("deadline", 20*time.Second, "of each call")
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

func main() {
	flag.Parse()
	connection, err := grpc.NewClient(flag.Arg(0),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithResolvers(kuberesolver.NewBuilder(access(), "kubernetes")),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(octets{})))
	check(err)
	if *rate > 0 {
		callAtRate(connection)
	} else {
		callWithoutPause(connection)
	}
}

// access is the API server of the arguments: with the files of its CA and of a token, or by plain HTTP.
func access() kuberesolver.K8sClient {
	host := flag.Arg(1)
	if flag.NArg() == 2 {
		return kuberesolver.NewInsecureK8sClient(host)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(read(flag.Arg(2)))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	return &api{host: host, token: string(read(flag.Arg(3))), client: &http.Client{Transport: transport}}
}

// hi makes one call, and returns the name of the pod that answered.
func hi(connection *grpc.ClientConn) (string, error) {
	request := append([]byte{0x0a, 3}, "pod\x12\x02hi"...)
	var response []byte
	within, cancel := context.WithTimeout(context.Background(), *deadline)
	defer cancel()
	if err := connection.Invoke(within, "/hello.Hello/Hi", &request, &response); err != nil {
		return "", err
	}
	if len(response) < 2 || response[0] != 0x0a || int(response[1]) > len(response)-2 {
		return "", errors.New("a response without the name of a pod")
	}
	return string(response[2 : 2+int(response[1])]), nil
}

func callWithoutPause(connection *grpc.ClientConn) {
	var calls, failed atomic.Int64
	var seen sync.Map
	stopping, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var ended sync.WaitGroup
	for range workers {
		ended.Add(1)
		go func() {
			defer ended.Done()
			for stopping.Err() == nil {
				pod, err := hi(connection)
				calls.Add(1)
				if err != nil {
					failed.Add(1)
					fmt.Fprintln(os.Stderr, err)
				} else if _, known := seen.LoadOrStore(pod, true); !known {
					fmt.Printf("%s %d\n", pod, time.Now().UnixMilli())
				}
				time.Sleep(pause)
			}
		}()
	}
	ended.Wait()
	fmt.Printf("CALLS %d FAILED %d\n", calls.Load(), failed.Load())
}

func callAtRate(connection *grpc.ClientConn) {
	stopping, stop := context.WithCancel(context.Background())
	begin := make(chan struct{}, 1)
	go func() {
		// The input ends with the parent too.
		defer stop()
		for input := bufio.NewScanner(os.Stdin); input.Scan(); {
			select {
			case begin <- struct{}{}:
			default:
			}
		}
	}()
	connection.Connect()
	for state := connection.GetState(); state != connectivity.Ready; state = connection.GetState() {
		if !connection.WaitForStateChange(stopping, state) {
			return
		}
	}
	fmt.Println("READY")
	select {
	case <-begin:
	case <-stopping.Done():
		return
	}
	beganAt, began := monotonic(), time.Now()
	gap := time.Duration(float64(time.Second) / *rate)
	var ended sync.WaitGroup
	defer ended.Wait()
	for due := time.Duration(0); ; due += gap {
		select {
		case <-time.After(due - time.Since(began)):
		case <-stopping.Done():
			return
		}
		ended.Add(1)
		go func() {
			defer ended.Done()
			pod, err := hi(connection)
			endedAt := beganAt + time.Since(began)
			if err != nil {
				pod = "-"
			}
			// Each line is one write.
			fmt.Printf("CALL %d %d %d %s\n", (beganAt + due).Microseconds(), endedAt.Microseconds(), status.Code(err), pod)
		}()
	}
}

// monotonic is what Node.js shows as process.hrtime().
func monotonic() time.Duration {
	var now unix.Timespec
	check(unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	return time.Duration(now.Nano())
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
