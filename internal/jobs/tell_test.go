package jobs_test

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"sollecito/internal/database"
	"sollecito/internal/jobs"
)

// What the mail server said after the final dot is known to the program alone. A database that fails just then, or
// whose answer is lost, even while the program is stopping, does not make the mail uncertain.
func TestAKnownOutcomeIsKeptThoughTheDatabaseFails(t *testing.T) {
	for name, failing := range map[string]struct{ begins, answers int32 }{
		"no transaction begins": {begins: 4},
		"answers are lost":      {answers: 2},
		"both":                  {begins: 2, answers: 1},
	} {
		t.Run(name, func(t *testing.T) {
			var broken outage
			now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
			db, catcher, sender := waiting(t, now, 1, []string{"first"}, database.Through(broken.through))
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			sender.Observe = func(string) { // the server has answered, the database does not know yet
				broken.begins.Store(failing.begins)
				broken.answers.Store(failing.answers)
				stop()
			}
			_, err := sender.RunOnce(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if broken.begins.Load() > 0 || broken.answers.Load() > 0 {
				t.Error("the database did not fail as often as it should have")
			}
			var status string
			err = db.See(t.Context(), func(tx *sql.Tx) error {
				return tx.QueryRow(`SELECT status FROM notices WHERE channel = 'email' AND step = 'first' AND kind = 'reminder'`).Scan(&status)
			})
			if err != nil || status != "sent" || len(catcher.Mails()) != 1 {
				t.Errorf("it is %q after %d mails: %v", status, len(catcher.Mails()), err)
			}
		})
	}
}

// Where only the answer to the commit that begins some mails is lost, they are begun: they go out, each once, and none is
// left to be called uncertain. One for which nothing was decided yet when the database failed waits, and goes later.
func TestMailsBegunByALostCommitGo(t *testing.T) {
	for name, failing := range map[string]struct{ passes, answers, begins int32 }{
		"of all together":     {passes: 1, answers: 1},
		"and of some by one":  {passes: 1, answers: 6},
		"and none begins for": {passes: 1, answers: 4, begins: 3},
		"of later ones":       {passes: 3, answers: 2},
	} {
		t.Run(name, func(t *testing.T) {
			var broken outage
			now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
			const customers = 16
			db, catcher, sender := waiting(t, now, customers, []string{"first"}, database.Through(broken.through))
			sender.Pause = func(d time.Duration) { time.Sleep(min(d, 5*time.Millisecond)) }
			broken.passes.Store(failing.passes)
			broken.answers.Store(failing.answers)
			broken.after.Store(failing.begins)
			for pass := range 3 {
				sender.Now = func() time.Time { return now.Add(time.Duration(pass) * 11 * time.Minute) }
				_, err := sender.RunOnce(t.Context())
				if err != nil {
					t.Fatal(err)
				}
			}
			if broken.answers.Load() > 0 || broken.begins.Load() > 0 {
				t.Error("the database did not fail as often as it should have")
			}
			var sent, others int
			err := db.See(t.Context(), func(tx *sql.Tx) error {
				return tx.QueryRow(`
					SELECT count(CASE WHEN status = 'sent' THEN 1 END), count(CASE WHEN status IN ('sending', 'uncertain', 'failed') THEN 1 END)
					FROM notices WHERE channel = 'email' AND step = 'first' AND kind = 'reminder'`).Scan(&sent, &others)
			})
			if err != nil || sent != customers || others != 0 {
				t.Errorf("%d sent, %d otherwise: %v", sent, others, err)
			}
			to := map[string]int{}
			for _, m := range catcher.Mails() {
				to[m.To]++
			}
			if len(catcher.Mails()) != customers || len(to) != customers {
				t.Errorf("%d mails to %d customers", len(catcher.Mails()), len(to))
			}
		})
	}
}

// A database that is away for a moment, or for longer, once mails are claimed, is nothing wrong with these: they go as soon as
// it is back, and nothing is counted against them.
func TestMailsGoOnceTheDatabaseIsBack(t *testing.T) {
	for name, begins := range map[string]int32{"for a moment": 5, "for long": 1000} {
		t.Run(name, func(t *testing.T) {
			broken := outage{as: io.ErrUnexpectedEOF}
			now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
			const customers = 6
			db, catcher, sender := waiting(t, now, customers, []string{"first"}, database.Through(broken.through))
			broken.spared.Store(1) // the claim
			broken.begins.Store(begins)
			_, err := sender.RunOnce(t.Context())
			if !database.Outage(err) {
				t.Errorf("while it is away: %v", err)
			}
			broken.begins.Store(0)
			_, err = sender.RunOnce(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var sent, stumbles int
			err = db.See(t.Context(), func(tx *sql.Tx) error {
				return tx.QueryRow(`SELECT count(CASE WHEN status = 'sent' THEN 1 END), max(stumbles) FROM notices WHERE channel = 'email'`).Scan(&sent, &stumbles)
			})
			if err != nil || sent != customers || stumbles != 0 || len(catcher.Mails()) != customers {
				t.Errorf("%d of %d mails are sent, %d came, %d stumbles: %v", sent, customers, len(catcher.Mails()), stumbles, err)
			}
		})
	}
}

// outage lets a database fail some times: at the begin of transactions, once some are spared, and with the answers to commits,
// once some have passed; after the last lost answer so many transactions do not begin.
type outage struct {
	as                                     error // what a failed begin says; errOutage when it is nil
	spared, begins, answers, passes, after atomic.Int32
}

func (o *outage) through(inner driver.Connector) driver.Connector { return outageConnector{inner, o} }

type outageConnector struct {
	driver.Connector
	outage *outage
}

// Connect implements driver.Connector.
func (c outageConnector) Connect(ctx context.Context) (driver.Conn, error) {
	made, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return outageConn{made.(engineConn), c.outage}, nil
}

// engineConn is what both engines' connections can do.
type engineConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
}

type outageConn struct {
	engineConn
	outage *outage
}

// BeginTx implements driver.ConnBeginTx.
func (c outageConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if c.outage.begins.Load() > 0 && c.outage.spared.Add(-1) < 0 {
		c.outage.begins.Add(-1)
		return nil, cmp.Or(c.outage.as, errOutage)
	}
	tx, err := c.engineConn.BeginTx(ctx, options)
	return outageTx{tx, c.outage}, err
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c outageConn) CheckNamedValue(v *driver.NamedValue) error {
	checker, checks := c.engineConn.(driver.NamedValueChecker)
	if !checks {
		return driver.ErrSkip
	}
	return checker.CheckNamedValue(v)
}

type outageTx struct {
	driver.Tx
	outage *outage
}

// Commit implements driver.Tx.
func (t outageTx) Commit() error {
	err := t.Tx.Commit()
	if err == nil && t.outage.answers.Load() > 0 {
		if t.outage.passes.Add(-1) >= 0 {
			return nil
		}
		if t.outage.answers.Add(-1) == 0 {
			t.outage.begins.Add(t.outage.after.Load())
		}
		return errOutage
	}
	return err
}

var errOutage = errors.New("connection lost")

// Whose customer somebody else holds waits for a minute, which is not counted. All others go on.
func TestOneCustomerInTheWayHoldsUpNoOther(t *testing.T) {
	broken := outage{as: &pgconn.PgError{Code: "55P03"}}
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	const customers = 3
	db, catcher, sender := waiting(t, now, customers, []string{"first"}, database.Through(broken.through))
	sender.Now = func() time.Time { return now }
	sender.Connections = customers // none is decided aside
	broken.spared.Store(1)         // the claim
	broken.begins.Store(1)
	for range 2 {
		_, err := sender.RunOnce(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
	}
	var sent, stumbles int
	err := db.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(CASE WHEN status = 'sent' THEN 1 END), max(stumbles) FROM notices WHERE channel = 'email'`).Scan(&sent, &stumbles)
	})
	if err != nil || sent != customers || stumbles != 0 || len(catcher.Mails()) != customers {
		t.Errorf("a minute later %d of %d mails are sent, %d came, %d stumbles: %v", sent, customers, len(catcher.Mails()), stumbles, err)
	}

	s := &jobs.Schedule{DB: db, Cases: sender.Cases, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	for range 2 {
		_, err := s.RunOnce(t.Context()) // what is to be done at a start
		if err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(72 * time.Hour)
	broken.spared.Store(1) // they are found
	broken.begins.Store(2) // together, and the first by itself
	done, err := s.RunOnce(t.Context())
	if err != nil || done != customers {
		t.Errorf("%d cases were dealt with: %v", done, err)
	}
	waits := 0
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM cases WHERE next_step_at = $1`, now.Add(time.Minute).Unix()).Scan(&waits)
	})
	if err != nil || waits != 1 {
		t.Errorf("%d cases wait for a minute: %v", waits, err)
	}
}
