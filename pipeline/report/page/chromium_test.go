package page

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
)

// chromium returns the browser's path, or skips; DOSIRAK_REQUIRE=chromium makes
// a missing browser a failure.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if strings.Contains(os.Getenv("DOSIRAK_REQUIRE"), "chromium") {
		require.Fail(t, "no chromium on this machine, and DOSIRAK_REQUIRE names it")
	}
	t.Skip("no chromium on this machine; DOSIRAK_REQUIRE=chromium makes this a failure")
	return ""
}

// browse runs the browser once. Its standard error carries the console.
func browse(t *testing.T, bin string, args ...string) (stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	base := []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--no-first-run",
		"--enable-logging=stderr", "--v=0", "--user-data-dir=" + t.TempDir()}
	cmd := exec.CommandContext(ctx, bin, append(base, args...)...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), errs.String())
	return out.String(), errs.String()
}

var consoleLine = regexp.MustCompile(`(?m)^.*CONSOLE.*$`)

// trap is a proxy for all of the browser's traffic that lets nothing pass and
// counts what was asked of it for the page's sake.
func trap(t *testing.T) (address string, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Host, "evil.example") || strings.Contains(r.Host, "probe.example") {
			asked.Add(1)
		}
		http.Error(w, "nothing passes", http.StatusBadGateway)
	}))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	return "127.0.0.1:" + port, asked
}

// TestInChromium loads each page at 400 and 1,400 pixels in a real browser: no
// message on the console, no request, nothing wider than the window.
func TestInChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser: not in -short")
	}
	bin := chromium(t)
	dir := t.TempDir()
	// One page measures all the others: each is loaded in a frame of the width
	// in question, and its widths are written where --dump-dom shows them.
	var frames strings.Builder
	cases := reporttest.Cases()
	for _, c := range cases {
		whole, err := Render(c.Report)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, c.Name+".html"), whole, 0o644))
		for _, width := range []int{400, 1400} {
			fmt.Fprintf(&frames, `<iframe name="%s-%d" src="%s.html" style="width:%dpx;height:800px"></iframe>`, c.Name, width, c.Name, width)
		}
	}
	harness := `<!doctype html><meta charset="utf-8">` + frames.String() + `<script>addEventListener('load',()=>{for(const f of document.querySelectorAll('iframe')){const d=f.contentDocument.documentElement;for(const x of f.contentDocument.querySelectorAll('details'))x.open=true;const p=document.createElement('p');p.textContent='WIDTH '+f.name+' '+d.scrollWidth+' '+d.clientWidth+' '+f.contentDocument.querySelectorAll('script,img').length;document.body.append(p)}})</script>`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "harness.html"), []byte(harness), 0o644))
	proxy, asked := trap(t)
	dom, log := browse(t, bin, "--proxy-server="+proxy, "--allow-file-access-from-files", "--virtual-time-budget=5000", "--dump-dom", "file://"+filepath.Join(dir, "harness.html"))
	found := regexp.MustCompile(`WIDTH (\S+) (\d+) (\d+) (\d+)`).FindAllStringSubmatch(dom, -1)
	require.Len(t, found, 2*len(cases), "every page was measured:\n%s", log)
	for _, m := range found {
		assert.Equal(t, m[3], m[2], "%s is wider than its window", m[1])
		assert.Equal(t, "0", m[4], "%s holds a script or an image", m[1])
	}
	assert.Empty(t, consoleLine.FindAllString(log, -1), "the console is silent")
	assert.Zero(t, asked.Load(), "no request left the page")
}

// TestTheTrapCatches: a page that does ask is caught, so the silence above
// means something.
func TestTheTrapCatches(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser: not in -short")
	}
	bin := chromium(t)
	path := filepath.Join(t.TempDir(), "probe.html")
	require.NoError(t, os.WriteFile(path, []byte(`<!doctype html><img src="http://probe.example/x.png"><script>console.error("heard")</script>`), 0o644))
	proxy, asked := trap(t)
	_, log := browse(t, bin, "--proxy-server="+proxy, "--virtual-time-budget=5000", "--dump-dom", "file://"+path)
	assert.NotZero(t, asked.Load())
	assert.Contains(t, log, "heard")
	assert.NotEmpty(t, consoleLine.FindAllString(log, -1))
}

// TestPrints: the browser makes a PDF of the page.
func TestPrints(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser: not in -short")
	}
	bin := chromium(t)
	dir := t.TempDir()
	whole, err := Render(reporttest.Fail())
	require.NoError(t, err)
	page, pdf := filepath.Join(dir, "p.html"), filepath.Join(dir, "p.pdf")
	require.NoError(t, os.WriteFile(page, whole, 0o644))
	browse(t, bin, "--no-pdf-header-footer", "--print-to-pdf="+pdf, "file://"+page)
	data, err := os.ReadFile(pdf)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(data), "%PDF-"))
	assert.Greater(t, len(data), 20_000)
}
