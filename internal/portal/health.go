package portal

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"sollecito/internal/disk"
	"sollecito/internal/dunning"
	"sollecito/internal/intake"
	"sollecito/internal/metrics"
	"sollecito/internal/webhook"
	"sollecito/web"
)

const (
	lookEvery  = 2 * time.Second  // how long one look at the database serves: asking is free for strangers, writing is not
	eventEvery = time.Minute      // how long the last event's instant serves
	lookFor    = 2 * time.Second  // for the database to answer
	lateAfter  = 10 * time.Minute // past its interval without coming round, a task is held to be stuck; the longest mails take far less
	troubleOf  = 5 * time.Minute  // how long a failure of Stripe or the mail server is told when nobody asked them again
	leastRoom  = 32 * disk.MiB    // for the database to keep what comes while somebody makes room
)

// health is what the portal remembers of how it stands. Its instants are real time.
type health struct {
	looking  sync.Mutex // guards what a look at the database says; a slow one holds up nobody but who asks
	lookedAt time.Time
	database error     // what the last look said
	stopped  bool      // the switch over all sending, at the last look
	event    int64     // when Stripe last delivered something, in unix seconds
	eventAt  time.Time // when that was looked up, which takes a walk over all events
	missed   intake.Reconciled
	untold   untold

	mu           sync.Mutex // guards the troubles, which are told of in the middle of work
	stripe, mail trouble
}

// untold is what the merchant's app has not taken.
type untold struct {
	deaf   int   // endpoints that have taken nothing for days
	waits  int   // messages
	oldest int64 // since when the oldest of them waits, in unix seconds
}

// trouble remembers whether the last try to reach somebody failed.
type trouble struct{ since, last time.Time }

func (t *trouble) saw(failed bool) {
	now := time.Now()
	switch {
	case !failed:
		*t = trouble{}
	case t.since.IsZero():
		*t = trouble{since: now, last: now}
	default:
		t.last = now
	}
}

// lasting answers since when it lasts, zero when there is none or it was long ago.
func (t *trouble) lasting() time.Time {
	if time.Since(t.last) >= troubleOf {
		return time.Time{}
	}
	return t.since
}

// seeStripe is told of every exchange with Stripe.
func (p *Portal) seeStripe(method, path string, status int, took time.Duration) {
	p.Metrics.Stripe(method, path, status, took)
	p.health.mu.Lock()
	defer p.health.mu.Unlock()
	// A refused key is Stripe out of reach for us: nothing can be asked until somebody mends it.
	p.health.stripe.saw(status == 0 || status >= 500 || status == 401)
}

// seeMail is told of every try to hand over a mail.
func (p *Portal) seeMail(outcome string) {
	p.Metrics.Mail(outcome)
	p.health.mu.Lock()
	defer p.health.mu.Unlock()
	p.health.mail.saw(outcome == "unreachable" || outcome == "turned_away")
}

// seeDelivery is told of every try to hand a webhook to the merchant's app.
func (p *Portal) seeDelivery(taken bool) { p.Metrics.Delivery(taken) }

// Readiness answers how the portal stands. Only what keeps it from keeping anything makes it unavailable: while Stripe
// or the mail server does not answer, pages still speak from what is stored and webhooks are still kept.
func (p *Portal) Readiness() web.Readiness {
	if !p.ready.Load() {
		return web.Readiness{Checks: []web.Check{{Name: "portal", Status: web.Failed, Reason: "It is starting or stopping."}}}
	}
	stopped, event, missed, untold, database := p.look()
	p.health.mu.Lock()
	stripeSince, mailSince := p.health.stripe.lasting(), p.health.mail.lasting()
	p.health.mu.Unlock()
	checks := []web.Check{{Name: "database", Status: web.OK}}
	if database != nil {
		checks[0].Status, checks[0].Reason = web.Failed, "The portal cannot keep anything now; the log says why."
	}
	room, known := p.roomCheck()
	if known {
		checks = append(checks, room)
	}
	checks = append(checks, p.tasksCheck())
	stripe, mail := web.Check{Name: "stripe", Status: web.OK}, web.Check{Name: "mail", Status: web.OK}
	if !stripeSince.IsZero() {
		stripe.Status, stripe.Reason = web.Degraded, fmt.Sprintf("Stripe has not answered for %s; reminders and payments wait.", ago(stripeSince))
	}
	if !mailSince.IsZero() {
		mail.Status, mail.Reason = web.Degraded, fmt.Sprintf("The mail server could not be reached, or took no mail of ours, for %s; mails wait.", ago(mailSince))
	}
	sending, events := web.Check{Name: "sending", Status: web.OK}, web.Check{Name: "webhook", Status: web.OK}
	if stopped {
		sending.Status, sending.Reason = web.Notice, "All sending is stopped by the switch."
	}
	switch {
	case missed.Unlisted > 0:
		events.Status = web.Notice
		events.Reason = fmt.Sprintf("For %s the key could not list Stripe's events, so that none a webhook lost is found; `sollecito doctor` names the permission.", ago(time.Unix(missed.Unlisted, 0)))
	case missed.Lately(p.now()):
		events.Status = web.Notice
		events.Reason = fmt.Sprintf("Stripe did not deliver %d of its events lately; they were fetched. `sollecito doctor` looks at the endpoint.", missed.Missed)
	case event == 0:
		events.Status, events.Reason = web.Notice, "Stripe has delivered no event yet."
	default:
		events.Reason = fmt.Sprintf("Stripe last delivered an event %s ago.", ago(time.Unix(event, 0)))
	}
	deliveries := web.Check{Name: "deliveries", Status: web.OK}
	if untold.waits > 0 {
		deliveries.Reason = fmt.Sprintf("%d waiting, the oldest for %s.", untold.waits, ago(time.Now().Add(time.Unix(untold.oldest, 0).Sub(p.now()))))
	}
	if untold.deaf > 0 {
		deliveries.Status, deliveries.Reason = web.Degraded, "The merchant's app has taken none of our webhooks for three days; Webhooks on the staff pages says why."
	}
	return web.Readiness{Checks: append(checks, stripe, mail, sending, events, deliveries)}
}

