package demo

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sollecito/internal/browsertest"
)

// Every situation of a customer is met in Chromium in one of the forms and languages that the program internal/gallery
// looks at all together, each time another; and every page that the demo, the staff's desk and one customer's page lead
// to on a phone in light and on a desk in dark. The browser complains of nothing.
func TestPagesAreForEverybody(t *testing.T) {
	t.Parallel()
	ctx := browsertest.StartFor(t, 8*time.Minute)
	v := stageFor(t, Options{})
	complaints, err := browsertest.Complaints(ctx)
	if err != nil {
		t.Fatal(err)
	}
	met := v.meet(ctx)
	w := &walker{outsider: v, ctx: ctx, seen: map[string]bool{}}
	state := v.state()
	w.who = "customer"
	w.visit(state.Customers[0].PortalURL)
	w.follow("/pay")
	w.who = "staff"
	w.visit(state.StaffURL)
	w.follow("/admin")
	w.who = "demo"
	w.visit(v.base + "/demo")
	w.follow("/demo")
	for _, said := range complaints() {
		t.Errorf("the browser complains: %s", said)
	}
	t.Logf("%d situations, and %d pages in two forms each", met, w.pages)
	if met < 50 || w.pages < 25 {
		t.Errorf("only %d situations and %d pages were found", met, w.pages)
	}
}

// meet goes to every situation and answers how many there are.
func (v *outsider) meet(ctx context.Context) int {
	v.t.Helper()
	languages, forms := []string{"en", "it", "de", "ja", "ar"}, browsertest.Forms()
	states := v.situations()
	for i, s := range states {
		lang, form := languages[i%len(languages)], forms[i%len(forms)]
		path, err := browsertest.EnterState(ctx, v.base, browsertest.State{Address: s.Address, Method: s.Method, Presses: s.Presses}, lang)
		if err != nil {
			v.t.Errorf("%s: %v", s.Name, err)
			continue
		}
		if strings.HasPrefix(path, "/admin") {
			lang = "en"
		}
		faults, err := browsertest.Faults(ctx, form, lang)
		if err != nil {
			v.t.Fatalf("%s: %v", s.Name, err)
		}
		for _, fault := range faults {
			v.t.Errorf("%s in %s, %s: %s", s.Name, lang, form, fault)
		}
	}
	return len(states)
}

// walker goes through pages by their links.
type walker struct {
	*outsider
	ctx   context.Context
	who   string
	seen  map[string]bool // kinds of pages, ids left out
	pages int
}

// formsOf a page: a phone and a desk.
var formsOf = []struct {
	width, height int64
	dark          bool
}{{360, 800, false}, {1280, 900, true}}

func (w *walker) visit(address string) {
	w.t.Helper()
	w.pages++
	for _, form := range formsOf {
		err := chromedp.Do(w.ctx, chromedp.EmulateViewport(form.width, form.height))
		if err == nil {
			err = browsertest.Prefer(w.ctx, form.dark)
		}
		if err == nil {
			err = chromedp.Do(w.ctx, chromedp.Navigate(address))
		}
		if err != nil {
			w.t.Fatalf("%s, %s: %v", w.who, address, err)
		}
		where := fmt.Sprintf("%s, %s, %d wide", w.who, address, form.width)
		barriers, err := browsertest.Barriers(w.ctx)
		if err != nil {
			w.t.Fatalf("%s: %v", where, err)
		}
		for _, b := range barriers {
			w.t.Errorf("%s: %s", where, b)
		}
		over, err := browsertest.Sideways(w.ctx)
		if err != nil {
			w.t.Fatalf("%s: %v", where, err)
		}
		if over > 0 {
			w.t.Errorf("%s: %d pixels wider than the window", where, over)
		}
		cramped, err := browsertest.Cramped(w.ctx)
		if err != nil {
			w.t.Fatalf("%s: %v", where, err)
		}
		for _, c := range cramped {
			w.t.Errorf("%s: %s", where, c)
		}
	}
}

var kindForm = regexp.MustCompile(`/demo/states/[a-z_]+|\b(cus|in|ntc|case|cnv|mbr|sta|usr|mail)_[A-Za-z0-9]+|[?#].*$`)

// noPage is what is fetched instead of read, and the bare mails: in them no script runs, axe neither.
var noPage = regexp.MustCompile(`(/pdf|/html|\.json|\.csv)$`)

// follow visits each page below a path that the tab's page leads to, and those these lead to: one of each kind.
func (w *walker) follow(below string) {
	w.t.Helper()
	var next []string
	collect := func() {
		found, err := chromedp.Run(w.ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll('a[href]')].filter((a) => !a.target && !a.download).map((a) => a.href)`))
		if err != nil {
			w.t.Fatal(err)
		}
		for _, address := range found {
			path, ours := strings.CutPrefix(address, w.base)
			kind := kindForm.ReplaceAllString(path, "")
			if !ours || !strings.HasPrefix(path, below) || noPage.MatchString(kind) || w.seen[kind] {
				continue
			}
			w.seen[kind] = true
			next = append(next, address)
		}
	}
	collect()
	for len(next) > 0 {
		address := next[0]
		next = slices.Delete(next, 0, 1)
		w.visit(address)
		collect()
	}
}
