package portal

import (
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"sollecito/internal/apikey"
	"sollecito/internal/campaign"
	"sollecito/internal/checkout"
	"sollecito/internal/config"
	"sollecito/internal/database"
	"sollecito/internal/disk"
	"sollecito/internal/dunning"
	"sollecito/internal/gateway"
	"sollecito/internal/inbound"
	"sollecito/internal/intake"
	"sollecito/internal/jobs"
	"sollecito/internal/l10n"
	"sollecito/internal/link"
	"sollecito/internal/mail"
	"sollecito/internal/metrics"
	"sollecito/internal/outbox"
	"sollecito/internal/privacy"
	"sollecito/internal/staff"
	"sollecito/internal/stepup"
	"sollecito/internal/support"
	"sollecito/internal/webhook"
	"sollecito/static"
	"sollecito/web"
)

// Portal is the program. Its rooms are there for the commands and the demo to ask.
type Portal struct {
	DB        *database.DB
	Stripe    *gateway.Client
	Intake    *intake.Intake
	Campaigns *campaign.Store
	Cases     *dunning.Cases
	Desk      *checkout.Desk
	Talks     *support.Conversations
	Members   *staff.Members
	Addresses link.Addresses
	Runner    *jobs.Runner
	Sender    *jobs.Sender
	Retries   *jobs.Retries
	App       *jobs.Deliveries
	Web       *web.Server
	Metrics   *metrics.Metrics
	Inbound   *inbound.Listener // takes mail once it is served; nil without INBOUND_ADDRESS

	pool   *mail.Pool
	ready  atomic.Bool
	free   func(file string) (bytes uint64, known bool)
	health health
	log    *slog.Logger
	now    func() time.Time
}

// Surroundings are what the portal takes from where it runs.
type Surroundings struct {
	Now   func() time.Time // business time; the demo moves it
	Real  func() time.Time // sessions, signatures, limits
	Log   *slog.Logger
	HTTP  *http.Client   // to Stripe; nil for one of its own
	Roots *x509.CertPool // beside the system's, to trust the mail server by; may be nil
	Demo  bool           // the database may be a demo's
	Rate  float64        // requests per second to Stripe; 0 for the gateway's own careful measure

	Free     func(file string) (bytes uint64, known bool) // on the disk of a file; nil asks the system
	Database []database.Option                            // how the database is opened
	Mail     []mail.Option                                // how the mail server is spoken to
	InOrder  bool                                         // one thing after the other, so that the same happens in the same order each time
}

