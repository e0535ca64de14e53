package local

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var served traffic
		expect := func(when string, want bool) {
			t.Helper()
			if got := served.busy(); got != want {
				t.Errorf("%s: busy is %t", when, got)
			}
		}
		expect("before any request", false)
		h := served.through(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			time.Sleep(time.Minute)
			expect("in a request", true)
			panic(http.ErrAbortHandler)
		}))
		func() {
			defer func() { recover() }()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		}()
		expect("right after a request", true)
		time.Sleep(lull)
		expect("when nobody came for a while", false)
	})
}
