package doctor

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/disk"
	"sollecito/internal/dunning"
	"sollecito/internal/intake"
	"sollecito/internal/staff"
)

// database looks at the data and at what it tells of the running portal.
func (d *Doctor) database(ctx context.Context) Report {
	const check = "database"
	if d.faulty("DATABASE_URL") {
		return Report{skipped(check, "SOLLECITO_DATABASE_URL must be mended first")}
	}
	path, isFile := strings.CutPrefix(d.Config.DatabaseURL, "sqlite:")
	_, err := os.Stat(strings.TrimPrefix(path, "//"))
	if isFile && errors.Is(err, fs.ErrNotExist) { // opening it would make it
		return Report{warn(check, "sollecito serve makes it. If there should be one, name it with SOLLECITO_DATABASE_URL.", "there is none at %s yet", path)}
	}
	db, err := database.Open(ctx, d.Config.DatabaseURL)
	var unopened *database.Unopened
	if errors.As(err, &unopened) {
		return Report{fail(check, unopened.Mend+" The doctor must run as the user that serve runs as.", "it cannot be opened: %s", unopened.Reason)}
	}
	if err != nil {
		return Report{fail(check, "Run the doctor as the user that serve runs as.", "it cannot be opened: %s", err)}
	}
	defer db.Close()
	has, newest, err := db.Shape(ctx)
	if err != nil {
		return Report{fail(check, "sollecito migrate", "it was never brought into shape: %s", err)}
	}
	r := Report{shape(has, newest)}
	err = db.Check(ctx)
	if err != nil {
		r = append(r, fail(check, "Look at the rights of the file and its folder, and whether another program holds it.", "it cannot be written: %s", err))
	}
	if isFile {
		r = append(r, files(ctx, db)...)
	}
	if has != newest {
		return r // what follows is asked in the newest shape's words
	}
	return append(r, d.contents(ctx, db)...)
}

func shape(has, newest int64) Finding {
	switch {
	case has < newest:
		return fail("database", "sollecito migrate (serve does so by itself when it starts)", "it has shape %d, this release needs %d", has, newest)
	case has > newest:
		return fail("database", "Start the newer release, or restore a backup.", "it has shape %d, which is of a newer release than this (%d)", has, newest)
	}
	return ok("database", "it opens, can be read and written, and has this release's shape (%d)", has)
}

// files looks at the file's wholeness, who may read it and what room is left beside it.
func files(ctx context.Context, db *database.DB) Report {
	ctx, cancel := context.WithTimeout(ctx, within/2)
	defer cancel()
	var r Report
	found, err := db.Integrity(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		r = append(r, skipped("integrity", "the file is too large to be walked through in %s; do it at night: sqlite3 %s 'PRAGMA integrity_check'", within/2, db.Path()))
	case err != nil:
		r = append(r, fail("integrity", "Restore a backup.", "it could not be checked: %s", err))
	case len(found) > 0:
		r = append(r, fail("integrity", "Stop serve, keep a copy of the file, and restore a backup.", "the file is damaged: %s", strings.Join(found, "; ")))
	default:
		r = append(r, ok("integrity", "the file is whole"))
	}
	file, mode, err := db.Exposed()
	switch {
	case err != nil:
		r = append(r, skipped("rights", "the file's rights cannot be read: %s", err))
	case file != "":
		r = append(r, warn("rights", "chmod 600 "+file, "others on this machine may open %s (%#o), which holds names and addresses", file, mode))
	default:
		r = append(r, ok("rights", "only its owner may open the file"))
	}
	free, known := disk.Free(db.Path())
	if known {
		r = append(r, space(free))
	}
	return r
}

// space judges the bytes left on the disk.
func space(free uint64) Finding {
	switch {
	case free < disk.Low:
		return fail("disk", "Make room on the disk that holds the database.", "%d MiB are left: soon nothing can be kept, webhooks neither", free/disk.MiB)
	case free < 1024*disk.MiB:
		return warn("disk", "Make room on the disk that holds the database.", "%d MiB are left", free/disk.MiB)
	}
	return ok("disk", "%d GiB are left", free/(1024*disk.MiB))
}

// inside is what the data tells of how the portal runs.
type inside struct {
	demo            bool
	sending         dunning.Switch
	parked, waiting int64
	lastEvent       int64
	reconciled      intake.Reconciled
}

