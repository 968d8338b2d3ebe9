package browsertest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience bounds a whole browser story: one that waits longer waits forever.
const patience = 2 * time.Minute

// Start returns the context of an empty tab in a Chromium of its own, with a
// fresh profile, which ends with the test or after two minutes. Frames of
// other origins are in the tab's own process, so that chromedp's FromNode
// reaches into them.
//
// Without Chromium the test is skipped, or fails where the environment says
// SOLLECITO_TEST_REQUIRE=chromium (a comma-separated list).
func Start(t testing.TB) context.Context {
	t.Helper()
	return StartFor(t, patience)
}

// StartFor is Start for a story that may take longer.
func StartFor(t testing.TB, patience time.Duration) context.Context {
	t.Helper()
	path, err := find()
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("SOLLECITO_TEST_REQUIRE"), ","), "chromium") {
			t.Fatalf("SOLLECITO_TEST_REQUIRE asks for chromium: %v", err)
		}
		t.Skipf("no Chromium here, so this story is not told (%v); SOLLECITO_TEST_REQUIRE=chromium makes this a failure", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("headless", "new"),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.WindowSize(1024, 800),
		chromedp.Flag("disable-features", "Translate,IsolateOrigins,site-per-process,OriginKeyedProcessesByDefault"),
		chromedp.Flag("disable-site-isolation-trials", true),
		// Autofill's own "save card?" bubbles would cover the page.
		chromedp.Flag("disable-save-password-bubble", true),
	)
	ctx, stop := context.WithTimeout(context.Background(), patience)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	t.Cleanup(func() {
		err := chromedp.Cancel(ctx)
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Logf("close Chromium: %v", err)
		}
	})
	err = chromedp.Do(ctx, chromedp.Navigate("about:blank"))
	if err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return ctx
}

// find looks for a browser under the names it has in package archives.
func find() (string, error) {
	var firstErr error
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless_shell"} {
		path, err := exec.LookPath(name)
		if err == nil {
			return path, nil
		}
		if firstErr == nil {
			firstErr = err
		}
	}
	return "", firstErr
}
