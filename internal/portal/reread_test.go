package portal_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sollecito/internal/config"
	"sollecito/internal/intake"
	"sollecito/internal/portal"
)

// gate stands before the stand-in's API, counts calls and refuses every nth of them.
type gate struct {
	mu      sync.Mutex
	every   int            // 0: none
	calls   map[string]int // by kind, since set
	read    map[string]int // readings begun, by customer
	total   int
	refused int
	atRead  int    // at how many customers read ended is called, once
	ended   func() // nil for nothing
}

var stripeID = regexp.MustCompile(`/(cus|in|sub|prod|dp|ch|pi)_[^/]+`)

func (g *gate) pass(r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total++
	kind := stripeID.ReplaceAllString(strings.TrimPrefix(r.URL.Path, "/v1/"), "/ID")
	if kind == "invoices" && r.URL.Query().Get("customer") != "" {
		kind = "invoices of one"
	}
	g.calls[kind]++
	id, reading := strings.CutPrefix(r.URL.Path, "/v1/customers/")
	if reading {
		g.read[id]++
		if len(g.read) == g.atRead && g.ended != nil {
			g.ended()
			g.ended = nil
		}
	}
	if g.every > 0 && g.total%g.every == 0 {
		g.refused++
		return false
	}
	return true
}

func (g *gate) set(every int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.every, g.total, g.refused, g.calls, g.read = every, 0, 0, map[string]int{}, map[string]int{}
}

// gated opens a house whose way to Stripe leads through a gate. What it refuses is refused for good, so that the
// client's own second try makes the count of calls no guess.
func gated(t *testing.T) (*house, *gate) {
	g := &gate{}
	g.set(0)
	h := open(t, func(c *config.Config) {
		inner, err := url.Parse(c.StripeAPI)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(inner)
		door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if g.pass(r) {
				proxy.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Stripe-Should-Retry", "false")
			w.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(w, `{"error":{"type":"api_error","message":"Sorry"}}`)
		}))
		t.Cleanup(door.Close)
		c.StripeAPI = door.URL
	})
	return h, g
}

// again begins the program anew on the same database, as after a sudden end, without a web server of its own. All its
// clocks are the house's.
func (h *house) again() *portal.Portal {
	h.t.Helper()
	p, err := portal.New(h.t.Context(), h.config, portal.Surroundings{
		Now: h.clock.now, Real: h.clock.now, Log: slog.New(slog.NewTextHandler(h.log, nil)), Rate: 2000,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { p.Close() })
	err = p.Intake.Reclaim(h.t.Context()) // as at every start
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// caughtUp lets the programs take turns, a minute each, until nothing is left to catch up on or ctx ends.
func (h *house) caughtUp(ctx context.Context, programs ...*portal.Portal) {
	h.t.Helper()
	back := h.clock.now().Unix()
	for n := range 240 {
		_, err := programs[n%len(programs)].Runner.Drain(ctx, "events", "reconcile", "readings")
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			h.t.Fatal(err)
		}
		var state intake.Reconciled
		err = h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
			var err error
			state, err = intake.LastReconcile(h.t.Context(), tx)
			return err
		})
		if err != nil {
			h.t.Fatal(err)
		}
		if state.RanAt >= back && h.count(`SELECT (SELECT count(*) FROM rereads) + (SELECT count(*) FROM events WHERE status = 'received')`) == 0 {
			return
		}
		h.clock.set(h.clock.now().Add(time.Minute))
	}
	h.t.Fatalf("the catch-up does not end: %d wait to be read, and %d events", h.count(`SELECT count(*) FROM rereads`),
		h.count(`SELECT count(*) FROM events WHERE status = 'received'`))
}

// Nobody is at home for a month in which Stripe's endpoint is gone too. However many events a customer has, and though
// calls fail all along and the program dies in the middle, each customer is read once, and a call more only for each
// that failed; nothing is missed.
func TestALongAbsenceIsCaughtUpThoughCallsFail(t *testing.T) {
	t.Parallel()
	for name, every := range map[string]int{"all is well": 0, "five calls in a hundred fail": 20, "the program dies twice": 11} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			absence(t, every, every == 11)
		})
	}
}

