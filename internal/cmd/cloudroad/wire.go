package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/lambdaio/front"
)

// wires stand between the functions and the stores, two for each function, so that it is known who asks. As IAM does, they
// refuse what a function's policies do not allow. What is asked for is written to the notes, each thing once, in lines of
// a word, the function, the action, the resource and, where a policy names keys, the pattern of the partition key:
//
//	may     what the policies allow, at the start
//	used    a right that was asked for
//	denied  what was refused, or could not be understood
//
// While the file of -faults is there, calls go wrong at random.
type wires struct {
	rights  map[string][]front.Right // by function
	faults  *faultFile
	proxies []*cloudtest.Proxy

	mu    sync.Mutex
	notes io.Writer
	noted map[string]bool
	err   error // of writing notes
}

func newWires(rights map[string][]front.Right, notes io.Writer, faults *faultFile) *wires {
	w := &wires{rights: rights, notes: notes, faults: faults, noted: make(map[string]bool)}
	for function, all := range rights {
		for _, right := range all {
			w.note("may", function, right.String())
		}
	}
	return w
}

// open makes the wires of one function and returns the settings by which it takes them.
func (w *wires) open(function string, servers *cloudtest.Servers) (map[string]string, error) {
	settings := make(map[string]string)
	for name, target := range map[string]string{cloudtest.EndpointDynamoDB: servers.DynamoDB, cloudtest.EndpointS3: servers.S3} {
		proxy, err := cloudtest.OpenProxy(target, func(r *http.Request, body []byte) cloudtest.Fault {
			if !w.allowed(function, r, body) {
				return denial(r)
			}
			return unlisted(w.faults.choose(function, r, body))
		})
		if err != nil {
			return nil, err
		}
		w.proxies = append(w.proxies, proxy)
		settings[name] = proxy.URL
	}
	return settings, nil
}

// allowed reports whether a function may make a request, and notes what it asks for.
func (w *wires) allowed(function string, r *http.Request, body []byte) bool {
	calls, err := cloudtest.CallsOf(r, body)
	if err != nil {
		w.note("denied", function, r.Method+" "+err.Error())
		return false
	}
	all := true
	for _, call := range calls {
		covering := slices.DeleteFunc(slices.Clone(w.rights[function]), func(right front.Right) bool {
			return !right.Covers(call.Action, call.Resource, call.Key)
		})
		for _, right := range covering {
			w.note("used", function, right.String())
		}
		if len(covering) == 0 {
			w.note("denied", function, call.Action+" "+call.Resource+" "+call.Key)
			all = false
		}
	}
	return all
}

// denial is what AWS answers to whoever may not ask.
func denial(r *http.Request) cloudtest.Fault {
	if r.Header.Get("X-Amz-Target") != "" {
		return cloudtest.DynamoDBError(http.StatusBadRequest, "AccessDeniedException")
	}
	return cloudtest.S3Error(http.StatusForbidden, "AccessDenied")
}

// unlisted calls denied what is not there, as S3 does to whoever may not list the bucket: no function may. DynamoDB answers
// nothing by 404. Source: Amazon S3 API reference, GetObject.
func unlisted(then cloudtest.Fault) cloudtest.Fault {
	return func(base http.RoundTripper, r *http.Request) (*http.Response, error) {
		send := then
		if send == nil {
			send = func(base http.RoundTripper, r *http.Request) (*http.Response, error) { return base.RoundTrip(r) }
		}
		response, err := send(base, r)
		if err != nil || response.StatusCode != http.StatusNotFound {
			return response, err
		}
		if err := response.Body.Close(); err != nil {
			return nil, err
		}
		return denial(r)(base, r)
	}
}

func (w *wires) note(word, function, what string) {
	line := fmt.Sprintf("%s %s %s\n", word, function, what)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.noted[line] {
		return
	}
	w.noted[line] = true
	_, err := io.WriteString(w.notes, line)
	w.err = errors.Join(w.err, err)
}

func (w *wires) close() error {
	w.mu.Lock()
	errs := []error{w.err}
	w.mu.Unlock()
	for _, proxy := range w.proxies {
		errs = append(errs, proxy.Close())
	}
	return errors.Join(errs...)
}
