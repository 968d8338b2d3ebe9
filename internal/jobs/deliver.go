package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/webhook"
)

// Deliveries tells the merchant's app what happened. Each endpoint has a flight of its own: a goroutine that delivers its
// messages, a few at a time. So an endpoint that hangs holds up no other, and as a task of its own this one holds up no
// mail.
//
// A message that was under way when the program ended is sent again under the same webhook-id: it arrives at least once, in
// no promised order. While sending is stopped because the database was put back from a copy, all messages wait, since those
// waiting in the copy are old news.
type Deliveries struct {
	DB        *database.DB
	Endpoints *webhook.Endpoints
	Client    *webhook.Client
	Now, Real func() time.Time
	Log       *slog.Logger
	Observe   func(taken bool) // told of each try; may be nil

	mu      sync.Mutex
	flying  map[string]bool     // endpoints with a flight of ours
	silence map[string]*silence // of an endpoint that has a flight or an outage
	tried   int                 // messages of the flights that landed since the last round looked
	failed  error               // likewise
	landed  chan struct{}       // one has
	inAir   sync.WaitGroup
}

const (
	flightSize   = 8                // messages to one endpoint under way at once
	flightLease  = 90 * time.Second // far longer than one can take
	flightLook   = time.Second      // how soon others are seen to while one is slow
	longestRound = 5 * time.Second
)

// RunOnce delivers what is due, and answers how many messages it tried. It returns when nothing is under way, or when some
// were tried and the round has lasted long enough; the next round goes on with what is still under way.
func (d *Deliveries) RunOnce(ctx context.Context) (int, error) {
	began := time.Now()
	total := 0
	for {
		err := d.takeOff(ctx)
		if err != nil {
			return total, err
		}
		tried, under, err := d.look()
		total += tried
		if err != nil || under == 0 || total > 0 && time.Since(began) > longestRound {
			return total, err
		}
		timer := time.NewTimer(flightLook)
		select {
		case <-d.landed:
		case <-timer.C:
		case <-ctx.Done():
			err = ctx.Err()
		}
		timer.Stop()
		if err != nil {
			return total, err
		}
	}
}

// look answers what landed since the last look and how many flights are under way.
func (d *Deliveries) look() (tried, under int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	tried, err = d.tried, d.failed
	d.tried, d.failed = 0, nil
	return tried, len(d.flying), err
}

// Wait returns when nothing is under way any more after the end of RunOnce's context.
func (d *Deliveries) Wait() { d.inAir.Wait() }

// takeOff begins a flight for each endpoint that has something to be told and has none.
func (d *Deliveries) takeOff(ctx context.Context) error {
	var due, all []webhook.Endpoint
	looks, known := d.waits(), false
	err := d.DB.See(ctx, func(tx *sql.Tx) error {
		sending, err := dunning.SendingSwitch(ctx, tx)
		if err != nil || sending.PutBack() {
			return err
		}
		due, err = webhook.Due(ctx, tx, d.Now(), d.Real())
		if err != nil || !looks {
			return err
		}
		all, err = d.Endpoints.All(ctx, tx)
		known = err == nil
		return err
	})
	if err != nil {
		return fmt.Errorf("find whom to tell: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.flying == nil {
		d.flying, d.silence, d.landed = map[string]bool{}, map[string]*silence{}, make(chan struct{}, 1)
	}
	if known {
		d.letGo(ctx, all)
	}
	for _, e := range due {
		if d.flying[e.ID] {
			continue
		}
		d.flying[e.ID] = true
		if d.silence[e.ID] == nil {
			d.silence[e.ID] = &silence{}
		}
		silence := d.silence[e.ID]
		d.inAir.Go(func() {
			tried, err := d.fly(ctx, e, silence)
			silence.tell(ctx, d.Log.With("endpoint", e.ID), "the merchant's app does not take its messages, they wait", "the merchant's app takes its messages again", d.Real())
			d.land(e.ID, tried, err)
		})
	}
	return nil
}

// waits reports whether the app's silence is waited for at some endpoint.
func (d *Deliveries) waits() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.silence) > 0
}

