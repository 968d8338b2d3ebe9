package webhook

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/fault"
)

// desk is a database with a collection of endpoints and a clock that stands.
type desk struct {
	t         *testing.T
	db        *database.DB
	endpoints *Endpoints
	now       time.Time
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2026, time.November, 2, 9, 0, 0, 0, time.UTC)}
	var err error
	d.db, err = database.Open(t.Context(), databasetest.Migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.db.Close() })
	d.endpoints, err = NewEndpoints(strings.Repeat("k", 40), nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) do(work func(tx *sql.Tx) error) {
	d.t.Helper()
	err := d.db.Do(d.t.Context(), work)
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) add(host string, events ...string) Endpoint {
	d.t.Helper()
	var e Endpoint
	d.do(func(tx *sql.Tx) error {
		var err error
		e, _, err = d.endpoints.Add(d.t.Context(), tx, "https://"+host+"/", events, d.now)
		return err
	})
	return e
}

func (d *desk) tell(types ...Type) {
	d.t.Helper()
	d.do(func(tx *sql.Tx) error {
		for _, t := range types {
			err := Tell(d.t.Context(), tx, Event{Type: t, Customer: "cus_1", At: d.now.Unix(), Data: Case{Customer: "cus_1", Case: "case_1", Status: "open", At: Moment(d.now.Unix())}})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *desk) recent(e Endpoint) []Delivery {
	d.t.Helper()
	var all []Delivery
	d.do(func(tx *sql.Tx) error {
		var err error
		all, err = Recent(d.t.Context(), tx, e.ID, 100, 0)
		return err
	})
	return all
}

func (d *desk) claim(e Endpoint, limit int, lease time.Time) []Delivery {
	d.t.Helper()
	var all []Delivery
	d.do(func(tx *sql.Tx) error {
		var err error
		all, err = Claim(d.t.Context(), tx, d.db.SkipLocked(), e.ID, d.now, d.now, lease, limit)
		return err
	})
	return all
}

func (d *desk) conclude(of Delivery, o Outcome) Delivery {
	d.t.Helper()
	d.do(func(tx *sql.Tx) error { return Conclude(d.t.Context(), tx, of, o, d.now) })
	var after Delivery
	d.do(func(tx *sql.Tx) error {
		var err error
		after, err = FindDelivery(d.t.Context(), tx, of.ID)
		return err
	})
	return after
}

func TestEachEndpointIsToldWhatItWants(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.tell(CaseOpened) // nobody listens, and nothing is kept
	app, crm := d.add("app.example.com", "case.opened", "case.recovered"), d.add("crm.example.com", "case.recovered")
	d.tell(CaseOpened, CaseRecovered, CaseExhausted)
	types := func(e Endpoint) (all []string) {
		for _, x := range d.recent(e) {
			all = append(all, string(x.Type))
		}
		slices.Sort(all)
		return all
	}
	if got := fmt.Sprint(types(app), types(crm)); got != "[case.opened case.recovered] [case.recovered]" {
		t.Errorf("told %s", got)
	}
	same := d.recent(crm)[0]
	i := slices.IndexFunc(d.recent(app), func(x Delivery) bool { return x.MessageID == same.MessageID })
	if i < 0 || d.recent(app)[i].Type != CaseRecovered || d.recent(app)[i].Body != same.Body {
		t.Error("one fact is two messages")
	}
	want := `{"type":"case.recovered","timestamp":"2026-11-02T09:00:00Z","data":{"customer":"cus_1","case":"case_1","status":"open","at":"2026-11-02T09:00:00Z"}}`
	if same.Body != want {
		t.Errorf("the message is %s", same.Body)
	}
}

// Programs that share a database take each message in hand once, whatever they do at the same time.
func TestTwoProgramsTakeEachMessageOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	e := d.add("app.example.com", "case.opened")
	const messages = 60
	for range messages {
		d.tell(CaseOpened)
	}
	var mu sync.Mutex
	taken := map[string]int{}
	var programs sync.WaitGroup
	for range 4 {
		programs.Go(func() {
			for {
				var got []Delivery
				err := d.db.Do(t.Context(), func(tx *sql.Tx) error {
					var err error
					got, err = Claim(t.Context(), tx, d.db.SkipLocked(), e.ID, d.now, d.now, d.now.Add(time.Minute), 7)
					return err
				})
				if err != nil {
					t.Error(err)
				}
				if len(got) == 0 {
					return
				}
				mu.Lock()
				for _, x := range got {
					taken[x.ID]++
				}
				mu.Unlock()
			}
		})
	}
	programs.Wait()
	for id, n := range taken {
		if n != 1 {
			t.Errorf("%s was taken %d times", id, n)
		}
	}
	if len(taken) != messages {
		t.Errorf("%d of %d were taken", len(taken), messages)
	}
}

// Whoever's lease ran out may still say that it was taken, since it was; that it was not is for the next one to say.
func TestALeaseThatRanOut(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	e := d.add("app.example.com", "case.opened")
	d.tell(CaseOpened)
	first := d.claim(e, 9, d.now.Add(time.Minute))
	if again := d.claim(e, 9, d.now.Add(time.Minute)); len(first) != 1 || len(again) != 0 {
		t.Fatalf("taken %d and %d", len(first), len(again))
	}
	d.now = d.now.Add(time.Minute)
	second := d.claim(e, 9, d.now.Add(time.Minute))
	if len(second) != 1 || second[0].MessageID != first[0].MessageID {
		t.Fatalf("what somebody left lying is taken as %+v", second)
	}
	if after := d.conclude(first[0], Outcome{Reason: "It could not be reached."}); after.Attempts != 0 || after.Status != Pending {
		t.Errorf("who lost it said that it failed: %+v", after)
	}
	if after := d.conclude(first[0], Outcome{Code: 204}); after.Status != Delivered || after.Attempts != 1 {
		t.Errorf("who lost it said that it was taken: %+v", after)
	}
	if after := d.conclude(second[0], Outcome{Code: 500, Reason: "It answered 500."}); after.Status != Delivered || after.Code != 204 {
		t.Errorf("what was taken failed afterwards: %+v", after)
	}
}

func TestWhatFailsIsTriedUntilItIsGivenUp(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	e := d.add("app.example.com", "case.opened")
	d.tell(CaseOpened)
	began, tries := d.now, 0
	for {
		claimed := d.claim(e, 9, d.now.Add(time.Minute))
		if len(claimed) != 1 {
			t.Fatalf("%d are due at try %d", len(claimed), tries+1)
		}
		tries++
		after := d.conclude(claimed[0], Outcome{Code: 500, Reason: "It answered 500."})
		if after.Attempts != tries {
			t.Errorf("after %d tries it says %d", tries, after.Attempts)
		}
		if after.Status == Failed {
			break
		}
		d.now = time.Unix(after.DueAt, 0)
	}
	if tries != MostAttempts || d.now.Sub(began) < 72*time.Hour {
		t.Errorf("given up after %d tries in %s", tries, d.now.Sub(began))
	}
	d.do(func(tx *sql.Tx) error {
		var err error
		e, err = d.endpoints.Find(t.Context(), tx, e.ID)
		if err != nil || !e.Dead(d.now) || e.FailingSince != began.Unix() {
			t.Errorf("the endpoint fails since %d, %v", e.FailingSince, err)
		}
		n, err := d.endpoints.AllAgain(t.Context(), tx, e.ID, d.now)
		if n != 1 || err != nil {
			t.Errorf("%d go again, %v", n, err)
		}
		return nil
	})
	after := d.conclude(d.claim(e, 9, d.now.Add(time.Minute))[0], Outcome{Code: 200})
	d.do(func(tx *sql.Tx) error {
		var err error
		e, err = d.endpoints.Find(t.Context(), tx, e.ID)
		if after.Status != Delivered || after.Attempts != 1 || e.FailingSince != 0 || e.Dead(d.now) {
			t.Errorf("after it was taken: %+v, failing since %d", after, e.FailingSince)
		}
		return err
	})
}

// While a message is under way nobody orders it again, and nothing goes to an endpoint that is disabled.
func TestOrderingAgainHasItsTime(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	e := d.add("app.example.com", "case.opened")
	d.tell(CaseOpened)
	under := d.claim(e, 9, d.now.Add(time.Minute))[0]
	d.do(func(tx *sql.Tx) error {
		err := d.endpoints.Again(t.Context(), tx, under, d.now, d.now)
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("what is under way is ordered again: %v", err)
		}
		err = d.endpoints.Disable(t.Context(), tx, e.ID, d.now)
		if err != nil {
			return err
		}
		for _, err := range []error{d.endpoints.Again(t.Context(), tx, under, d.now, d.now), d.endpoints.SendTest(t.Context(), tx, e.ID, d.now)} {
			if !fault.Is(err, fault.Conflict) {
				t.Errorf("to a disabled endpoint: %v", err)
			}
		}
		return nil
	})
	d.tell(CaseOpened)
	if got := d.recent(e); len(got) != 1 || got[0].Status != Failed || len(d.claim(e, 9, d.now.Add(time.Minute))) != 0 {
		t.Errorf("a disabled endpoint has %+v", got)
	}
}

// An endpoint that answers 410 answers a whole flight so. Those who keep that, and a colleague who disables it meanwhile, don't
// stand in each other's way.
func TestAWholeFlightIsAnsweredGone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const flight = 8
	for range 5 {
		e := d.add("app.example.com", "case.opened")
		for range 2 * flight {
			d.tell(CaseOpened)
		}
		begin := make(chan struct{})
		var all sync.WaitGroup
		at := func(work func(tx *sql.Tx) error) {
			all.Go(func() {
				<-begin
				err := d.db.Do(t.Context(), work)
				if err != nil {
					t.Error(err)
				}
			})
		}
		for _, x := range d.claim(e, flight, d.now.Add(time.Minute)) {
			at(func(tx *sql.Tx) error {
				return Conclude(t.Context(), tx, x, Outcome{Code: 410, Reason: "It answered 410."}, d.now)
			})
		}
		at(func(tx *sql.Tx) error { return d.endpoints.Disable(t.Context(), tx, e.ID, d.now) })
		close(begin)
		all.Wait()
		for _, x := range d.recent(e) {
			if x.Status != Failed {
				t.Errorf("a delivery to an endpoint that is gone is %s", x.Status)
			}
		}
	}
}

