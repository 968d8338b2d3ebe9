package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"sollecito/internal/portal"
)

// keepEvery is how old, in real time, what is written down may grow while much happens.
const keepEvery = 200 * time.Millisecond

// play connects the portal to the stand-in, tells the story if it has not been told, and then keeps the demo going.
func (d *Demo) play() {
	err := d.rise()
	if err != nil && d.life.Err() == nil {
		d.end(err)
	}
	if err != nil {
		return
	}
	often := time.NewTicker(time.Second)
	defer often.Stop()
	for {
		select {
		case <-d.life.Done():
			return
		case <-often.C:
		}
		err = d.keepUnlessMoving()
		if err != nil {
			d.log.Error("the demo could not be kept", "err", err)
		}
	}
}

func (d *Demo) rise() error {
	ctx := d.life
	err := d.connect(ctx)
	if err != nil {
		return fmt.Errorf("connect the portal to the stand-in: %w", err)
	}
	if !d.memory.seeded() {
		err = d.memory.begin()
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(merchantZone)
		if err != nil {
			return err
		}
		d.moving.Lock()
		err = d.seed(ctx, curtainTime(d.options.Real(), zone))
		d.moving.Unlock()
		if err != nil {
			return fmt.Errorf("play the story: %w", err)
		}
	}
	if d.memory.record().Secret == "" { // a folder from before staff had a second factor
		err = d.hire(ctx)
		if err != nil {
			return err
		}
	}
	err = d.portal.Start(ctx)
	if err != nil {
		return err
	}
	d.risen.Store(true)
	return nil
}

// connect has the stand-in send its events to the portal. The address of an earlier run is given up.
func (d *Demo) connect(ctx context.Context) error {
	webhook := d.base + "/webhooks/stripe"
	before := d.memory.record().Webhook
	if before != "" && before != webhook {
		endpoints, err := d.stripe.call(ctx, http.MethodGet, "/v1/webhook_endpoints", form{"limit": "100"})
		if err != nil {
			return err
		}
		for _, e := range endpoints.Data {
			if e.URL != before {
				continue
			}
			_, err = d.stripe.call(ctx, http.MethodDelete, "/v1/webhook_endpoints/"+e.ID, nil)
			if err != nil {
				return err
			}
		}
	}
	_, err := d.portal.Stripe.EnsureEndpoint(ctx, webhook)
	if err != nil {
		return err
	}
	d.memory.setAddresses(webhook, d.stripe.base)
	return nil
}

// keep writes down how everything stands.
func (d *Demo) keep() error {
	d.kept = d.options.Real()
	return errors.Join(d.memory.write(d.clock.Offset(), d.sandbox), d.mailbox.keep())
}

// keepWithClock is keep, and tells the portal's database where the clock stands: commands reckon with it.
func (d *Demo) keepWithClock(ctx context.Context) error {
	return errors.Join(portal.KeepDemoClock(ctx, d.portal.DB, d.clock.Offset()), d.keep())
}

// keepSometimes is keep for what comes many times in a second, the steps of a walk.
func (d *Demo) keepSometimes() error {
	since := d.options.Real().Sub(d.kept)
	if since >= 0 && since < keepEvery {
		return nil
	}
	return d.keep()
}

// keepUnlessMoving leaves it to a move under way to keep what it does.
func (d *Demo) keepUnlessMoving() error {
	if !d.moving.TryLock() {
		return nil
	}
	defer d.moving.Unlock()
	return d.keep()
}
