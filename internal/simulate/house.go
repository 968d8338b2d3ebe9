package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"sollecito/internal/config"
	"sollecito/internal/database"
	"sollecito/internal/jobs"
	"sollecito/internal/mail"
	"sollecito/internal/portal"
	"sollecito/internal/webhook"
)

const (
	webhookSecret = "whsec_simulated_0123456789abcdef"
	stripeKey     = "sk_test_simulated0123456789"
)

// house is the portal in the world: it is started, ended and started again on one database.
type house struct {
	w      *world
	judge  *judge
	dsn    string
	memory *database.Memory // where the database is; nil for where dsn says
	config *config.Config   // nil before the first start
	portal *portal.Portal
	flaky  *flaky
	log    *watcher
	began  int       // how often it was started
	back   time.Time // when it came back from its absence, zero before
	errs   int       // tasks that failed and were tried again
	done   int       // things the portal dealt with

	settle func(*config.Config)        // sets what a test wants otherwise
	spoil  func(context.Context) error // breaks something before all is held against what is true: for tests of the judge

	all     time.Time  // when the portal looks at everything again
	brought bool       // an event came since the portal last looked
	due     []jobs.Due // what the portal said is due, while it is known
	known   bool

	foreseen map[string]*foreseen // by task
	heard    map[string][]string  // by customer, what the merchant's app was told and the portal may forget
}

// settings are those of the portal, checked once for all its starts.
func (h *house) settings() (*config.Config, error) {
	if h.config != nil {
		return h.config, nil
	}
	c := &config.Config{
		Listen: "127.0.0.1:0", BaseURL: "http://127.0.0.1:8080", DatabaseURL: h.dsn, StripeKey: stripeKey, StripePublic: "pk_test_simulated",
		WebhookSecrets: []config.Secret{webhookSecret}, StripeAPI: "http://stripe.simulated", StripeJS: "http://stripe.simulated/v3/", StripeEmails: "off",
		SMTP: "smtp://post.simulated:25", MailFrom: "Lumen Studio <billing@lumen.example>", MerchantName: "Lumen Studio",
		MerchantAddr: "Lumen Studio S.r.l., Via Tortona 31, 20144 Milano, Italy", SupportEmail: "billing@lumen.example", DefaultZone: "Europe/Rome",
		DefaultLang: "en", SessionKey: config.Secret(strings.Repeat("s", 40)), LogFormat: "text", TestRecipient: "*", ContactHours: "9-18", ContactDays: "mon-fri",
		Holidays: "on", CollectorMode: "off",
	}
	if h.w.play.collector {
		c.CollectorMode = "on"
	}
	if h.settle != nil {
		h.settle(c)
	}
	err := c.Check()
	if err != nil {
		return nil, err
	}
	h.config = c
	return c, nil
}

// open starts the portal, as the program does, but for the runner's own timer.
func (h *house) open(ctx context.Context) error {
	c, err := h.settings()
	if err != nil {
		return err
	}
	h.known, h.foreseen = false, map[string]*foreseen{}
	now := func() time.Time { return h.w.at }
	h.flaky.fail, h.w.stripe.dead, h.w.post.dead = nil, false, false
	h.portal, err = portal.New(ctx, c, portal.Surroundings{
		Now: now, Real: now, Log: slog.New(h.log), HTTP: &http.Client{Transport: h.w.stripe}, Rate: 1e9, InOrder: true,
		Database: []database.Option{database.Exclusive(), database.In(h.memory), database.Through(h.flaky.Through)},
		Mail:     []mail.Option{mail.WithDial(h.w.post.Dial)},
	})
	if err != nil {
		return err
	}
	if h.began == 0 {
		err = h.listen(ctx)
		if err != nil {
			return err
		}
	}
	h.began++
	err = h.portal.Intake.Reclaim(ctx)
	if err != nil {
		return err
	}
	_, err = h.portal.Sender.AbandonAll(ctx)
	h.flaky.fail = h.busy
	return err
}

// listen makes an endpoint of the merchant's app that wants to be told of everything. In the end what it was to be told is
// held against what is true; the portal delivers none of it, since several messages go at once, in no order that comes again.
func (h *house) listen(ctx context.Context) error {
	var events []string
	for _, t := range webhook.Types() {
		events = append(events, string(t))
	}
	endpoints, err := webhook.NewEndpoints(h.config.SessionKey.Reveal(), nil)
	if err != nil {
		return err
	}
	return h.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		_, _, err := endpoints.Add(ctx, tx, "https://app.lumen.example/hooks", events, h.w.at)
		return err
	})
}

