package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"sollecito/internal/config"
	"sollecito/internal/portal"
)

// patience is how long the tasks under way may take to finish once the portal is told to stop.
const patience = 30 * time.Second

func serveCommand(p program, args []string) error {
	u := newUsage("serve [flags]", "Runs the portal: pages for customers and staff, Stripe's webhook, and the schedule that sends reminders.\n"+
		"Everything wrong with the settings is said at once, and nothing starts until it is mended.\n"+
		"The first SIGINT or SIGTERM stops it gently, a second one at once.").withSettings()
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
	ctx, stop := untilSignal(p.ctx)
	defer stop()
	return serve(ctx, p, c, log)
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

func serve(ctx context.Context, p program, c *config.Config, log *slog.Logger) (err error) {
	house, err := portal.New(ctx, c, portal.Surroundings{Now: time.Now, Real: time.Now, Log: log})
	if err != nil {
		return err
	}
	tasks, endTasks := context.WithCancel(ctx)
	defer func() {
		endTasks()
		err = errors.Join(err, closeWithin(house, patience))
	}()
	door, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("%w; choose another address with SOLLECITO_LISTEN or --listen", err)
	}
	var post net.Listener
	if c.InboundListen != "" {
		post, err = net.Listen("tcp", c.InboundListen)
		if err != nil {
			return errors.Join(fmt.Errorf("%w; choose another address with SOLLECITO_INBOUND_LISTEN or --inbound-listen", err), door.Close())
		}
	}
	err = house.Start(tasks)
	if err != nil {
		if post != nil {
			err = errors.Join(err, post.Close())
		}
		return errors.Join(err, door.Close())
	}
	if post != nil {
		fmt.Fprintf(p.out, "Bounces and replies are taken on %s\n", post.Addr())
		served := make(chan error, 1)
		go func() { served <- house.Inbound.Serve(tasks, post) }()
		defer func() {
			endTasks()
			err = errors.Join(err, <-served)
		}()
	}
	fmt.Fprintf(p.out, "Sollecito listens on http://%s\n", door.Addr())
	err = house.Serve(ctx, door, house.Web)
	if ctx.Err() != nil {
		log.Info("stopped answering, finishing what is under way")
	}
	return err
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