// contents reads what stands in the database and judges it.
func (d *Doctor) contents(ctx context.Context, db *database.DB) Report {
	var in inside
	err := db.See(ctx, func(tx *sql.Tx) error {
		mark, err := database.Setting(ctx, tx, "demo")
		if err != nil {
			return err
		}
		in.demo = mark != ""
		in.sending, err = dunning.SendingSwitch(ctx, tx)
		if err != nil {
			return err
		}
		in.parked, err = intake.Count(ctx, tx, intake.Parked)
		if err != nil {
			return err
		}
		in.waiting, err = intake.Count(ctx, tx, intake.Received)
		if err != nil {
			return err
		}
		in.lastEvent, err = intake.LastEvent(ctx, tx)
		if err != nil {
			return err
		}
		in.reconciled, err = intake.LastReconcile(ctx, tx)
		return err
	})
	if err != nil {
		return Report{fail("database", "Restore a backup, or ask for help with the log at hand.", "it cannot be read: %s", err)}
	}
	r := in.findings(d.Now())
	colleagues, err := staff.NewMembers(db, d.Config.SessionKey.Reveal(), d.Now, d.Now)
	if err != nil {
		return append(r, skipped("staff", "SOLLECITO_SESSION_KEY must be mended first"))
	}
	members, err := colleagues.List(ctx)
	if err != nil {
		return append(r, fail("staff", "Restore a backup, or ask for help with the log at hand.", "the list of staff cannot be read: %s", err))
	}
	return append(r, people(members))
}

func (in inside) findings(now time.Time) Report {
	var r Report
	if in.demo {
		r = append(r, fail("database", "Give serve a database of its own with SOLLECITO_DATABASE_URL.", "it holds a demo's made-up customers"))
	}
	if in.sending.Stopped {
		r = append(r, in.stopped())
	} else {
		r = append(r, ok("sending", "messages may go out"))
	}
	if in.parked > 0 {
		r = append(r, warn("events", "sollecito events list --status parked, then sollecito events replay ID", "%d events of Stripe's could not be processed", in.parked))
	}
	switch {
	case in.lastEvent == 0:
		r = append(r, warn("events", "At https://dashboard.stripe.com/webhooks open the endpoint: a delivery that failed says why.", "Stripe has delivered nothing yet"))
	case now.Sub(time.Unix(in.lastEvent, 0)) > 24*time.Hour:
		r = append(r, warn("events", "At https://dashboard.stripe.com/webhooks open the endpoint: a delivery that failed says why.",
			"Stripe last delivered something %d hours ago", int(now.Sub(time.Unix(in.lastEvent, 0)).Hours())))
	default:
		r = append(r, ok("events", "Stripe last delivered something at %s; %d wait to be processed", time.Unix(in.lastEvent, 0).UTC().Format(time.RFC3339), in.waiting))
	}
	return append(r, in.reconcile(now)...)
}

// stopped tells who stopped all sending, or why the program itself did.
func (in inside) stopped() Finding {
	since := in.sending.Since.UTC().Format(time.RFC3339)
	if in.sending.PutBack() {
		return warn("sending", "Look at /admin/sending, then sollecito sending resume", "all sending is stopped since %s: %s", since, in.sending.Reason)
	}
	return warn("sending", "sollecito sending resume", "all sending is stopped since %s by %s", since, in.sending.By)
}

// reconcile judges the comparison with Stripe that serve makes each quarter of an hour.
func (in inside) reconcile(now time.Time) Report {
	const check = "reconcile"
	var r Report
	ran := time.Unix(in.reconciled.RanAt, 0)
	switch {
	case in.reconciled.RanAt == 0:
		r = append(r, warn(check, "Start sollecito serve; it compares with Stripe by itself.", "what we know was never compared with Stripe"))
	case now.Sub(ran) > time.Hour:
		r = append(r, warn(check, "Is sollecito serve running? If so, its log says why: most likely Stripe does not answer, or the key lacks a permission.",
			"what we know was last compared with Stripe %d minutes ago, not within the hour", int(now.Sub(ran).Minutes())))
	default:
		r = append(r, ok(check, "what we know was last compared with Stripe at %s", ran.UTC().Format(time.RFC3339)))
	}
	if in.reconciled.Lately(now) {
		r = append(r, warn(check, "At https://dashboard.stripe.com/webhooks open the endpoint: a delivery that failed says why. `ok webhook` above says that it stands.",
			"Stripe did not deliver %d events that the comparison at %s had to fetch; nothing is lost, but it comes up to a quarter of an hour late",
			in.reconciled.Missed, time.Unix(in.reconciled.MissedAt, 0).UTC().Format(time.RFC3339)))
	}
	return r
}

func people(members []staff.Member) Finding {
	admins, enrolled := 0, 0
	for _, m := range members {
		if m.Enrolled && m.Factor && !m.Disabled {
			enrolled++
			if m.Role == staff.Admin {
				admins++
			}
		}
	}
	switch {
	case enrolled == 0:
		return warn("staff", "sollecito staff add YOU@EXAMPLE.COM --role admin", "nobody can enter the admin pages yet")
	case admins == 0:
		return warn("staff", "sollecito staff add YOU@EXAMPLE.COM --role admin", "nobody who can enter the admin pages is an admin")
	}
	return ok("staff", "%d may enter the admin pages, %d of them as admin", enrolled, admins)
}