// appHears is the app that was told weeks ago what still waits. What was delivered the portal forgets after a month, and what
// waits it would look at in vain each time until the end, which no endpoint that stands lets come to that.
func (h *house) appHears(ctx context.Context) error {
	defer h.flaky.spared()()
	h.flaky.tables.judging = true
	defer func() { h.flaky.tables.judging = false }()
	before := h.w.at.Add(-29 * 24 * time.Hour).Unix()
	return h.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT customer_id, body FROM webhook_deliveries WHERE status = 'pending' AND created_at < $1 ORDER BY id`, before)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var customer, body string
			err = rows.Scan(&customer, &body)
			if err != nil {
				return err
			}
			h.heard[customer] = append(h.heard[customer], body)
		}
		if rows.Err() != nil {
			return rows.Err()
		}
		_, err = tx.ExecContext(ctx, `UPDATE webhook_deliveries SET status = 'delivered', settled_at = $2 WHERE status = 'pending' AND created_at < $1`, before, h.w.at.Unix())
		return err
	})
}

// delivering is the task that is not run.
const delivering = "deliver"

// busy lets one transaction in a hundred find the database locked.
func (h *house) busy(_ int, begins bool) error {
	if begins && chance(h.w.stripe.dice, h.w.play.faults.busy) {
		return errBusy
	}
	return nil
}

// close ends the portal; nil when there is none.
func (h *house) close() error {
	if h.portal == nil {
		return nil
	}
	err := h.portal.Close()
	h.portal = nil
	return err
}

// dieSoon ends the program as if its power were cut: after some more statements nothing of it reaches anything.
func (h *house) dieSoon(statements int) {
	last := h.flaky.asked + statements
	h.flaky.fail = func(n int, begins bool) error {
		if n > last {
			h.w.stripe.dead, h.w.post.dead = true, true
			return errGone
		}
		return h.busy(n, begins)
	}
}

func (h *house) gone() bool { return h.w.stripe.dead }

// receive implements acts.
func (h *house) receive(e *event) bool {
	if h.portal == nil {
		return false
	}
	body := drawEvent(e)
	stamp := fmt.Sprint(h.w.at.Unix())
	mac := hmac.New(sha256.New, []byte(webhookSecret))
	mac.Write([]byte(stamp + "." + body))
	err := h.portal.Intake.Receive(context.Background(), []byte(body), "t="+stamp+",v1="+hex.EncodeToString(mac.Sum(nil)))
	h.brought = h.brought || err == nil
	return err == nil
}

// work lets the portal do what is due at this instant.
func (h *house) work(ctx context.Context, tasks ...string) error {
	if len(tasks) == 0 {
		for _, t := range h.portal.Runner.Standings() {
			if t.Name != delivering {
				tasks = append(tasks, t.Name)
			}
		}
	}
	return h.run(ctx, h.portal.Runner.Drain, tasks...)
}

// run lets the portal run tasks, in one way or another.
func (h *house) run(ctx context.Context, how func(ctx context.Context, tasks ...string) (int, error), tasks ...string) error {
	h.known = false
	const most = 4
	for tries := most; tries > 0; tries-- { // what fails is tried again while anything gets done, and then left for the next instant
		n, err := how(ctx, tasks...)
		h.done += n
		if err == nil {
			break
		}
		if n > 0 {
			tries = most
		}
		h.errs++
		if h.gone() {
			break
		}
		if !strings.Contains(err.Error(), errBusy.Error()) {
			return err
		}
	}
	return h.look(ctx)
}

// look judges what has left the house.
func (h *house) look(ctx context.Context) error {
	letters := h.w.post.fresh()
	if len(letters) == 0 {
		return nil
	}
	what := make([]told, len(letters))
	err := h.asked(ctx, func(tx *sql.Tx) error {
		for n, l := range letters {
			id, _, _ := strings.Cut(l.id, "@")
			t := &what[n]
			err := tx.QueryRowContext(ctx, `
				SELECT n.kind, n.case_id, n.step, n.customer_id, coalesce(c.campaign, '')
				FROM notices n LEFT JOIN cases c ON c.id = n.case_id WHERE n.id = $1`, id).Scan(&t.kind, &t.kase, &t.step, &t.customer, &t.campaign)
			if err != nil {
				return fmt.Errorf("find the notice %s: %w", id, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for n, l := range letters {
		h.judged(l, what[n])
	}
	return nil
}

// judged judges one letter, and lets whoever got it hear of it.
func (h *house) judged(l letter, t told) {
	c := h.w.addressed[l.to]
	if c == nil {
		h.judge.counts[t.kind]++
		h.staffHear(h.w.known[t.customer])
		return
	}
	if c.id != t.customer {
		h.judge.breach("I2", c, "a mail about %s", t.customer)
	}
	h.judge.mail(c, l, t)
	if t.kind == "reminder" {
		h.w.hear(h, c)
		h.w.decide(h, c, l)
	}
}

// asked reads the database past all faults.
func (h *house) asked(ctx context.Context, look func(*sql.Tx) error) error {
	defer h.flaky.spared()()
	h.flaky.tables.judging = true
	defer func() { h.flaky.tables.judging = false }()
	return h.portal.DB.See(ctx, look)
}

// watcher is a log that holds what it is told against what must never be told, and keeps nothing.
type watcher struct {
	leaks  []string
	errors []string
	level  slog.Level
	words  []string // beside Stripe's keys
}

// Enabled implements slog.Handler.
func (l *watcher) Enabled(_ context.Context, level slog.Level) bool { return level >= l.level }

// Handle implements slog.Handler.
func (l *watcher) Handle(_ context.Context, r slog.Record) error {
	var line strings.Builder
	line.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&line, " %s=%v", a.Key, a.Value)
		return true
	})
	text := line.String()
	for _, secret := range append([]string{webhookSecret, stripeKey, "_secret_", "/l/"}, l.words...) {
		if strings.Contains(text, secret) {
			l.leaks = append(l.leaks, text)
		}
	}
	ours := strings.Contains(text, errBusy.Error()) || strings.Contains(text, errGone.Error())
	if r.Level >= slog.LevelError && !ours && len(l.errors) < 20 {
		l.errors = append(l.errors, text)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (l *watcher) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements slog.Handler.
func (l *watcher) WithGroup(string) slog.Handler { return l }
