package intake

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/gateway"
)

// account is a Stripe of customers without anything, which answers or does not.
type account struct {
	mu    sync.Mutex
	gone  bool
	asked map[string]bool // customers
}

// RoundTrip implements http.RoundTripper.
func (a *account) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, id, _ := strings.Cut(r.URL.Path, "/v1/customers/")
	if id != "" {
		a.asked[id] = true
	}
	if a.gone {
		again := http.Header{"Stripe-Should-Retry": {"false"}} // at once
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Header: again, Body: io.NopCloser(strings.NewReader(`{"error": {"type": "api_error"}}`))}, nil
	}
	body := `{"object": "list", "data": [], "has_more": false}`
	if id != "" {
		body = fmt.Sprintf(`{"id": %q, "object": "customer", "email": "a@customer.example"}`, id)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// lined is a log of which lines are counted.
func lined() (*slog.Logger, func() int) {
	var said bytes.Buffer
	return slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn})), func() int { return strings.Count(said.String(), "\n") }
}

// told makes an intake that was told one event of each of so many customers.
func told(t *testing.T, stripe http.RoundTripper, clock *time.Time, log *slog.Logger, customers int) (*Intake, *database.DB) {
	t.Helper()
	db := opened(t)
	now := func() time.Time { return *clock }
	in := New(Options{
		DB: db, Stripe: gateway.New(gateway.Options{SecretKey: "sk_test_x", Rate: 10000, HTTP: &http.Client{Transport: stripe}}),
		Cases: dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Shipped()), Policy: contact.DefaultPolicy(), Zone: time.UTC}),
		Now:   now, RealNow: now, Logger: log,
	})
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		var all []Event
		for n := range customers {
			all = append(all, events(0, 1, fmt.Sprintf("cus_%03d", n))...)
		}
		return keepEvents(t.Context(), tx, all)
	})
	if err != nil {
		t.Fatal(err)
	}
	return in, db
}

func nothingElse(context.Context, Event) error { return nil }

// While Stripe does not answer it is not asked about one customer after the other, and the log is not filled with it. All are
// read soon after it answers again, however long that took.
func TestStripesSilenceIsNotAskedAboutEveryone(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	stripe := &account{gone: true, asked: map[string]bool{}}
	log, lines := lined()
	in, db := told(t, stripe, &clock, log, 150)
	run := func(seconds int) {
		t.Helper()
		for range seconds {
			_, err := in.RunOnce(t.Context(), 100, nothingElse)
			if err != nil {
				t.Fatal(err)
			}
			clock = clock.Add(time.Second)
		}
	}
	run(60)
	if len(stripe.asked) > 40 || lines() > 60 {
		t.Errorf("in a minute %d customers were asked about, and %d lines written", len(stripe.asked), lines())
	}
	run(300)
	stripe.gone = false
	run(80)
	if n := waitingStill(t, db); n > 0 {
		t.Errorf("%d events wait still, more than a minute after", n)
	}
}

// Events that fail because the database is away wait for it, as often as that happens. None is given up.
func TestNoEventIsParkedForADatabaseThatWasAway(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	log, _ := lined()
	in, db := told(t, &account{asked: map[string]bool{}}, &clock, log, 1)
	for range 2 * mostTries {
		_, err := in.RunOnce(t.Context(), 100, func(context.Context, Event) error { return fmt.Errorf("begin: %w", io.ErrUnexpectedEOF) })
		if err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(time.Hour)
	}
	if n := waitingStill(t, db); n != 1 {
		t.Fatal("it does not wait any more")
	}
	_, err := in.RunOnce(t.Context(), 100, nothingElse)
	if err != nil {
		t.Fatal(err)
	}
	if n := waitingStill(t, db); n > 0 {
		t.Error("it waits still")
	}
}

