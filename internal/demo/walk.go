package demo

import (
	"context"
	"fmt"
	"time"
)

// heldStep is how far the walk goes at once while something of the portal's is due but held back (sending is
// stopped): what else comes due behind it is then seen at most this much later.
const heldStep = 3 * time.Hour

// walk moves the clock to target by way of every instant at which something is due, at the stand-in or at the
// portal, and lets it happen there before it goes on.
func (d *Demo) walk(ctx context.Context, target time.Time) error {
	err := d.approach(ctx, target)
	if err != nil {
		return err
	}
	return d.leap(ctx, target)
}

// leap moves the clock to target at once, as if everything had stood still meanwhile, and lets happen what came due.
func (d *Demo) leap(ctx context.Context, target time.Time) error {
	d.clock.To(target)
	return d.finish(ctx)
}

// finish ends every act: all that follows from it has happened, and is kept, before its caller is answered.
func (d *Demo) finish(ctx context.Context) error {
	for range 2 { // the second time for what a task in the background caused during the first
		err := d.settle(ctx)
		if err != nil {
			return err
		}
	}
	return d.keepWithClock(ctx)
}

// approach is walk without its last step: what is due at target itself is left to whoever settles there.
func (d *Demo) approach(ctx context.Context, target time.Time) error {
	for {
		err := d.settle(ctx)
		if err != nil {
			return err
		}
		next, ok, err := d.nextInstant(ctx)
		if err != nil {
			return err
		}
		if !ok || next.After(target) {
			d.clock.To(target)
			return nil
		}
		d.clock.To(next)
	}
}

// nextInstant answers the earliest instant after now at which something is due, and false when nothing is. What was
// due and is still there after settling is held back by something that time alone does not mend.
func (d *Demo) nextInstant(ctx context.Context) (time.Time, bool, error) {
	now := d.clock.Now()
	next, ok := d.sandbox.NextDue()
	ok = ok && next.After(now)
	ours, due, err := d.portal.NextDue(ctx)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("find what is due next: %w", err)
	}
	if !due {
		return next, ok, nil
	}
	if !ours.After(now) {
		ours = now.Add(heldStep)
	}
	if !ok || ours.Before(next) {
		return ours, true, nil
	}
	return next, true, nil
}

// settle lets everything happen that is due now, until neither side has anything left to do, and keeps the result.
func (d *Demo) settle(ctx context.Context) error {
	d.sandbox.RunDue(d.clock.Now())
	for {
		err := d.sandbox.DeliverWebhooks(ctx)
		if err != nil {
			return err
		}
		done, err := d.portal.Runner.Drain(ctx)
		if err != nil {
			return fmt.Errorf("let happen what is due: %w", err)
		}
		if done == 0 {
			return d.keepSometimes()
		}
	}
}