// look asks the database, at most once in a while, and answers what it remembers.
func (p *Portal) look() (stopped bool, lastEvent int64, missed intake.Reconciled, untold untold, database error) {
	h := &p.health
	h.looking.Lock()
	defer h.looking.Unlock()
	if time.Since(h.lookedAt) < lookEvery {
		return h.stopped, h.event, h.missed, h.untold, h.database
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookFor)
	defer cancel()
	err := p.DB.Check(ctx)
	if err == nil {
		err = p.DB.See(ctx, func(tx *sql.Tx) error {
			sending, err := dunning.SendingSwitch(ctx, tx)
			if err != nil {
				return err
			}
			h.stopped = sending.Stopped
			h.missed, err = intake.LastReconcile(ctx, tx)
			if err != nil {
				return err
			}
			h.untold.deaf, err = webhook.CountDead(ctx, tx, p.now())
			if err != nil {
				return err
			}
			h.untold.waits, h.untold.oldest, err = webhook.Waiting(ctx, tx)
			if err != nil {
				return err
			}
			if h.event > 0 && time.Since(h.eventAt) < eventEvery {
				return nil // before the first there is no walk, and whoever sets up the endpoint waits for the news
			}
			h.event, err = intake.LastEvent(ctx, tx)
			h.eventAt = time.Now()
			return err
		})
	}
	if err != nil {
		p.log.Warn("not ready: the database cannot be used", "err", err)
	}
	h.lookedAt, h.database = time.Now(), err
	return h.stopped, h.event, h.missed, h.untold, h.database
}

// roomCheck tells how much room is left where the database's file lies; known is false where a server keeps it. Nothing is
// written to find out: a disk that is almost full shall not be filled by asking.
func (p *Portal) roomCheck() (check web.Check, known bool) {
	if p.DB.Path() == "" {
		return web.Check{}, false
	}
	free, known := p.free(p.DB.Path())
	check = web.Check{Name: "disk", Status: web.OK}
	switch {
	case !known:
	case free < leastRoom:
		check.Status, check.Reason = web.Failed, fmt.Sprintf(
			"%d MiB are left on the disk of the database: make room. A load balancer that asks sends nothing here meanwhile; without one the program takes in what still fits.",
			free/disk.MiB)
	case free < disk.Low:
		check.Status, check.Reason = web.Degraded, fmt.Sprintf("%d MiB are left on the disk of the database: soon nothing can be kept.", free/disk.MiB)
	}
	return check, known
}

// tasksCheck tells of a task that does not come round any more, or whose last run failed.
func (p *Portal) tasksCheck() web.Check {
	check := web.Check{Name: "tasks", Status: web.OK}
	for _, t := range p.Runner.Standings() {
		switch {
		case t.Late(lateAfter):
			return web.Check{Name: "tasks", Status: web.Failed, Reason: fmt.Sprintf("The task %q has not come round for %s.", t.Name, ago(t.CameRound))}
		case t.Failing:
			check.Status, check.Reason = web.Degraded, fmt.Sprintf("The last run of the task %q failed; the log says why.", t.Name)
		}
	}
	return check
}

// ago is how long ago an instant was, as a person says it.
func ago(at time.Time) string {
	d := time.Since(at)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d seconds", max(int(d.Seconds()), 0))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func (p *Portal) tasks() []metrics.Task {
	var all []metrics.Task
	for _, t := range p.Runner.Standings() {
		all = append(all, metrics.Task{Name: t.Name, Runs: t.Runs, Failures: t.Failures, LastSuccess: t.LastSuccess})
	}
	return all
}

// figures reads what monitoring shows, in one transaction.
func (p *Portal) figures(realNow func() time.Time) func(context.Context) (metrics.Reading, error) {
	return func(ctx context.Context) (metrics.Reading, error) {
		var r metrics.Reading
		err := p.DB.See(ctx, func(tx *sql.Tx) error {
			var err error
			r, err = metrics.Read(ctx, tx, p.now(), realNow())
			if err != nil {
				return err
			}
			sending, err := dunning.SendingSwitch(ctx, tx)
			if err != nil {
				return err
			}
			r.Stopped = sending.Stopped
			reconciled, err := intake.LastReconcile(ctx, tx)
			r.Missed, r.MissedAt = int64(reconciled.Missed), reconciled.MissedAt
			return err
		})
		return r, err
	}
}

// build is what the Go toolchain wrote into the program.
func build() metrics.Build {
	b := metrics.Build{Version: "(devel)", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = s.Value
		}
	}
	return b
}