func waitingStill(t *testing.T, db *database.DB) (n int) {
	t.Helper()
	err := db.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM events WHERE status = 'received'`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Two programs' clocks are minutes apart: what the one that is behind reads is kept all the same.
func TestWhatIsReadByAClockThatIsBehindIsKept(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	log, _ := lined()
	in, db := told(t, &account{asked: map[string]bool{}}, &clock, log, 1)
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		return billing.Save(t.Context(), tx, billing.Account{Customer: billing.Customer{ID: "cus_000", Email: "old@customer.example"}}, clock.Add(4*time.Minute).Unix())
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = in.RunOnce(t.Context(), 100, nothingElse)
	if err != nil {
		t.Fatal(err)
	}
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		who, err := billing.FindCustomer(t.Context(), tx, "cus_000")
		if who.Email != "a@customer.example" {
			t.Errorf("it knows them as %s still", who.Email)
		}
		return err
	})
	if err != nil || waitingStill(t, db) > 0 {
		t.Errorf("the event waits still: %v", err)
	}
}

// What nobody could try counts as no try: once Stripe is back, one failure of ours parks nothing.
func TestStripesSilenceCountsAsNoTry(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	stripe := &account{gone: true, asked: map[string]bool{}}
	log, _ := lined()
	in, db := told(t, stripe, &clock, log, 20)
	run := func(seconds int, also func(context.Context, Event) error) {
		t.Helper()
		for range seconds {
			_, err := in.RunOnce(t.Context(), 100, also)
			if err != nil {
				t.Fatal(err)
			}
			clock = clock.Add(time.Second)
		}
	}
	run(300, nothingElse)
	stripe.gone = false
	var failed sync.Map // by event; customers are read side by side
	run(90, func(_ context.Context, e Event) error {
		_, before := failed.LoadOrStore(e.ID, true)
		if before {
			return nil
		}
		return errors.New("a failure of ours")
	})
	if n := waitingStill(t, db); n > 0 {
		t.Errorf("%d events wait still", n)
	}
	err := db.See(t.Context(), func(tx *sql.Tx) error {
		var n int
		err := tx.QueryRow(`SELECT count(*) FROM events WHERE status = 'parked'`).Scan(&n)
		if err == nil && n > 0 {
			t.Errorf("%d events are parked", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// crossed is a Stripe whose customers have an old address as long as their reading takes, and a new one from then on.
type crossed struct {
	during func()
	reads  int
}

// RoundTrip implements http.RoundTripper.
func (c *crossed) RoundTrip(r *http.Request) (*http.Response, error) {
	body := `{"object": "list", "data": [], "has_more": false}`
	_, id, _ := strings.Cut(r.URL.Path, "/v1/customers/")
	if id != "" {
		address := "new@customer.example"
		if c.reads == 0 {
			address = "old@customer.example"
			c.during()
		}
		c.reads++
		body = fmt.Sprintf(`{"id": %q, "object": "customer", "email": %q}`, id, address)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// After the clock was set back, only the first reading asks Stripe twice: from then on it is known before a reading begins that what
// is stored lies ahead, also of other customers. What each reading says is kept, and of two at once the one that was told less is
// not kept over the other.
func TestAClockThatWasSetBackAsksStripeTwiceOnlyOnce(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	log, _ := lined()
	stripe := &renamed{}
	in, db := told(t, stripe, &clock, log, 1)
	ids := []string{"cus_000", "cus_001"}
	ahead := clock.Add(2 * time.Hour).Unix()
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		for _, id := range ids {
			err := billing.Save(t.Context(), tx, billing.Account{Customer: billing.Customer{ID: id, Email: "old@customer.example"}}, ahead)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	reads := func(id string, want int) {
		t.Helper()
		stripe.asked = 0
		err := in.Refresh(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		var who billing.Customer
		err = db.See(t.Context(), func(tx *sql.Tx) (err error) {
			who, err = billing.FindCustomer(t.Context(), tx, id)
			return err
		})
		if err != nil || stripe.asked != want || who.Email != stripe.email() {
			t.Errorf("%s was asked for %d times and not %d, and is known as %s: %v", id, stripe.asked, want, who.Email, err)
		}
	}
	reads(ids[0], 2)
	reads(ids[0], 1)
	reads(ids[1], 1)
	reads(ids[0], 1)
	stripe.during = func() { reads(ids[0], 1) } // another reading begins later, and ends before
	err = in.Refresh(t.Context(), ids[0])
	if err != nil || stripe.asked != 2 {
		t.Errorf("of two at once the one that began first asked %d times after the other: %v", stripe.asked-1, err)
	}
	reads(ids[0], 1)
	clock = clock.Add(3 * time.Hour)
	reads(ids[1], 1)
}

// renamed is a Stripe of customers whose address is another one at each reading.
type renamed struct {
	account
	asked  int
	at     int
	during func() // while the next one is asked for
}

func (a *renamed) email() string { return fmt.Sprintf("a%d@customer.example", a.at) }

// RoundTrip implements http.RoundTripper.
func (a *renamed) RoundTrip(r *http.Request) (*http.Response, error) {
	_, id, _ := strings.Cut(r.URL.Path, "/v1/customers/")
	if id == "" {
		a.account.asked = map[string]bool{}
		return a.account.RoundTrip(r)
	}
	a.asked++
	a.at++
	body := fmt.Sprintf(`{"id": %q, "object": "customer", "email": %q}`, id, a.email())
	during := a.during
	a.during = nil
	if during != nil {
		during()
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// While a slow reading is under way, a program whose clock is ahead reads and keeps what is newer: that is not overwritten.
func TestASlowReadingOverwritesNothingThatWasReadAhead(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	stripe := &crossed{}
	log, _ := lined()
	in, db := told(t, stripe, &clock, log, 1)
	stripe.during = func() {
		clock = clock.Add(time.Second)
		err := db.Do(t.Context(), func(tx *sql.Tx) error {
			newer := billing.Account{Customer: billing.Customer{ID: "cus_000", Email: "new@customer.example"}}
			return billing.Save(t.Context(), tx, newer, clock.Add(3*time.Second).Unix())
		})
		if err != nil {
			t.Error(err)
		}
		clock = clock.Add(time.Second)
	}
	_, err := in.RunOnce(t.Context(), 100, nothingElse)
	if err != nil {
		t.Fatal(err)
	}
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		who, err := billing.FindCustomer(t.Context(), tx, "cus_000")
		if who.Email != "new@customer.example" {
			t.Errorf("the older reading's %s is kept", who.Email)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := waitingStill(t, db); n > 0 {
		t.Error("its event waits still")
	}
}