// letGo waits no more for endpoints that were disabled or removed while they were silent. The caller holds mu.
func (d *Deliveries) letGo(ctx context.Context, all []webhook.Endpoint) {
	told := map[string]bool{}
	for _, e := range all {
		told[e.ID] = e.DisabledAt == 0
	}
	for id, silence := range d.silence {
		if told[id] || d.flying[id] {
			continue
		}
		silence.end(ctx, d.Log.With("endpoint", id), "the merchant's app is told nothing here any more, it was disabled or removed while it did not take its messages", d.Real())
		delete(d.silence, id)
	}
}

func (d *Deliveries) land(endpoint string, tried int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.flying, endpoint)
	if d.silence[endpoint].over() {
		delete(d.silence, endpoint)
	}
	d.tried += tried
	d.failed = errors.Join(d.failed, err)
	select {
	case d.landed <- struct{}{}:
	default: // it is going to look anyway
	}
}

// fly takes some messages to one endpoint in hand, sends them side by side and keeps what came of each. It answers how many
// it tried.
func (d *Deliveries) fly(ctx context.Context, e webhook.Endpoint, silence *silence) (int, error) {
	var claimed []webhook.Delivery
	err := d.DB.Do(ctx, func(tx *sql.Tx) error {
		var err error
		claimed, err = webhook.Claim(ctx, tx, d.DB.SkipLocked(), e.ID, d.Now(), d.Real(), d.Real().Add(flightLease), flightSize)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("take messages to %s in hand: %w", e.ID, err)
	}
	var group sync.WaitGroup
	outcomes := make([]error, len(claimed))
	for i, delivery := range claimed {
		group.Go(func() { outcomes[i] = d.deliver(ctx, e, delivery, silence) })
	}
	group.Wait()
	return len(claimed), errors.Join(outcomes...)
}

// deliver tries one message. Where the program ends meanwhile nobody knows whether it arrived: it is given back, and goes
// again.
func (d *Deliveries) deliver(ctx context.Context, e webhook.Endpoint, delivery webhook.Delivery, silence *silence) error {
	headers, err := d.Endpoints.Sign(e, delivery, d.Real())
	outcome := webhook.Outcome{Reason: "It could not be signed: the endpoint's secret was kept under another SOLLECITO_SESSION_KEY. Make a new secret."}
	if err == nil {
		outcome = d.Client.Post(ctx, e.Address, headers, delivery.Body)
	} else {
		d.Log.ErrorContext(ctx, "a message to the merchant's app could not be signed", "endpoint", e.ID, "err", err)
	}
	unknown := ctx.Err() != nil && !outcome.Taken()
	keep := context.WithoutCancel(ctx)
	err = d.DB.Do(keep, func(tx *sql.Tx) error {
		if unknown {
			return webhook.Release(keep, tx, delivery)
		}
		return webhook.Conclude(keep, tx, delivery, outcome, d.Now())
	})
	if err != nil {
		return fmt.Errorf("conclude delivery %s: %w", delivery.ID, err)
	}
	if d.Observe != nil && !unknown {
		d.Observe(outcome.Taken())
	}
	switch {
	case unknown:
	case outcome.Taken():
		silence.answers()
	default:
		silence.fails(delivery.ID, outcome.Reason, d.Real())
	}
	return nil
}

// Next answers when the next message is to be tried.
func (d *Deliveries) Next(ctx context.Context) (time.Time, bool, error) {
	var at int64
	var ok bool
	err := d.DB.See(ctx, func(tx *sql.Tx) error {
		sending, err := dunning.SendingSwitch(ctx, tx)
		if err != nil || sending.PutBack() {
			return err
		}
		at, ok, err = webhook.NextDue(ctx, tx, d.Real())
		return err
	})
	return time.Unix(at, 0), ok, err
}

// Prune forgets what was told long ago.
func (d *Deliveries) Prune(ctx context.Context) error {
	return d.DB.Do(ctx, func(tx *sql.Tx) error { return webhook.Prune(ctx, tx, d.Now()) })
}
