package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/mail"
	"sollecito/internal/outbox"
)

const (
	// Of a claimed batch so many at once are decided aside, while those before them are handed over.
	asideBatch = 64
	// For so long what was decided aside may be acted on, were nothing changed.
	asideFor = 5 * time.Second
)

// mailing is a mail that may go, as it was decided.
type mailing struct {
	next  outbox.Notice    // as it is begun
	who   billing.Customer // its customer
	say   dunning.Say
	draft *Draft

	letter mail.Post   // the draft, drawn
	copy   outbox.Copy // what is kept of it
}

// aside is a mail that was decided in no transaction of its own: beside those that begin the mails before it. It goes only
// where all it was decided by still stands.
type aside struct {
	mailing
	at   time.Time // when it was decided
	held int64     // how often its customer had been held by then (database.Held)
}

// claim is a claimed notice on its way to a line.
type claim struct {
	outbox.Notice
	aside *aside // nil when nothing was decided of it yet
}

// aside decides about those of some notices that can be decided by reading alone: reminders that go, each the only mail of
// its customer. Of the others, and when something fails, it answers nothing: they are decided when their turn comes.
func (s *Sender) aside(ctx context.Context, notices []outbox.Notice) map[string]*aside {
	reminders := slices.DeleteFunc(slices.Clone(notices), func(n outbox.Notice) bool { return n.Kind != outbox.Reminder })
	if len(reminders) == 0 {
		return nil
	}
	all, err := s.foresee(ctx, reminders)
	if err == nil {
		return all
	}
	if ctx.Err() == nil {
		s.Log.WarnContext(ctx, "reminders could not be decided aside, they are when their turn comes", "err", err)
	}
	return nil
}

// foresee answers the reminders that go, written and drawn.
func (s *Sender) foresee(ctx context.Context, reminders []outbox.Notice) (all map[string]*aside, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	err = s.DB.See(ctx, func(tx *sql.Tx) error {
		all, err = s.writeAside(ctx, tx, reminders, s.Now())
		return err
	})
	if err != nil {
		return nil, err
	}
	drawing := s.draw(ctx, len(all))
	for _, a := range all {
		drawing.add(&a.mailing)
	}
	return all, drawing.finish()
}

func (s *Sender) writeAside(ctx context.Context, tx *sql.Tx, reminders []outbox.Notice, now time.Time) (map[string]*aside, error) {
	customers := make([]string, len(reminders))
	for i, n := range reminders {
		customers[i] = n.CustomerID
	}
	held, err := database.Held(ctx, tx, customers) // before all else is read
	if err != nil {
		return nil, err
	}
	alone, err := outbox.OneMail(ctx, tx, customers)
	if err != nil {
		return nil, err
	}
	who, err := billing.CustomersByID(ctx, tx, customers)
	if err != nil {
		return nil, err
	}
	fresh, err := s.Intake.Fresh(ctx, tx, slices.Collect(maps.Values(who)))
	if err != nil {
		return nil, err
	}
	to, err := s.Letters.Settled(ctx, tx, reminders, who)
	if err != nil {
		return nil, err
	}
	reminders = slices.DeleteFunc(reminders, func(n outbox.Notice) bool {
		return !alone[n.CustomerID] || !fresh[n.CustomerID] || to[n.ID] == ""
	})
	says, err := s.Cases.WhichWanted(ctx, tx, reminders, who, now)
	if err != nil {
		return nil, err
	}
	all := make(map[string]*aside, len(reminders))
	for _, n := range reminders {
		say := says[n.ID]
		if !say.Go {
			continue
		}
		n.Recipient = to[n.ID]
		a := &aside{mailing{next: n, who: who[n.CustomerID], say: say}, now, held[n.CustomerID]}
		draft, err := s.Letters.Write(ctx, tx, &a.next, say, a.who, now)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		a.draft = &draft
		all[n.ID] = a
	}
	return all, nil
}

// standing answers the turns whose mail goes as it was decided aside, and those that are still to be decided. It asks for
// what is changed without holding a customer, too: news of Stripe that waits to be read, addresses that came back.
func (s *Sender) standing(ctx context.Context, tx *sql.Tx, asking []*turn, now time.Time) (going, others []*turn, err error) {
	var who []billing.Customer
	var customers, addresses []string
	for _, t := range asking {
		a := t.claim.aside
		if a != nil {
			who, customers, addresses = append(who, a.who), append(customers, a.who.ID), append(addresses, a.next.Recipient)
		}
	}
	if len(who) == 0 {
		return nil, asking, nil
	}
	held, err := database.Held(ctx, tx, customers)
	if err != nil {
		return nil, nil, err
	}
	fresh, err := s.Intake.Fresh(ctx, tx, who)
	if err != nil {
		return nil, nil, err
	}
	suppressed, err := outbox.Suppressed(ctx, tx, addresses)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range asking {
		a := t.claim.aside
		if a == nil || now.Before(a.at) || now.Sub(a.at) > asideFor || held[a.who.ID] != a.held || !fresh[a.who.ID] {
			others = append(others, t)
			continue
		}
		_, stopped := suppressed[outbox.Normal(a.next.Recipient)]
		if stopped {
			others = append(others, t)
			continue
		}
		t.mailing = a.mailing
		going = append(going, t)
	}
	return going, others, nil
}
