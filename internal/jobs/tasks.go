package jobs

import (
	"context"
	"time"

	"sollecito/internal/checkout"
	"sollecito/internal/fault"
	"sollecito/internal/intake"
	"sollecito/internal/link"
)

const (
	eventBatch = 100
	mendBatch  = 20
)

// Work is everything the tasks are made of.
type Work struct {
	Intake   *intake.Intake
	Desk     *checkout.Desk
	Retries  *Retries
	Schedule *Schedule
	Sender   *Sender
	Returns  *Returns
	Promises *Promises
	Sessions *link.Store
	Heads    *Heads
	Finals   *Finals
	App      *Deliveries
}

// Tasks is the table of background work, in the order in which one task's work leads to the next one's. The portal adds
// tasks that are not about notices: its presence on the database, the deletion of what is left of the erased, and the
// mailbox.
func (w Work) Tasks() []Task {
	tasks := []Task{
		{Name: "events", RunOnce: w.events, Every: time.Second},
		{Name: "reconcile", RunOnce: w.Intake.Reconcile, Every: time.Minute, Alone: true}, // which looks at Stripe each quarter of an hour
		{Name: "readings", RunOnce: w.Intake.ReadAgain, Every: time.Minute, Next: w.Intake.NextReread},
		{Name: "promises", RunOnce: w.Promises.RunOnce, Every: time.Minute, Next: w.Promises.Next},
		{Name: "retries", RunOnce: w.Retries.RunOnce, Every: 30 * time.Second, Next: w.Retries.Next},
		{Name: "schedule", RunOnce: w.Schedule.RunOnce, Every: 30 * time.Second, Next: w.Schedule.Next},
		{Name: "finals", RunOnce: w.Finals.RunOnce, Every: 30 * time.Second, Next: w.Finals.Next},
		{Name: "send", RunOnce: w.Sender.RunOnce, Every: 30 * time.Second, Next: w.Sender.Next},
		{Name: "deliver", RunOnce: w.App.RunOnce, Every: 30 * time.Second, Next: w.App.Next},
		{Name: "mend", RunOnce: w.mend, Every: 30 * time.Second, Alone: true},
		{Name: "sweep", RunOnce: w.sweep, Every: time.Minute, Alone: true},
		{Name: "audit", RunOnce: w.Heads.RunOnce, Every: 5 * time.Minute, Alone: true}, // which tells once a day; whoever watches sees that it lives
	}
	if w.Returns.Addresses.On() {
		tasks = append(tasks, Task{Name: "returns", RunOnce: w.Returns.RunOnce, Every: 30 * time.Second, Alone: true})
	}
	return tasks
}

// events processes what Stripe told us. A kept card is put to use even when its browser never came back, and a
// declined one is counted even when its browser keeps silent, or never was one of our pages.
func (w Work) events(ctx context.Context) (int, error) {
	return w.Intake.RunOnce(ctx, eventBatch, func(ctx context.Context, e intake.Event) error {
		if e.Type == "setup_intent.setup_failed" || e.Type == "payment_intent.payment_failed" {
			err := w.Desk.Declined(ctx, e.ID, e.ObjectID)
			if err != nil {
				return err
			}
		}
		if e.Type != "setup_intent.succeeded" && e.Type != "setup_intent.setup_failed" {
			return nil
		}
		_, err := w.Desk.FinishCard(ctx, "", e.ObjectID)
		if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Conflict) || fault.Is(err, fault.TooMany) {
			return nil // not ours, or something changed meanwhile: the page tells the customer
		}
		return err
	})
}

func (w Work) mend(ctx context.Context) (int, error) {
	n, err := w.Desk.Mend(ctx, mendBatch)
	if err == nil {
		var removed int
		removed, err = w.Desk.MendRemovals(ctx, mendBatch)
		n += removed
	}
	if err == nil {
		var gone int
		gone, err = w.Desk.MendGuests(ctx, mendBatch)
		n += gone
	}
	if fault.Is(err, fault.Unavailable) {
		return 0, nil // Stripe does not answer; the next round asks again
	}
	return n, err
}

func (w Work) sweep(ctx context.Context) (int, error) {
	_, err := w.Sender.Sweep(ctx)
	if err != nil {
		return 0, err
	}
	err = w.App.Prune(ctx)
	if err != nil {
		return 0, err
	}
	return 0, w.Sessions.Sweep(ctx)
}
