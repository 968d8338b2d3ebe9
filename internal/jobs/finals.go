package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/campaign"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/intake"
)

// FinalStripe is what a final act asks of Stripe. Each answers fault.NotFound when what it is about has ended already.
type FinalStripe interface {
	CancelSubscription(ctx context.Context, id, comment string) error
	PauseCollection(ctx context.Context, id, key string) error
	MarkUncollectible(ctx context.Context, id, key string) error
}

// Finals carries out the final acts that were ordered. Right before each call the customer is read from Stripe again, and
// the intent to call is committed. An act that the end of the program cut off is taken up where it was; what had been done
// by then is not asked for again.
type Finals struct {
	DB     *database.DB
	Cases  *dunning.Cases
	Intake *intake.Intake
	Stripe FinalStripe
	Now    func() time.Time
	Log    *slog.Logger
}

const (
	finalBatch = 20
	finalLease = 2 * time.Minute // after which another takes up what was begun
	finalAgain = 5 * time.Minute // when Stripe did not answer
)

// RunOnce carries out the acts that are due, and answers how many. While sending is stopped none is: whoever stopped it
// wanted everything to stand still.
func (f *Finals) RunOnce(ctx context.Context) (int, error) {
	var due []dunning.Final
	err := f.DB.See(ctx, func(tx *sql.Tx) error {
		sending, err := dunning.SendingSwitch(ctx, tx)
		if err != nil || sending.Stopped {
			return err
		}
		due, err = f.Cases.DueFinals(ctx, tx, f.Now(), finalBatch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find final acts: %w", err)
	}
	done := 0
	for _, act := range due {
		claimed := false
		err = f.DB.Do(ctx, func(tx *sql.Tx) error {
			var err error
			claimed, err = f.Cases.ClaimFinal(ctx, tx, act, f.Now(), f.Now().Add(finalLease))
			return err
		})
		if err != nil {
			return done, err
		}
		if !claimed {
			continue
		}
		done++
		err = f.carryOut(ctx, act)
		if err != nil && !passes(ctx, err) {
			f.Log.WarnContext(ctx, "a final act waits", "act", act.ID, "case", act.CaseID, "err", err)
			err = f.DB.Do(ctx, func(tx *sql.Tx) error { return f.Cases.PutOffFinal(ctx, tx, act, f.Now().Add(finalAgain)) })
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// Next answers when the next ordered act is due.
func (f *Finals) Next(ctx context.Context) (time.Time, bool, error) {
	var at int64
	var ok bool
	err := f.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		at, ok, err = f.Cases.NextFinal(ctx, tx)
		return err
	})
	return time.Unix(at, 0), ok, err
}

func (f *Finals) carryOut(ctx context.Context, act dunning.Final) error {
	for {
		err := f.Intake.Refresh(ctx, act.CustomerID)
		if err != nil {
			return err
		}
		var target dunning.Target
		var more bool
		err = f.DB.Do(ctx, func(tx *sql.Tx) error {
			var err error
			target, more, err = f.Cases.NextTarget(ctx, tx, act, f.Now())
			return err
		})
		if err != nil || !more {
			return err
		}
		passed := ""
		err = f.ask(ctx, act, target)
		if fault.Is(err, fault.NotFound) {
			passed, err = "Stripe did not take the order: it had ended already, or is managed elsewhere.", nil
		}
		if err != nil {
			return err
		}
		err = f.DB.Do(ctx, func(tx *sql.Tx) error {
			err := f.Cases.EndTarget(ctx, tx, target, passed, f.Now())
			if err != nil || passed != "" {
				return err
			}
			return audit.Append(ctx, tx, audit.Entry{
				At: f.Now(), Actor: "program", Action: "stripe." + string(act.Act), Object: act.CaseID, Detail: act.CustomerID + " " + target.Object,
			})
		})
		if err != nil {
			return err
		}
	}
}

// ask does the one call. Its key is that of this try: a failure that Stripe keeps under a key must not answer the next
// one, and asking twice for what has come to pass changes nothing.
func (f *Finals) ask(ctx context.Context, act dunning.Final, t dunning.Target) error {
	object, key := t.Object, fmt.Sprintf("%s-%s-%d", act.ID, t.Object, t.TriedAt)
	switch {
	case act.Act == campaign.ActWriteOff && strings.HasPrefix(object, "in_"):
		return f.Stripe.MarkUncollectible(ctx, object, key)
	case act.Act == campaign.ActPause:
		return f.Stripe.PauseCollection(ctx, object, key)
	case act.Act == campaign.ActCancel:
		return f.Stripe.CancelSubscription(ctx, object, "Its payment stayed overdue to the end of the reminders. Sollecito, "+act.ID)
	}
	return fmt.Errorf("no call for act %s on %s", act.Act, object)
}
