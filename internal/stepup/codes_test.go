package stepup_test

import (
	"database/sql"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
	"sollecito/internal/stepup"
)

// Every test of this package is told on SQLite and on PostgreSQL.
func TestMain(m *testing.M) { os.Exit(databasetest.Main(m)) }

// world is a database, codes on it, and real time that is moved.
type world struct {
	t     *testing.T
	db    *database.DB
	codes *stepup.Codes
	now   time.Time
}

func open(t *testing.T) *world {
	t.Helper()
	db, err := database.Open(t.Context(), databasetest.Migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{t: t, db: db, now: time.Unix(1_700_000_000, 0)}
	w.codes = stepup.NewCodes("a key", func() time.Time { return w.now })
	return w
}

func (w *world) do(f func(tx *sql.Tx) error) error { return w.db.Do(w.t.Context(), f) }

// ask asks for a code and answers what its letter says.
func (w *world) ask(need stepup.Need) string {
	w.t.Helper()
	digits := ""
	err := w.do(func(tx *sql.Tx) error {
		err := w.codes.Ask(w.t.Context(), tx, need, w.now)
		if err != nil {
			return err
		}
		letters, err := outbox.OfCustomer(w.t.Context(), tx, need.CustomerID)
		if err != nil {
			return err
		}
		digits, err = w.write(tx, letters)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return digits
}

// write writes the one letter that somebody waits for.
func (w *world) write(tx *sql.Tx, letters []outbox.Notice) (string, error) {
	var last error
	for _, n := range letters {
		digits, _, err := w.codes.Write(w.t.Context(), tx, n.SubjectID)
		if err == nil {
			return digits, nil
		}
		last = err
	}
	return "", last
}

func (w *world) try(need stepup.Need, typed string) stepup.Verdict {
	w.t.Helper()
	var verdict stepup.Verdict
	err := w.do(func(tx *sql.Tx) error {
		var err error
		verdict, err = w.codes.Try(w.t.Context(), tx, need, typed)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return verdict
}

var need = stepup.Need{CustomerID: "cus_1", Session: "session", Purpose: stepup.RemoveMethod, Subject: "pm_1"}

func TestACodeProvesOneThingOnce(t *testing.T) {
	t.Parallel()
	w := open(t)
	digits := w.ask(need)
	for name, other := range map[string]stepup.Need{
		"another customer": {CustomerID: "cus_2", Session: need.Session, Purpose: need.Purpose, Subject: need.Subject},
		"another session":  {CustomerID: need.CustomerID, Session: "another", Purpose: need.Purpose, Subject: need.Subject},
		"another act":      {CustomerID: need.CustomerID, Session: need.Session, Purpose: "another", Subject: need.Subject},
		"another thing":    {CustomerID: need.CustomerID, Session: need.Session, Purpose: need.Purpose, Subject: "pm_2"},
	} {
		if got := w.try(other, digits); got != stepup.Void {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := w.try(need, digits+"0"); got != stepup.Wrong {
		t.Errorf("a digit too many: %s", got)
	}
	if got := w.try(need, digits); got != stepup.Right {
		t.Errorf("the code: %s", got)
	}
	if got := w.try(need, digits); got != stepup.Void {
		t.Errorf("once more: %s", got)
	}
}

func TestACodeIsReadAsItIsTyped(t *testing.T) {
	t.Parallel()
	w := open(t)
	arabic := strings.NewReplacer("0", "٠", "1", "١", "2", "٢", "3", "٣", "4", "٤", "5", "٥", "6", "٦", "7", "٧", "8", "٨", "9", "٩")
	wide := strings.NewReplacer("0", "０", "1", "１", "2", "２", "3", "３", "4", "４", "5", "５", "6", "６", "7", "７", "8", "８", "9", "９")
	for n, as := range []func(string) string{
		func(d string) string { return d[:3] + " " + d[3:] },
		func(d string) string { return "\u2068" + d[:3] + "-" + d[3:] + "\u2069\r\n" },
		arabic.Replace, wide.Replace,
	} {
		need := need
		need.CustomerID = string(rune('a' + n))
		digits := w.ask(need)
		if got := w.try(need, as(digits)); got != stepup.Right {
			t.Errorf("%q for %s: %s", as(digits), digits, got)
		}
	}
}

func TestACodeEnds(t *testing.T) {
	t.Parallel()
	w := open(t)
	digits := w.ask(need)
	w.now = w.now.Add(stepup.Life - time.Second)
	first := digits
	digits = w.ask(need)
	if first != digits {
		if got := w.try(need, first); got != stepup.Wrong {
			t.Errorf("the earlier code: %s", got)
		}
	}
	w.now = w.now.Add(stepup.Life - time.Second)
	if got := w.try(need, "x"); got != stepup.Wrong {
		t.Errorf("a second before its end: %s", got)
	}
	w.now = w.now.Add(time.Second)
	if got := w.try(need, digits); got != stepup.Void {
		t.Errorf("at its end: %s", got)
	}
}

func TestALetterNobodyWaitsForHasNoCode(t *testing.T) {
	t.Parallel()
	w := open(t)
	err := w.do(func(tx *sql.Tx) error {
		err := w.codes.Ask(t.Context(), tx, need, w.now)
		if err != nil {
			return err
		}
		letters, err := outbox.OfCustomer(t.Context(), tx, need.CustomerID)
		if err != nil {
			return err
		}
		w.now = w.now.Add(time.Hour) // the mail server was away
		_, err = w.write(tx, letters)
		return err
	})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}

func TestFewCodesAreSent(t *testing.T) {
	t.Parallel()
	w := open(t)
	for range stepup.MostAsked {
		w.ask(need)
	}
	other := need
	other.Session = "another" // a new session earns no new codes
	err := w.do(func(tx *sql.Tx) error { return w.codes.Ask(t.Context(), tx, other, w.now) })
	if !fault.Is(err, fault.TooMany) {
		t.Errorf("one more: %v", err)
	}
}

// Tries at the same moment are no more than tries one after the other, and the right code wins once.
func TestTriesAtTheSameMoment(t *testing.T) {
	t.Parallel()
	w := open(t)
	digits := w.ask(need)
	var right atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if w.try(need, digits) == stepup.Right {
				right.Add(1)
			}
		})
	}
	all.Wait()
	if right.Load() != 1 {
		t.Errorf("it proved %d times", right.Load())
	}
	w.ask(need)
	var heard atomic.Int64
	for range 20 {
		all.Go(func() {
			if w.try(need, "nonsense") == stepup.Wrong {
				heard.Add(1)
			}
		})
	}
	all.Wait()
	if heard.Load() >= stepup.MostTries {
		t.Errorf("%d tries were heard", heard.Load())
	}
}
