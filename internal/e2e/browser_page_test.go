package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPageInABrowser opens what people see who paste the endpoint into a browser: it names the endpoint, fits the
// screen, and nothing on it fails. With -artifacts the pictures are kept, to be looked at after a change of the page.
func TestPageInABrowser(t *testing.T) {
	browser, ok := openBrowser(t)
	if !ok {
		return
	}
	server := serve(t)
	root := strings.TrimSuffix(server.Endpoint(), "/xapi")
	for _, screen := range []struct {
		name          string
		width, height int64
	}{
		{"desktop", 1280, 800},
		{"phone", 390, 800},
	} {
		for _, path := range []string{"/", "/xapi", "/xapi/"} {
			t.Run(screen.name+path, func(t *testing.T) {
				page := openTab(t, browser)
				must(t, page, chromedp.EmulateViewport(screen.width, screen.height))
				must(t, page, chromedp.Navigate(root+path))
				title := must(t, page, chromedp.Title())
				text := must(t, page, chromedp.Evaluate[string](`document.body.innerText`))
				width := must(t, page, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
				if !strings.Contains(title, "Cairn") {
					t.Errorf("the title is %q", title)
				}
				for _, want := range []string{server.Endpoint(), "curl ", "X-Experience-API-Version", "/statements", "/activities/state", "/about"} {
					if !strings.Contains(text, want) {
						t.Errorf("the page does not say %q:\n%s", want, text)
					}
				}
				if width > screen.width {
					t.Errorf("the page is %d pixels wide on a screen of %d", width, screen.width)
				}
				troubles, cookies, _ := page.heard()
				if len(troubles)+len(cookies) > 0 {
					t.Errorf("troubles %q, cookies %q", troubles, cookies)
				}
				picture := must(t, page, chromedp.FullScreenshot(100))
				if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "page.png"), picture, 0o600); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