func absence(t *testing.T, every int, dies bool) {
	const several, early, late = 24, 8, 8 // customers; who paid before and within what Stripe's events reach back to
	h, g := gated(t)
	var all, owed []string
	for n := range several {
		c := h.customer(fmt.Sprintf("Customer %d", n), fmt.Sprintf("c%d@old.example", n), "NL", "pm_card_visa")
		i, err := h.stripe.FailRenewal(c, "insufficient_funds")
		if err != nil {
			t.Fatal(err)
		}
		all, owed = append(all, c), append(owed, i)
	}
	h.settle()
	h.deaf()
	if got := h.count(`SELECT count(*) FROM cases WHERE status = 'open'`); got != several {
		t.Fatalf("%d cases", got)
	}
	pay := func(invoices []string) {
		for _, i := range invoices {
			err := h.stripe.Pay(i, true)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	h.clock.set(h.clock.now().Add(12 * time.Hour))
	pay(owed[:early])
	for day := range 3 { // whoever still owes fails again and again, and some of them pay
		h.clock.set(h.clock.now().Add(time.Duration(3*(day+1)) * 24 * time.Hour))
		for _, c := range all[early:] {
			_, err := h.stripe.FailRenewal(c, "insufficient_funds")
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	pay(owed[early : early+late])
	h.clock.set(h.clock.now().Add(13 * 24 * time.Hour))
	events := len(all[early:]) * 3

	g.set(every)
	if dies {
		for _, at := range []int{6, 16} {
			ctx, kill := context.WithCancel(t.Context())
			g.mu.Lock()
			g.atRead, g.ended = at, kill
			g.mu.Unlock()
			h.caughtUp(ctx, h.again())
			if ctx.Err() == nil {
				t.Fatal("it is done before it dies")
			}
		}
	}
	h.caughtUp(t.Context(), h.again(), h.again())
	g.mu.Lock()
	t.Logf("%d calls, %d of them refused: %v", g.total, g.refused, g.calls)
	if every > 0 && g.refused == 0 || every == 0 && len(g.read) < several {
		t.Errorf("%d calls failed, %d customers were read", g.refused, len(g.read))
	}
	again := 0
	for _, n := range g.read {
		again += n - 1
	}
	cut := 0 // readings that the program died in: four at a time
	if dies {
		cut = 8
	}
	if again > g.refused+cut {
		t.Errorf("%d readings were repeated though only %d calls failed", again, g.refused)
	}
	// A reading is three calls, one for the product, one for the tries on whose invoice failed, and one for the invoice
	// that is no longer open. The lists are a dozen pages.
	const reading = 3 + 1
	most := several*reading + (several - early) + early + late + 12 + (g.refused+cut)*(reading+2)
	if g.total > most {
		t.Errorf("%d calls, at most %d were to be made", g.total, most)
	}
	g.mu.Unlock()
	if got := h.count(`SELECT count(*) FROM events`); got < events {
		t.Errorf("%d events are known", got)
	}
	if got := h.count(`SELECT count(*) FROM cases WHERE status = 'recovered'`); got != early {
		t.Errorf("%d of %d who paid all meanwhile are seen to have", got, early)
	}
	if got := h.count(`SELECT count(*) FROM invoices WHERE status = 'paid'`); got < early+late {
		t.Errorf("%d invoices are seen to be paid", got)
	}
	if got, want := h.count(`SELECT count(*) FROM invoices WHERE status = 'open'`), several-early-late+3*(several-early); got != want {
		t.Errorf("%d invoices are open, want %d", got, want)
	}
	if every > 0 {
		return
	}
	// Who asks for it by hand has the customer read once more all the same.
	g.set(0)
	known, err := h.portal.Intake.List(t.Context(), intake.Processed, 1000)
	if err != nil {
		t.Fatal(err)
	}
	n := slices.IndexFunc(known, func(e intake.Event) bool { return e.CustomerID == all[early] })
	err = h.portal.Intake.Replay(t.Context(), known[n].ID)
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	if g.read[all[early]] != 1 {
		t.Errorf("replayed, the event had its customer read %d times", g.read[all[early]])
	}
}
