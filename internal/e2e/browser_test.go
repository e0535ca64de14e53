package e2e

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browserPrograms are the names under which systems have Chromium.
var browserPrograms = []string{"chromium", "chromium-browser", "google-chrome"}

// browserFlags start Chromium without a window, a sandbox (which a container cannot give) and anything that it would
// ask the internet for by itself. chromedp gives each browser a profile of its own and removes it.
var browserFlags = []chromedp.ExecAllocatorOption{
	chromedp.Headless,
	chromedp.NoSandbox,
	chromedp.DisableGPU,
	chromedp.NoFirstRun,
	chromedp.NoDefaultBrowserCheck,
	chromedp.Flag("disable-quic", true),
	chromedp.Flag("disable-background-networking", true),
	chromedp.Flag("disable-component-update", true),
	chromedp.Flag("disable-sync", true),
	chromedp.Flag("disable-dev-shm-usage", true),
}

// browserTimeout bounds one test in a browser, its start included.
const browserTimeout = 10 * time.Minute

// openBrowser starts a browser that ends with the test. Where there is none ok is false: see doWithout.
func openBrowser(t *testing.T) (ctx context.Context, ok bool) {
	t.Helper()
	var program string
	for _, name := range browserPrograms {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		doWithout(t, "a browser", "there is no "+browserPrograms[0])
		return nil, false
	}
	ctx, cancel := context.WithTimeout(t.Context(), browserTimeout)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(browserFlags[:len(browserFlags):len(browserFlags)], chromedp.ExecPath(program))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start browser: %v", err)
	}
	return ctx, true
}

// tab is a page of the browser with storage of its own, and what was heard of it.
type tab struct {
	ctx context.Context

	mu         sync.Mutex
	troubles   []string // script errors and errors on the console
	cookies    []string // Set-Cookie headers
	preflights int      // CORS preflight requests
}

// openTab opens a tab that is closed with the test.
func openTab(t *testing.T, browser context.Context) *tab {
	t.Helper()
	page := &tab{}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(page.hear))
	t.Cleanup(cancel)
	page.ctx = ctx
	must(t, page, command(network.Enable, network.EnableParams{}))
	must(t, page, command(log.Enable, cdp.Empty{}))
	return page
}

// command makes an action of a command of the browser's protocol.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[R] {
	return func(ctx context.Context, target *chromedp.Target) (R, error) { return cdp.Call(ctx, target, c, params) }
}

// must lets a tab act; what fails ends the test.
func must[T any](t *testing.T, page *tab, action chromedp.Action[T]) T {
	t.Helper()
	got, err := chromedp.Run(page.ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// hear notes an event.
func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.troubles = append(p.troubles, "script error: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			p.troubles = append(p.troubles, "a call to console."+string(e.Type))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			p.troubles = append(p.troubles, e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if e.Request.Method == http.MethodOptions {
			p.preflights++
		}
	case *network.EventResponseReceivedExtraInfo:
		for name, value := range e.Headers {
			if strings.EqualFold(name, "Set-Cookie") {
				p.cookies = append(p.cookies, fmt.Sprint(value))
			}
		}
	}
}

// heard returns what was noted so far.
func (p *tab) heard() (troubles, cookies []string, preflights int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.troubles, p.cookies, p.preflights
}

// origin serves pages from an origin that is not the LRS's, as a course's host does. The pages are bodies by path.
func origin(t *testing.T, pages map[string]string) *httptest.Server {
	t.Helper()
	pages = maps.Clone(pages)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return server
}
