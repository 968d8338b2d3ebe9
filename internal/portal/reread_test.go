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
	"strings"
	"sync"
	"testing"
	"time"

	"sollecito/internal/config"
	"sollecito/internal/database"
	"sollecito/internal/portal"
)

// gate stands before the stand-in's API, counts calls and refuses every nth of them.
type gate struct {
	mu      sync.Mutex
	every   int            // 0: none
	only    string         // the one customer whose readings are refused, "" for any
	calls   int            // since it was last asked
	read    map[string]int // calls for a customer
	refused int
	ended   func() // called at the 40th reading of customers, once
}

func (g *gate) pass(r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls++
	id, reading := strings.CutPrefix(r.URL.Path, "/v1/customers/")
	if reading {
		g.read[id]++
		if len(g.read) == 40 && g.ended != nil {
			g.ended()
			g.ended = nil
		}
	}
	if g.every > 0 && g.calls%g.every == 0 || reading && id == g.only {
		g.refused++
		return false
	}
	return true
}

func (g *gate) set(every int, only string) (calls, refused int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	calls, refused = g.calls, g.refused
	g.every, g.only, g.calls, g.refused, g.read = every, only, 0, 0, map[string]int{}
	return calls, refused
}

// gated opens a house whose way to Stripe leads through a gate. What it refuses is refused for good, so that the
// client's own second try makes the count of calls no guess.
func gated(t *testing.T) (*house, *gate) {
	g := &gate{read: map[string]int{}}
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

// again begins the program anew on the same database, as after a sudden end, without a web server of its own.
func (h *house) again() *portal.Portal {
	h.t.Helper()
	p, err := portal.New(h.t.Context(), h.config, portal.Surroundings{
		Now: h.clock.now, Real: time.Now, Log: slog.New(slog.NewTextHandler(h.log, nil)), Rate: 2000,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { p.Close() })
	return p
}

// rounds lets the programs take turns, a minute each, until nobody waits to be read again.
func (h *house) rounds(programs ...*portal.Portal) int {
	h.t.Helper()
	for n := range 240 {
		p := programs[n%len(programs)]
		_, err := p.Intake.Reconcile(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		_, err = p.Intake.ReadAgain(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		if h.count(`SELECT count(*) FROM settings WHERE name = 'reconcile' AND value LIKE '%"under_way":{"at":0,%'`) == 1 && h.count(`SELECT count(*) FROM rereads`) == 0 {
			return n + 1
		}
		h.clock.set(h.clock.now().Add(time.Minute))
	}
	h.t.Fatalf("the catch-up does not end: %d wait", h.count(`SELECT count(*) FROM rereads`))
	return 0
}

// After a month away customers are read again, though calls fail all along, the program dies in the middle, and two
// take turns at what is left: it ends, and nothing is missed.
func TestALongAbsenceIsCaughtUpThoughCallsFail(t *testing.T) {
	t.Parallel()
	const several = 60
	h, g := gated(t)
	for n := range several {
		c := h.customer(fmt.Sprintf("Customer %d", n), fmt.Sprintf("c%d@old.example", n), "NL", "pm_card_visa")
		_, err := h.stripe.FailRenewal(c, "insufficient_funds")
		if err != nil {
			t.Fatal(err)
		}
	}
	h.settle()
	h.deaf()
	if got := h.count(`SELECT count(*) FROM cases WHERE status = 'open'`); got != several {
		t.Fatalf("%d cases", got)
	}
	for _, c := range h.openInvoices()[:20] {
		err := h.stripe.Pay(c, true)
		if err != nil {
			t.Fatal(err)
		}
	}
	h.clock.set(h.clock.now().Add(31 * 24 * time.Hour))
	g.set(7, "")
	ctx, kill := context.WithCancel(t.Context())
	g.ended = kill
	for ctx.Err() == nil {
		_, err := h.portal.Intake.Reconcile(ctx)
		if err == nil {
			_, err = h.portal.Intake.ReadAgain(ctx)
		}
		if err != nil && ctx.Err() == nil {
			t.Fatal(err)
		}
		h.clock.set(h.clock.now().Add(time.Minute))
	}
	left := h.count(`SELECT count(*) FROM rereads`)
	if left == 0 || left == several {
		t.Errorf("%d wait to be read when the program dies", left)
	}
	h.rounds(h.again(), h.again())
	calls, refused := g.set(0, "")
	t.Logf("%d calls, %d of them refused", calls, refused)
	if got := h.count(`SELECT count(*) FROM cases WHERE status = 'recovered'`); got != 20 {
		t.Errorf("%d of 20 who paid meanwhile are seen to have", got)
	}
	if got := h.count(`SELECT count(*) FROM invoices WHERE status = 'open'`); got != several-20 {
		t.Errorf("%d invoices are open", got)
	}
}

func (h *house) openInvoices() []string {
	h.t.Helper()
	var all []string
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		var err error
		all, err = database.Strings(h.t.Context(), tx, `SELECT id FROM invoices WHERE status = 'open' ORDER BY id`)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}
