package portal

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/link"
)

// putBack looks whether the database is a copy on which nobody has begun to work. If so it is brought from the state in which
// it was copied to one from which nothing is said, charged or done a second time, and whoever reads the log is told.
func (p *Portal) putBack(ctx context.Context, sessions *link.Store) error {
	var copied time.Time
	var done dunning.PutBack
	is := false
	err := p.patiently(ctx, func(tx *sql.Tx) error {
		// One lock for all: of two programs that start at once the second finds that there is nothing left to do. It stands for
		// those of all customers, of whom a server could not count so many, since nobody works before this is done.
		err := database.HoldQuietly(ctx, tx, "put back")
		if err != nil {
			return err
		}
		copied, is, err = database.CopiedAt(ctx, tx)
		if err != nil || !is {
			return err
		}
		now := p.now()
		done, err = p.Cases.PutBack(ctx, tx, copied, now)
		if err != nil {
			return err
		}
		err = p.Intake.PutBack(ctx, tx)
		if err != nil {
			return err
		}
		err = p.Members.SignOutAll(ctx, tx) // whoever was shut out since is not let in again by an old cookie
		if err != nil {
			return err
		}
		err = sessions.EndAll(ctx, tx)
		if err != nil {
			return err
		}
		err = database.Begun(ctx, tx)
		if err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Entry{At: now, Actor: "program", Action: "database.restored", Detail: "copied at " + copied.UTC().Format(time.RFC3339)})
	})
	if err != nil {
		return fmt.Errorf("begin to work on a copy of the database: %w", err)
	}
	if is {
		p.log.WarnContext(ctx, "this database was put back from a copy: all sending is stopped, and nothing is charged by itself, until you have looked at /admin/sending "+
			"and resume it there or with `sollecito sending resume`; what Stripe did since is read first. What may have been sent since the copy is kept as uncertain and not sent again",
			"copied", copied.UTC().Format(time.RFC3339), "mails_that_waited", done.Mails, "steps_since", done.Steps, "retries_passed_over", done.Retries, "final_acts_to_decide", done.Finals)
		p.log.WarnContext(ctx, "everybody is signed out; API keys, colleagues, links and webhooks are as they were in the copy: end again what was ended since. What your app was told "+
			"of access after it is not known here: let it ask /api/v1/customers/{id}/access anew for everybody to whom it does not give full access. Webhooks wait until sending is resumed")
	}
	return nil
}

// patience is how often a program that starts waits for one that puts the database back, each time for as long as a lock is
// waited for: ten seconds at PostgreSQL.
const patience = 180

// toldEach is how many of these waits are one line in the log: a minute of them.
const toldEach = 6

// patiently does the work of putBack while another program may be at it, which takes long with many customers. What that holds
// ends with its connection, so that nobody is waited for who is gone. Each minute the log says that it waits, and for what: it
// may be somebody else who holds what is needed.
func (p *Portal) patiently(ctx context.Context, work func(tx *sql.Tx) error) error {
	for try := 1; ; try++ {
		err := p.DB.Do(ctx, work)
		if err == nil || ctx.Err() != nil || !database.Locked(err) || try == patience {
			return err
		}
		if try%toldEach == 1 {
			p.log.WarnContext(ctx, "this database was put back from a copy, and another program seems to begin to work on it or to hold a part of it; this one waits for it",
				"tries", try, "of", patience, "err", err)
		}
	}
}
