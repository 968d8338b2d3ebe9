package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/dunning"
)

// Schedule takes the steps that are due.
type Schedule struct {
	DB    *database.DB
	Cases *dunning.Cases
	Now   func() time.Time
	Log   *slog.Logger

	mu        sync.Mutex           // never held while the database works, which may wait long: Next needs it
	resting   map[string]time.Time // what of a day's turn failed, and until when it is left alone
	held      []string             // cases that somebody else held when they were to follow another policy, and those not tried for them
	heldUntil time.Time            // when these are tried again

	following sync.Mutex // held while cases follow another policy
	followed  bool       // all cases are known to wait by the contact policy in force
	reached   string     // up to which case they are, before that
}

const (
	scheduleBatch = 100
	failedRests   = time.Hour // before what failed is tried again
	heldRests     = time.Minute
	mostHeld      = 3 // in one round that somebody else holds: each may be waited for as long as a lock is, and all else meanwhile
)

// RunOnce ends pauses whose day has come and looks at up to a batch of due cases in one transaction. Should one
// of them fail, each is looked at by itself, so that it holds up no other; it is looked at again in an hour.
// While sending is stopped no step is taken and cases keep their place; pauses end and due dates pass all the same.
func (s *Schedule) RunOnce(ctx context.Context) (int, error) {
	now := s.Now()
	ended, err := s.followPolicy(ctx, now)
	if err != nil {
		return 0, err
	}
	turns, due, err := s.find(ctx, now)
	if err != nil {
		return 0, err
	}
	ended += s.lookAhead(ctx, now)
	if turns {
		ended += s.turn(ctx, now, s.Cases.ElapsedPauses, s.Cases.EndPauses) + s.turn(ctx, now, s.Cases.PastDue, s.Cases.OpenPastDue)
		_, due, err = s.find(ctx, now) // with the cases that these put on the schedule
		if err != nil {
			return 0, err
		}
	}
	if len(due) == 0 {
		return ended, nil
	}
	err = s.advance(ctx, due, now)
	if err == nil {
		return ended + len(due), nil
	}
	if passes(ctx, err) {
		return 0, err
	}
	s.Log.ErrorContext(ctx, "a batch of cases failed, each is tried by itself", "err", err)
	for _, id := range due {
		err = s.advance(ctx, []string{id}, now)
		if err != nil && !passes(ctx, err) {
			wait := restAfter(err, failedRests)
			s.Log.ErrorContext(ctx, "case failed and waits", "case", id, "wait", wait, "err", err)
			err = s.DB.Do(ctx, func(tx *sql.Tx) error { return s.Cases.PutOff(ctx, tx, id, now.Add(wait)) })
		}
		if err != nil {
			return 0, err
		}
	}
	return ended + len(due), nil
}

// followPolicy plans a batch of open cases anew when the contact policy has changed since they were planned, so that what
// their pages foretell follows the policy in force. It answers how many it planned.
func (s *Schedule) followPolicy(ctx context.Context, now time.Time) (int, error) {
	s.following.Lock()
	defer s.following.Unlock()
	if s.followed {
		return 0, nil
	}
	var ids []string
	changed := false
	err := s.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		changed, err = s.Cases.PolicyChanged(ctx, tx)
		if err != nil || !changed {
			return err
		}
		ids, err = s.Cases.Waits(ctx, tx, s.reached, scheduleBatch, now)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find cases planned by another contact policy: %w", err)
	}
	waiting, until := s.heldNow()
	if changed && len(ids) == 0 && len(waiting) > 0 {
		if now.Before(until) {
			return 0, nil
		}
		return s.followHeld(ctx, waiting, now)
	}
	if changed && len(ids) == 0 {
		err = s.DB.Do(ctx, func(tx *sql.Tx) error { return s.Cases.KeepPolicy(ctx, tx) })
	}
	if len(ids) == 0 {
		s.followed = err == nil
		return 0, err
	}
	if s.reached == "" {
		s.Log.InfoContext(ctx, "the contact policy is another one, or this version keeps more of open cases: they are planned anew")
	}
	held, err := s.planAnew(ctx, ids, now)
	if err != nil {
		return 0, err
	}
	if len(held) > 0 {
		s.keepHeld(append(waiting, held...), now.Add(heldRests))
	}
	s.reached = ids[len(ids)-1]
	return len(ids), nil
}

// followHeld plans anew what was held by somebody else when its turn came. Until none of it is left, the policy that all cases
// wait by is not written down, so that whoever starts meanwhile begins anew.
func (s *Schedule) followHeld(ctx context.Context, waiting []string, now time.Time) (int, error) {
	batch, rest := waiting[:min(len(waiting), scheduleBatch)], waiting[min(len(waiting), scheduleBatch):]
	still, err := s.planAnew(ctx, batch, now)
	if err != nil {
		return 0, err
	}
	until := now
	if len(still) > 0 {
		until = now.Add(heldRests)
	}
	s.keepHeld(slices.Concat(rest, still), until)
	return len(batch) - len(still), nil
}

