package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"sollecito/internal/config"
	"sollecito/internal/database"
	"sollecito/internal/portal"
)

// patience is how long the tasks under way may take to finish once the portal is told to stop.
const patience = 30 * time.Second

func serveCommand(p program, args []string) error {
	u := newUsage("serve [flags]", "Runs the portal: pages for customers and staff, Stripe's webhook, and the schedule that sends reminders.\n"+
		"Everything wrong with the settings is said at once, and nothing starts until it is mended.\n"+
		"The first SIGINT or SIGTERM stops it gently; another, a second or more later, stops it at once. SIGHUP lets it read the webhook's secrets again.").withSettings()
	u.listed = true
	err := u.parseNone(p, args)
	if err != nil {
		return err
	}
	c, err := u.configuration(p)
	if err != nil {
		return err
	}
	log := newLogger(p.err, c.LogFormat, slog.LevelInfo)
	logConfiguration(log, c)
	for _, name := range config.Unknown(os.Environ()) {
		log.Warn("there is no such setting, it changes nothing; `sollecito config --table` lists them all", "name", name)
	}
	for _, w := range c.Brand.Warnings() {
		log.Warn("brand: " + w.String())
	}
	ctx, stop := untilSignal(p.ctx)
	defer stop()
	return serve(ctx, p, c, func() (*config.Config, error) { return u.configuration(p) }, log)
}

// logConfiguration writes the settings that are in force, secrets hidden.
func logConfiguration(log *slog.Logger, c *config.Config) {
	var shown bytes.Buffer
	err := c.Print(&shown)
	if err != nil {
		return
	}
	var settings []any
	for line := range strings.Lines(shown.String()) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "SOLLECITO_"), " ")
		value = strings.TrimSpace(value)
		if value != "" {
			settings = append(settings, slog.String(strings.ToLower(name), value))
		}
	}
	log.Info("configuration", settings...)
}

// serve runs the portal until ctx ends. again reads and checks the settings once more, for a hang-up.
func serve(ctx context.Context, p program, c *config.Config, again func() (*config.Config, error), log *slog.Logger) (err error) {
	hangups := make(chan os.Signal, 1) // from the beginning: one that nobody listens to would end the program
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	door, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("%w; choose another address with SOLLECITO_LISTEN or --listen", err)
	}
	figures, err := openDoor(c.MetricsListen, "METRICS_LISTEN")
	if err != nil {
		return errors.Join(err, door.Close())
	}
	post, err := openDoor(c.InboundListen, "INBOUND_LISTEN")
	if err != nil {
		return errors.Join(err, door.Close(), closeDoor(figures))
	}
	serving, endServing := context.WithCancel(ctx)
	defer endServing()
	front := &gate{}
	served := make(chan error, 1)
	go func() { served <- portal.Serve(serving, log, door, front) }()
	giveUp := func(err error) error {
		if ctx.Err() != nil && database.Interrupted(err) {
			log.Info("told to stop while it was starting", "err", err)
			err = nil
		}
		endServing()
		return errors.Join(err, <-served, closeDoor(figures), closeDoor(post))
	}
	house, err := portal.New(ctx, c, portal.Surroundings{Now: time.Now, Real: time.Now, Log: log})
	if err != nil {
		return giveUp(err)
	}
	tasks, endTasks := context.WithCancel(ctx)
	defer func() {
		endTasks()
		err = errors.Join(err, closeWithin(house, patience))
	}()
	err = house.Start(tasks)
	if err != nil {
		return giveUp(err)
	}
	measured := make(chan error, 1)
	if figures == nil {
		measured <- nil
	} else {
		fmt.Fprintf(p.out, "Metrics are at http://%s/metrics\n", figures.Addr())
		go func() { measured <- house.Serve(serving, figures, figuresHandler(house)) }()
	}
	if post != nil {
		fmt.Fprintf(p.out, "Bounces and replies are taken on %s\n", post.Addr())
		taken := make(chan error, 1)
		go func() { taken <- house.Inbound.Serve(tasks, post) }()
		defer func() {
			endTasks()
			err = errors.Join(err, <-taken)
		}()
	}
	front.open(house.Web)
	go reconfigure(tasks, house, hangups, again, log)
	go warnOfKey(tasks, house.Stripe, c.StripeKey.Reveal(), log)
	fmt.Fprintf(p.out, "Sollecito listens on http://%s\n", door.Addr())
	err = <-served
	if ctx.Err() != nil {
		log.Info("stopped answering, finishing what is under way")
	}
	endServing()
	return errors.Join(err, <-measured)
}

// reconfigure reads the settings again at each hang-up, until ctx ends. Those with a fault change nothing.
func reconfigure(ctx context.Context, house *portal.Portal, hangups <-chan os.Signal, again func() (*config.Config, error), log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
		}
		c, err := again()
		if err != nil {
			log.Error("the settings were read again and have faults, those before stay in force", "err", err)
			continue
		}
		house.Reconfigure(c)
		log.Info("the webhook's secrets were read again; other settings need a restart", "secrets", len(c.WebhookSecrets))
	}
}

// closeWithin closes the portal, but waits no longer than the limit for its tasks. What they had under way is then
// found and dealt with at the next start.
func closeWithin(house *portal.Portal, limit time.Duration) error {
	closed := make(chan error, 1)
	go func() { closed <- house.Close() }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-closed:
		return err
	case <-timer.C:
		return fmt.Errorf("some work did not finish within %s; the next start goes on with it", limit)
	}
}
