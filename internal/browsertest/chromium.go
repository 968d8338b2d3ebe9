package browsertest

import (
	"context"
	"errors"
	"fmt"
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
	ctx, stop := context.WithTimeout(context.Background(), patience)
	t.Cleanup(stop)
	ctx, end := launch(ctx, path, t.TempDir())
	t.Cleanup(func() {
		err := end()
		if err != nil {
			t.Logf("close Chromium: %v", err)
		}
	})
	err = chromedp.Do(ctx, chromedp.Navigate("about:blank"))
	if err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return ctx
}

// Launch is Start for a program: the tab lives until ctx ends or end is called, and profile is the empty folder the
// browser keeps its things in. The error says that there is no Chromium here.
func Launch(ctx context.Context, profile string) (tab context.Context, end func() error, err error) {
	path, err := find()
	if err != nil {
		return nil, nil, fmt.Errorf("find Chromium: %w", err)
	}
	tab, end = launch(ctx, path, profile)
	err = chromedp.Do(tab, chromedp.Navigate("about:blank"))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("start Chromium: %w", err), end())
	}
	return tab, end, nil
}

func launch(ctx context.Context, path, profile string) (context.Context, func() error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(profile),
		chromedp.Flag("headless", "new"),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.WindowSize(1024, 800),
		chromedp.Flag("disable-features", "Translate,IsolateOrigins,site-per-process,OriginKeyedProcessesByDefault"),
		chromedp.Flag("disable-site-isolation-trials", true),
		// Autofill's own "save card?" bubbles would cover the page.
		chromedp.Flag("disable-save-password-bubble", true),
	)
	ctx, stopBrowser := chromedp.NewExecAllocator(ctx, options...)
	ctx, stopTab := chromedp.NewContext(ctx)
	return ctx, func() error {
		err := chromedp.Cancel(ctx)
		stopTab()
		stopBrowser()
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	}
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