// planAnew gives cases the instants they have by what is in force now, together, and one by one should that fail. It answers
// those somebody else holds, after those it did not try because there were several. What fails for another reason is logged and
// keeps its time.
func (s *Schedule) planAnew(ctx context.Context, ids []string, now time.Time) (held []string, err error) {
	replan := func(ids []string) error {
		return s.change(ctx, func(tx *sql.Tx) error { return s.Cases.Replan(ctx, tx, ids, now) })
	}
	err = replan(ids)
	if err == nil || passes(ctx, err) {
		return nil, err
	}
	for i, id := range ids {
		if len(held) == mostHeld {
			return slices.Concat(ids[i:], held), nil
		}
		err = replan([]string{id})
		switch {
		case err == nil:
		case passes(ctx, err):
			return nil, err
		case database.InTheWay(err):
			held = append(held, id)
		default:
			s.Log.ErrorContext(ctx, "a case could not be planned anew and keeps its time", "case", id, "err", err)
		}
	}
	return held, nil
}

// find answers whether pauses end or due dates pass now, and a batch of due cases. It runs each time any task has done
// something, mostly in vain, so it only reads.
func (s *Schedule) find(ctx context.Context, now time.Time) (turns bool, due []string, err error) {
	err = s.DB.See(ctx, func(tx *sql.Tx) error {
		turns, err = s.Cases.DayTurns(ctx, tx, now)
		if err != nil {
			return err
		}
		sending, err := dunning.SendingSwitch(ctx, tx)
		if err != nil || sending.Stopped {
			return err
		}
		due, err = s.Cases.Due(ctx, tx, now.Unix(), scheduleBatch)
		return err
	})
	if err != nil {
		return false, nil, fmt.Errorf("find due cases: %w", err)
	}
	return turns, due, nil
}

// turn does a batch of what else a day brings (ends of pauses, due dates), in one transaction, and one by one should that
// fail. What fails then is logged, rests for an hour, and holds up nothing else. It answers how many it dealt with.
func (s *Schedule) turn(ctx context.Context, now time.Time, find func(context.Context, *sql.Tx, time.Time, int) ([]string, error), do func(context.Context, *sql.Tx, []string, time.Time) error) int {
	var ids []string
	resting := s.atRest(now)
	err := s.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		ids, err = find(ctx, tx, now, scheduleBatch+len(resting))
		return err
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "what the day brings could not be found", "err", err)
		return 0
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return resting[id] })
	together := func(ids []string) error {
		return s.change(ctx, func(tx *sql.Tx) error { return do(ctx, tx, ids, now) })
	}
	if len(ids) == 0 {
		return 0
	}
	err = together(ids)
	if err == nil {
		return len(ids)
	}
	if passes(ctx, err) {
		s.Log.WarnContext(ctx, "what the day brings waits", "err", err)
		return 0
	}
	s.Log.ErrorContext(ctx, "a batch of what the day brings failed, each is tried by itself", "err", err)
	done := 0
	for _, id := range ids {
		err = together([]string{id})
		if err != nil && passes(ctx, err) {
			return done
		}
		if err != nil {
			wait := restAfter(err, failedRests)
			s.Log.ErrorContext(ctx, "the day's turn failed and waits", "of", id, "wait", wait, "err", err)
			s.rest(id, now.Add(wait))
			continue
		}
		done++
	}
	return done
}

// atRest answers what failed within the hour.
func (s *Schedule) atRest(now time.Time) map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.resting, func(_ string, until time.Time) bool { return !until.After(now) })
	all := make(map[string]bool, len(s.resting))
	for id := range s.resting {
		all[id] = true
	}
	return all
}

func (s *Schedule) rest(id string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resting == nil {
		s.resting = map[string]time.Time{}
	}
	s.resting[id] = until
}

func (s *Schedule) advance(ctx context.Context, ids []string, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error { return s.Cases.AdvanceAll(ctx, tx, ids, now) })
}

// change is a transaction whose panic is an error like others: one case that panics must not keep the rest from being tried.
func (s *Schedule) change(ctx context.Context, work func(tx *sql.Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return s.DB.Do(ctx, work)
}

// Next answers when the earliest case is due.
func (s *Schedule) Next(ctx context.Context) (time.Time, bool, error) {
	var at int64
	var ok bool
	err := s.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		at, ok, err = s.Cases.NextDue(ctx, tx)
		if err != nil {
			return err
		}
		look, ahead, err := s.Cases.NextLook(ctx, tx, s.Now())
		if ahead && (!ok || look < at) {
			at, ok = look, true
		}
		return err
	})
	again, waits := s.heldAgain()
	if waits && (!ok || again < at) {
		at, ok = again, true
	}
	return time.Unix(at, 0), ok, err
}

// heldNow answers what was held by somebody else, and until when it rests.
func (s *Schedule) heldNow() ([]string, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.held), s.heldUntil
}

func (s *Schedule) keepHeld(held []string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held, s.heldUntil = held, until
}

// heldAgain answers when what somebody else held is planned anew, false when nothing is.
func (s *Schedule) heldAgain() (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heldUntil.Unix(), len(s.held) > 0
}