// Whoever read the endpoints before one was disabled, and writes after it, writes for one that is told nothing, also not after
// it is enabled again.
func TestWhatIsWrittenForADisabledEndpointIsNeverTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	e := d.add("app.example.com", "case.opened")
	d.do(func(tx *sql.Tx) error { return d.endpoints.Disable(t.Context(), tx, e.ID, d.now) })
	late := func(id string) {
		d.do(func(tx *sql.Tx) error {
			return insert(t.Context(), tx, Delivery{ID: id, MessageID: id, EndpointID: e.ID, CustomerID: "cus_1", Type: CaseOpened, Body: "{}", CreatedAt: d.now.Unix()})
		})
	}
	late("dlv_old")
	d.now = d.now.Add(keptFor + time.Hour)
	late("dlv_new")
	d.do(func(tx *sql.Tx) error { return Prune(t.Context(), tx, d.now) })
	if got := d.recent(e); len(got) != 1 || got[0].ID != "dlv_new" {
		t.Errorf("a month later there is %+v", got)
	}
	d.do(func(tx *sql.Tx) error { return d.endpoints.Enable(t.Context(), tx, e.ID, d.now) })
	if got := d.recent(e); len(got) != 1 || got[0].Status != Failed || got[0].Reason == "" || len(d.claim(e, 9, d.now.Add(time.Minute))) != 0 {
		t.Errorf("enabled it is told %+v", got)
	}
	d.tell(CaseOpened)
	d.do(func(tx *sql.Tx) error { return d.endpoints.Enable(t.Context(), tx, e.ID, d.now) }) // of a page that was open before
	if got := d.claim(e, 9, d.now.Add(time.Minute)); len(got) != 1 {
		t.Errorf("of what happens then it is told %+v", got)
	}
}

// A secret that was kept under another key of the installation is no secret any more: nothing is signed with it, and a new one
// mends it.
func TestAnotherSessionKeyNeedsNewSecrets(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	e := d.add("app.example.com", "case.opened")
	d.do(func(tx *sql.Tx) error {
		others, err := NewEndpoints(strings.Repeat("x", 40), nil)
		if err != nil {
			return err
		}
		_, err = others.Sign(e, Delivery{MessageID: "msg_1"}, d.now)
		if err == nil {
			t.Error("it is signed under another key")
		}
		_, err = others.Rotate(t.Context(), tx, e.ID, d.now)
		if err != nil {
			return err
		}
		e, err = others.Find(t.Context(), tx, e.ID)
		if err != nil {
			return err
		}
		signed, err := others.Sign(e, Delivery{MessageID: "msg_1"}, d.now)
		if err != nil || len(strings.Fields(signed.Signature)) != 1 {
			t.Errorf("with a new secret it is signed %q, %v", signed.Signature, err)
		}
		return nil
	})
}
