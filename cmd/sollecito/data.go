package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/config"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/intake"
	"sollecito/internal/link"
	"sollecito/internal/staff"
)

// openDatabase opens the installation's database in this release's shape. Unless it may be made, one that does not
// exist is refused: a mistyped address must not look like an installation in which all is well.
func openDatabase(ctx context.Context, c *config.Config, mayMake bool) (*database.DB, error) {
	path, inFile := strings.CutPrefix(c.DatabaseURL, "sqlite:")
	if !mayMake && inFile {
		file := strings.TrimPrefix(path, "//")
		_, err := os.Stat(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, noDatabase(file)
		}
	}
	db, err := database.Open(ctx, c.DatabaseURL)
	if err != nil {
		return nil, err
	}
	empty, err := db.Empty(ctx)
	if err == nil && empty && !mayMake {
		err = noDatabase(db.Address())
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	_, err = db.Migrate(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func noDatabase(at string) error {
	return fmt.Errorf("there is no database at %s: name the portal's own with SOLLECITO_DATABASE_URL or --database-url", at)
}

func migrateCommand(p program, args []string) error {
	u := newUsage("migrate [flags]", "Brings the database to the shape this release needs, and makes it when there is none. `sollecito serve` does the same when it starts.").withSettings()
	err := u.parseNone(p, args)
	if err != nil {
		return err
	}
	c, err := u.configuration(p, "DATABASE_URL")
	if err != nil {
		return err
	}
	db, err := database.Open(p.ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	steps, err := db.Migrate(p.ctx)
	if err != nil {
		return err
	}
	if steps == 0 {
		fmt.Fprintf(p.out, "%s is up to date.\n", db.Address())
		return nil
	}
	fmt.Fprintf(p.out, "%s is up to date after %d steps.\n", db.Address(), steps)
	return nil
}

func eventsCommand(p program, args []string) error {
	u := newUsage("events list [--status WORD] [--limit N] | events replay ID", "Lists what Stripe told us, newest first, or has the running portal process an event once more, whatever became of it.\n"+
		"Processing an event twice does no harm: its customer is read again from Stripe.").withSettings()
	status := u.String("status", "", "only events that are received, processed, ignored or parked: one such `word`")
	limit := u.Int("limit", 50, "at most so `many`")
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
	c, err := u.configuration(p, "DATABASE_URL")
	if err != nil {
		return err
	}
	db, err := openDatabase(p.ctx, c, false)
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

func sendingCommand(p program, args []string) error {
	u := newUsage("sending stop | sending resume", "Stops every message to every customer at once, or lets them go out again. Cases keep their place meanwhile, and\n"+
		"nothing goes out as a burst. Every admin page says so while sending is stopped.").withSettings()
	words, err := u.parse(p, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || (words[0] != "stop" && words[0] != "resume") {
		return misused("say stop or resume")
	}
	c, err := u.configuration(p, "DATABASE_URL")
	if err != nil {
		return err
	}
	db, err := openDatabase(p.ctx, c, false)
	if err != nil {
		return err
	}
	defer db.Close()
	now := time.Now()
	said := "All sending is stopped. `sollecito sending resume` lets it go on."
	err = db.Do(p.ctx, func(tx *sql.Tx) error {
		action := "sending.stopped"
		err := error(nil)
		if words[0] == "stop" {
			err = dunning.StopSending(p.ctx, tx, "command", "", now)
		} else {
			action, said = "sending.resumed", "Messages go out again."
			err = dunning.ResumeSending(p.ctx, tx)
		}
		if err != nil {
			return err
		}
		return audit.Append(p.ctx, tx, audit.Entry{At: now, Actor: "command", Action: action})
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(p.out, said)
	return nil
}

func staffCommand(p program, args []string) error {
	u := newUsage("staff add EMAIL [--name NAME] [--role ROLE] | staff list | staff disable EMAIL | staff reset-factor EMAIL",
		"Says who may enter the admin pages. add prints an address at which that person sets a password, once, within thirty\n"+
			"minutes, and then a second factor. Asked again for the same person it prints a fresh address and the one before is\n"+
			"dead; the password stays until the new address is used, and their sessions end then. The second factor stays in any\n"+
			"case: add never skips it. Another role signs them out at once. Somebody disabled comes back, without the old password.\n"+
			"reset-factor takes a lost second factor and its recovery codes away: make sure that it is really them who ask. Their\n"+
			"sessions end, they get a mail, and after their password they set up a new one. disable shuts somebody out at once.\n"+
			"list shows everybody with their second factor and last sign-in (UTC).").withSettings()
	name := u.String("name", "", "what customers read under answers: a `name`")
	role := u.String("role", "", "what they may do: viewer, agent, manager or admin, as `role`. Left out, members keep theirs, the first of all is admin and others are agent")
	words, err := u.parse(p, args)
	if err != nil {
		return err
	}
	deed, email := "", ""
	switch {
	case len(words) == 2 && (words[0] == "add" || words[0] == "disable" || words[0] == "reset-factor"):
		deed, email = words[0], words[1]
	case len(words) == 1 && words[0] == "list":
		deed = "list"
	default:
		return misused("say add, disable or reset-factor and an email address, or list")
	}
	needs := []string{"DATABASE_URL"}
	if deed == "add" {
		needs = append(needs, "BASE_URL") // the address that is printed begins with it
	}
	c, err := u.configuration(p, needs...)
	if err != nil {
		return err
	}
	db, err := openDatabase(p.ctx, c, deed == "add")
	if err != nil {
		return err
	}
	defer db.Close()
	members, err := staff.NewMembers(db, "", time.Now, time.Now)
	if err != nil {
		return err
	}
	switch deed {
	case "list":
		return listStaff(p, members)
	case "disable":
		err = members.Disable(p.ctx, staff.ByCommand(), email)
		if err != nil {
			return plain(err)
		}
		fmt.Fprintf(p.out, "%s is shut out.\n", email)
		return nil
	case "reset-factor":
		err = members.ResetFactor(p.ctx, staff.ByCommand(), email)
		if err != nil {
			return plain(err)
		}
		fmt.Fprintf(p.out, "%s has no second factor any more and sets up a new one after the next password.\n", email)
		return nil
	}
	token, err := members.Add(p.ctx, email, *name, staff.Role(*role))
	if err != nil {
		return plain(err)
	}
	member, err := members.CheckEnrolment(p.ctx, token) // what became of them, the role above all
	if err != nil {
		return plain(err)
	}
	fmt.Fprintf(p.out, "%s, %s, sets a password here, once, within 30 minutes:\n%s\n", member.Email, member.Role, link.NewAddresses(c.BaseURL).Enrolment(token))
	return nil
}

func listStaff(p program, members *staff.Members) error {
	all, err := members.List(p.ctx)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "EMAIL\tNAME\tROLE\tSTATUS\tSECOND FACTOR\tLAST SIGN-IN")
	for _, m := range all {
		status := "active"
		switch {
		case m.Disabled:
			status = "disabled"
		case !m.Enrolled:
			status = "invited"
		}
		factor, last := "no", "never"
		if m.Factor {
			factor = "yes"
		}
		if m.SignedInAt > 0 {
			last = time.Unix(m.SignedInAt, 0).UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", m.Email, m.Name, m.Role, status, factor, last)
	}
	return t.Flush()
}

// plain is the sentence of a failure that a person may be told of, else the failure itself.
func plain(err error) error {
	said := fault.MessageOf(err)
	if said == "" {
		return err
	}
	return errors.New(said)
}
