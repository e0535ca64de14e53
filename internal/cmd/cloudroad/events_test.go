package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/lambdaio/front"
)

// statuses are those of the sample events that are not answered with 2xx.
var statuses = map[string]int{"statements-get-repeated-key": 400}

// TestEveryEventThroughItsBinary invokes each function, as built, with each of its sample events, as `sam local invoke`
// would in a container: what events/ shows to developers is what the functions take.
func TestEveryEventThroughItsBinary(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	st, err := deploy(t.Context(), servers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.undo(); err != nil {
			t.Error(err)
		}
	})
	// The credential of the sample events.
	if err := st.cairn.Directory.EnsureDefault(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := st.cairn.Directory.UpsertDefault(t.Context(), "sample-key", "sample-secret"); err != nil {
		t.Fatal(err)
	}
	gateway, err := st.front(t.Context(), settings{concurrency: 1, indexLag: 1e9, clockSkew: 1e9}, func(front.Line) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := gateway.Close(); err != nil {
			t.Error(err)
		}
	})
	invoked := map[string]int{}
	for _, file := range sampleEvents(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) { invoked[invokeWith(t, st, gateway, file, name)]++ })
	}
	for _, function := range st.functions {
		if function != "FallbackFunction" && invoked[function] == 0 { // it serves what the others do
			t.Errorf("%s has no sample event", function)
		}
	}
	t.Logf("functions invoked with their sample events: %d", len(invoked))
}

// sampleEvents lists the events, those that store something first.
func sampleEvents(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../../events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d events: %v", len(files), err)
	}
	reads := func(file string) int {
		if strings.Contains(file, "-get") || strings.Contains(file, "-head") {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(files, func(a, b string) int { return cmp.Compare(reads(a), reads(b)) })
	return files
}

// invokeWith hands an event to the function that its name begins with, and returns the function's name.
func invokeWith(t *testing.T, st *stack, gateway *front.Front, file, name string) string {
	t.Helper()
	payload, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(st.functions, func(function string) bool {
		first, _, _ := strings.Cut(name, "-")
		return folder(function) == first
	})
	if at < 0 {
		t.Fatalf("no function's folder is what the name begins with")
	}
	payload = bytes.ReplaceAll(payload, []byte("table/cairn-"), []byte("table/"+st.name+"-")) // the stack of the samples is cairn
	answer, err := gateway.Invoke(context.WithoutCancel(t.Context()), st.functions[at], payload)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		StatusCode *int  `json:"statusCode"`
		Failures   []any `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatalf("%v: %.300s", err, answer)
	}
	switch want := statuses[name]; {
	case got.StatusCode == nil: // of a stream
		if len(got.Failures) > 0 || !strings.Contains(string(answer), "batchItemFailures") {
			t.Errorf("answered %.300s", answer)
		}
	case want == 0 && (*got.StatusCode < 200 || *got.StatusCode > 299), want != 0 && *got.StatusCode != want:
		t.Errorf("answered %.500s", answer)
	}
	return st.functions[at]
}