// New opens the database, brings it to today's shape and puts the rooms together. Nothing runs yet.
func New(ctx context.Context, c *config.Config, at Surroundings) (*Portal, error) {
	db, err := database.Open(ctx, c.DatabaseURL, at.Database...)
	if err != nil {
		return nil, err
	}
	p, err := assemble(ctx, c, at, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return p, nil
}

// assemble puts the rooms together in the order in which one needs the other: the database, Stripe and the cases, then who
// sends mails, what time asks for, and the pages.
func assemble(ctx context.Context, c *config.Config, at Surroundings, db *database.DB) (*Portal, error) {
	err := prepare(ctx, c, db, at)
	if err != nil {
		return nil, err
	}
	looks, err := lookOf(c)
	if err != nil {
		return nil, err
	}
	assets, err := static.New(looks)
	if err != nil {
		return nil, err
	}
	catalog, err := l10n.Load()
	if err != nil {
		return nil, err
	}
	p := &Portal{DB: db, log: at.Log, now: at.Now, free: at.Free, Addresses: link.NewAddresses(c.BaseURL)}
	if p.free == nil {
		p.free = disk.Free
	}
	p.Metrics = metrics.New(build(), metrics.Sources{Tasks: p.tasks, Reading: p.figures(at.Real), Logger: at.Log})
	p.Stripe = gateway.New(gateway.Options{
		SecretKey: c.StripeKey.Reveal(), APIURL: c.StripeAPI, HTTP: at.HTTP, Logger: at.Log, Now: at.Now, Rate: at.Rate, Observe: p.seeStripe,
	})
	rules := Rules(c)
	p.Campaigns = rules.Campaigns
	p.Cases = dunning.NewCases(rules)
	p.Intake = intake.New(intake.Options{
		DB: db, Stripe: p.Stripe, Cases: p.Cases, WebhookSecrets: reveal(c.WebhookSecrets), Live: c.Live, Ahead: c.Before.Lead, Now: at.Now, RealNow: at.Real, Logger: at.Log,
	})
	if at.InOrder {
		p.Intake.InOrder()
	}
	p.Desk = checkout.NewDesk(db, p.Stripe, p.Intake, at.Now, at.Real, at.Log)
	p.Talks = support.NewConversations(db, p.Cases, c.SupportEmail, at.Now)
	p.Members, err = staff.NewMembers(db, c.SessionKey.Reveal(), at.Real, at.Now)
	if err != nil {
		return nil, err
	}
	endpoints, err := webhook.NewEndpoints(c.SessionKey.Reveal(), c.Hooks)
	if err != nil {
		return nil, err
	}
	codes := stepup.NewCodes(c.SessionKey.Reveal(), at.Real)
	sessions := link.NewStore(db, p.Addresses, c.SessionKey.Reveal(), at.Real)
	p.assembleSender(c, at, catalog, codes)
	p.App = &jobs.Deliveries{DB: db, Endpoints: endpoints, Client: webhook.NewClient(c.Hooks), Now: at.Now, Real: at.Real, Log: at.Log, Observe: p.seeDelivery}
	p.assembleRunner(c, at, sessions)
	p.Web, err = web.New(web.Options{
		DB: db, Stripe: p.Stripe, Intake: p.Intake, Desk: p.Desk, Cases: p.Cases, Talks: p.Talks, Members: p.Members, Keys: apikey.NewKeys(at.Real),
		Endpoints: endpoints, Sessions: sessions, Codes: codes, Addresses: p.Addresses, Catalog: catalog, Assets: assets,
		Merchant: host(c), MailFrom: c.From.Address,
		Language: c.DefaultLang, Zone: c.Zone, StripeJS: c.StripeJS, StripeAPI: c.StripeAPI, PublishableKey: c.StripePublic, TestMode: !c.Live,
		EmbedSecrets: reveal(c.EmbedSecrets), EmbedOrigins: c.EmbedOrigins, Proxies: c.Proxies, Interest: c.Interest,
		Now: at.Now, Real: at.Real, Wake: p.Runner.Wake, Ready: p.Readiness, Logger: at.Log,
		Observe: p.Metrics.Request, ProofKey: c.SessionKey.Reveal(),
	})
	if err != nil {
		return nil, err
	}
	return p, p.putBack(ctx, sessions)
}

// Rules are what the configuration sets for all cases, for the portal and for every command that reckons or moves them:
// each must see the same.
func Rules(c *config.Config) dunning.Rules {
	return dunning.Rules{
		Campaigns: campaign.NewStore(campaign.Shipped()), Policy: c.Policy, Zone: c.Zone, StripeMails: c.StripeEmails == "on", Before: c.Before,
		Promises: c.Promises, ClaimDays: c.Claim, FinalActs: c.FinalActs == "automatic", Unanswered: support.Unanswered,
	}
}

// prepare brings the database to today's shape, refuses one that is another installation's, and puts in what each
// installation begins with.
func prepare(ctx context.Context, c *config.Config, db *database.DB, at Surroundings) error {
	done, err := db.Upgrade(ctx, c.MigrationCopy != "off", at.Now())
	if err != nil {
		return err
	}
	if done.Copy != "" {
		at.Log.InfoContext(ctx, "the database was copied before it was brought into this release's shape", "copy", done.Copy, "steps", done.Steps)
	}
	err = refuseStrangers(ctx, db, at.Demo)
	if err != nil {
		return err
	}
	err = rememberConnection(ctx, db, at.Now())
	if err != nil {
		return err
	}
	err = db.Do(ctx, func(tx *sql.Tx) error { return campaign.Install(ctx, tx, campaign.Shipped(), at.Now()) })
	if err != nil {
		return fmt.Errorf("install the shipped campaigns: %w", err)
	}
	return nil
}

// assembleSender makes who writes mails and hands them to the mail server.
func (p *Portal) assembleSender(c *config.Config, at Surroundings, catalog *l10n.Catalog, codes *stepup.Codes) {
	options := append([]mail.Option{mail.WithHello(p.Addresses.Host())}, at.Mail...)
	if at.Roots != nil {
		options = append(options, mail.WithRoots(at.Roots))
	}
	p.pool = mail.NewPool(c.Server, c.Lines, options...)
	p.Sender = &jobs.Sender{
		DB: p.DB, Cases: p.Cases, Intake: p.Intake, Pool: p.pool, Connections: c.Lines, Now: at.Now, Real: at.Real, Pause: time.Sleep, Log: at.Log, Observe: p.seeMail,
		Letters: &jobs.Letters{
			Cases: p.Cases, Talks: p.Talks, Catalog: catalog, Addresses: p.Addresses,
			Merchant: writer(c, p.Addresses),
			From:     mail.Address{Name: c.From.Name, Address: c.From.Address}, Language: c.DefaultLang, Zone: c.Zone, OnlyTo: onlyTo(c), Inbound: c.Inbound, Collector: c.Policy.Collector,
			Signer: c.Signer, Codes: codes,
		},
	}
	if at.InOrder {
		p.Sender.Connections = 1
		p.Sender.Pause = func(time.Duration) {} // nothing mends itself meanwhile
	}
}

// assembleRunner makes everything that time asks for, and the ways in for mail where there are any.
func (p *Portal) assembleRunner(c *config.Config, at Surroundings, sessions *link.Store) {
	p.Retries = &jobs.Retries{DB: p.DB, Cases: p.Cases, Intake: p.Intake, Desk: p.Desk, Now: at.Now, Log: at.Log}
	work := jobs.Work{
		Retries: p.Retries, Intake: p.Intake, Desk: p.Desk, Sessions: sessions, Sender: p.Sender, App: p.App,
		Returns: &jobs.Returns{
			DB: p.DB, Cases: p.Cases, Talks: p.Talks, Addresses: c.Inbound, Now: at.Now, Real: at.Real, Log: at.Log,
			Ours: []string{outbox.Normal(c.From.Address), outbox.Normal(c.SupportEmail)},
		},
		Schedule: &jobs.Schedule{DB: p.DB, Cases: p.Cases, Now: at.Now, Log: at.Log},
		Heads:    &jobs.Heads{DB: p.DB, Real: at.Real, Log: at.Log},
		Promises: &jobs.Promises{DB: p.DB, Cases: p.Cases, Desk: p.Desk, Intake: p.Intake, Now: at.Now, Log: at.Log},
		Finals:   &jobs.Finals{DB: p.DB, Cases: p.Cases, Intake: p.Intake, Stripe: p.Stripe, Now: at.Now, Log: at.Log},
	}
	tasks := append(work.Tasks(), jobs.Task{Name: "presence", RunOnce: func(ctx context.Context) (int, error) { return 0, p.DB.Stay(ctx) }, Every: 15 * time.Second})
	eraser := &privacy.Eraser{DB: p.DB, Cases: p.Cases, Now: at.Now, Real: at.Real, Years: c.Erased, Zone: c.Zone}
	tasks = append(tasks, jobs.Task{Name: "erased", RunOnce: eraser.Sweep, Every: time.Minute}) // which goes over them once an hour
	if c.Mailbox.On() {
		post := &inbound.Poller{DB: p.DB, Addresses: c.Inbound, Mailbox: c.Mailbox, Now: at.Now, Real: at.Real, Log: at.Log}
		tasks = append(tasks, jobs.Task{Name: "mailbox", RunOnce: post.RunOnce, Every: time.Minute})
	}
	p.Runner = jobs.NewRunner(at.Now, at.Log, tasks...)
	if c.Inbound.On() {
		p.Inbound = &inbound.Listener{
			DB: p.DB, Addresses: c.Inbound, Now: at.Now, Real: at.Real, Wake: p.Runner.Wake, Log: at.Log, CertFile: c.InboundCert, KeyFile: c.InboundKey,
		}
	}
}

// onlyTo is the one address all mail goes to with a test key, "" for the real ones.
func onlyTo(c *config.Config) string {
	if c.Live || c.TestRecipient == "*" {
		return ""
	}
	return c.TestRecipient
}

func reveal(secrets []config.Secret) []string {
	plain := make([]string, len(secrets))
	for i, s := range secrets {
		plain[i] = s.Reveal()
	}
	return plain
}

// rememberConnection keeps since when this installation listens to Stripe: what failed before does not start by
// itself.
func rememberConnection(ctx context.Context, db *database.DB, now time.Time) error {
	return db.Do(ctx, func(tx *sql.Tx) error {
		since, err := database.Setting(ctx, tx, dunning.SettingConnected)
		if err != nil || since != "" {
			return err
		}
		return database.SetSetting(ctx, tx, dunning.SettingConnected, strconv.FormatInt(now.Unix(), 10))
	})
}

const settingDemo = "demo"

// RefuseDemo keeps a program that works with a real account away from a demo's database. The database must be migrated.
func RefuseDemo(ctx context.Context, db *database.DB) error { return refuseStrangers(ctx, db, false) }

// refuseStrangers marks a demo's database and keeps any other program away from it: its customers are made up,
// and its mails must never leave.
func refuseStrangers(ctx context.Context, db *database.DB, demo bool) error {
	return db.Do(ctx, func(tx *sql.Tx) error {
		mark, err := database.Setting(ctx, tx, settingDemo)
		if err != nil {
			return err
		}
		if mark != "" && !demo {
			return fmt.Errorf("%s holds a demo's made-up customers: give the portal a database of its own with SOLLECITO_DATABASE_URL", db.Address())
		}
		if !demo {
			return nil
		}
		var known int
		err = tx.QueryRowContext(ctx, `SELECT count(*) FROM customers`).Scan(&known)
		if err != nil {
			return err
		}
		if mark == "" && known > 0 {
			return fmt.Errorf("%s holds real customers: give the demo a folder of its own with --data", db.Address())
		}
		return database.SetSetting(ctx, tx, settingDemo, "1")
	})
}

// settingDemoClock holds by how many seconds a demo's clock stood off the real one when it was kept last.
const settingDemoClock = "demo_clock"

// KeepDemoClock writes down how far a demo's clock stands from the real one, for the commands that reckon with its database.
func KeepDemoClock(ctx context.Context, db *database.DB, offset time.Duration) error {
	return db.Do(ctx, func(tx *sql.Tx) error {
		return database.SetSetting(ctx, tx, settingDemoClock, strconv.FormatInt(int64(offset/time.Second), 10))
	})
}

// BusinessNow is the present instant for whoever reckons with the cases of a database: the real one, or that of the demo
// it belongs to, whose clock is moved.
func BusinessNow(ctx context.Context, db *database.DB, real time.Time) (time.Time, error) {
	var kept string
	err := db.See(ctx, func(tx *sql.Tx) error {
		var err error
		kept, err = database.Setting(ctx, tx, settingDemoClock)
		return err
	})
	if err != nil || kept == "" {
		return real, err
	}
	seconds, err := strconv.ParseInt(kept, 10, 64)
	if err != nil {
		return real, fmt.Errorf("setting %s: %w", settingDemoClock, err)
	}
	return real.Add(time.Duration(seconds) * time.Second), nil
}

// Start sets the tasks going. It runs until ctx ends; Close waits for what is under way.
func (p *Portal) Start(ctx context.Context) error {
	err := p.DB.Join(ctx, func(ctx context.Context) error {
		err := p.Intake.Reclaim(ctx)
		if err != nil {
			return err
		}
		_, err = p.Sender.AbandonAll(ctx)
		if err != nil {
			return err
		}
		return p.DB.Do(ctx, func(tx *sql.Tx) error { return webhook.Reclaim(ctx, tx) })
	})
	if err != nil {
		return err
	}
	p.Runner.Start(ctx)
	p.ready.Store(true)
	return nil
}

// Close waits for the tasks to finish after the end of Start's context and closes mail and database.
func (p *Portal) Close() error {
	p.ready.Store(false)
	p.Runner.Wait()
	p.App.Wait()
	return errors.Join(p.pool.Close(), p.DB.Close())
}

// Reconfigure takes over what may change while the program runs, from settings that were read and checked again: the
// secrets of the webhook endpoint.
func (p *Portal) Reconfigure(c *config.Config) { p.Intake.Trust(reveal(c.WebhookSecrets)) }

// NextDue answers the earliest instant at which something of ours is due.
func (p *Portal) NextDue(ctx context.Context) (time.Time, bool, error) { return p.Runner.NextDue(ctx) }

// Serve answers requests on the listener until ctx ends, then lets those under way finish, for at most half a
// minute.
func (p *Portal) Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	return Serve(ctx, p.log, l, h)
}

// Serve does the same before there is a Portal: a door may be open while the database is brought into shape.
func Serve(ctx context.Context, log *slog.Logger, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 120 * time.Second, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		wait, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		stopped <- server.Shutdown(wait)
	}()
	err := server.Serve(l)
	if !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
