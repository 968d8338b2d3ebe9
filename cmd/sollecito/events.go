package main

import (
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"sollecito/internal/fault"
	"sollecito/internal/intake"
)

func eventsCommand(p program, args []string) error {
	u := newUsage("events list [--status STATUS] [--limit N] | events replay ID", "Lists what Stripe told us, newest first, or has the running portal process an event once more, whatever became of it.\n"+
		"Processing an event twice does no harm: its customer is read again from Stripe.").withSettings()
	status := u.String("status", "", "only events of this `status`: received, processed, ignored or parked")
	limit := u.Int("limit", 50, "at most `N` events")
	words, err := u.parse(p, args)
	if err != nil {
		return err
	}
	known := []intake.Status{"", intake.Received, intake.Processed, intake.Ignored, intake.Parked}
	isKnown := false
	for _, k := range known {
		isKnown = isKnown || string(k) == *status
	}
	switch {
	case !isKnown:
		return misused("--status is received, processed, ignored or parked, not %q", *status)
	case *limit < 1:
		return misused("--limit is at least 1")
	case len(words) == 1 && words[0] == "list", len(words) == 2 && words[0] == "replay":
	default:
		return misused("say list, or replay and the id of an event")
	}
	err = u.ofDeed(words[0], map[string]string{"status": "list", "limit": "list"})
	if err != nil {
		return err
	}
	c, err := u.configuration(p, "DATABASE_URL")
	if err != nil {
		return err
	}
	db, err := openDatabase(p, c, false)
	if err != nil {
		return err
	}
	defer db.Close()
	events := intake.New(intake.Options{DB: db, Now: time.Now, RealNow: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if words[0] == "list" {
		return listEvents(p, events, intake.Status(*status), *limit)
	}
	err = events.Replay(p.ctx, words[1])
	if fault.Is(err, fault.NotFound) {
		return fmt.Errorf("there is no event %s: `sollecito events list` shows those there are", words[1])
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s waits; the running portal processes it within a second.\n", words[1])
	return nil
}

func listEvents(p program, events *intake.Intake, status intake.Status, limit int) error {
	all, err := events.List(p.ctx, status, limit)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tTYPE\tRECEIVED\tSTATUS\tTRIES\tREASON")
	for _, e := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\n", e.ID, e.Type, time.Unix(e.ReceivedAt, 0).UTC().Format(time.RFC3339), e.Status, e.Attempts, e.Reason)
	}
	return t.Flush()
}
