package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/privacy"
)

// standardOutput is the name under which -o means it.
const standardOutput = "-"

func customerCommand(p program, args []string) error {
	u := newUsage("customer export CUSTOMER [-o FILE] [--json] | customer erase CUSTOMER [--yes] [--wait TIME] [--rewrite=false]",
		"Tells everything that is kept of one customer, or erases it. CUSTOMER is Stripe's id (cus_…) or the address on file.\n\n"+
			"export writes one ZIP file with every row of every table, the mails as they went and the mails that came in: as one\n"+
			"JSON document, and as a CSV file for each table. It is for handing out: keep it as you would keep the data.\n\n"+
			"erase leaves the id, sums, dates and counts, and nothing that says who it was. What is queued for them never goes out,\n"+
			"their links and sessions end, their case closes. It may run beside serve; a mail or a payment that is under way just\n"+
			"then is waited for. From then on whatever Stripe tells of them is passed over, by sync too. Stripe itself is not\n"+
			"touched. It cannot be undone. docs/privacy.md says what stays and why.").withSettings()
	file := u.String("o", "", "export: write to this `file`, which must not exist, instead of to CUSTOMER.zip; one that ends in .json gets the JSON document, - is the standard output")
	document := u.Bool("json", false, "export: write the JSON document alone, to the terminal unless -o names a file")
	yes := u.Bool("yes", false, "erase: don't ask")
	wait := u.Duration("wait", time.Minute, "erase: how long to wait for what is under way, as a `time`")
	rewrite := u.Bool("rewrite", true, "erase: write SQLite's file anew afterwards, so that nothing erased can be read from it; false puts that off")
	words, err := u.parse(p, args)
	if err != nil {
		return err
	}
	if len(words) != 2 || words[0] != "export" && words[0] != "erase" || strings.TrimSpace(words[1]) == "" {
		return misused("say export or erase, and whom: Stripe's id or the address on file")
	}
	err = u.ofDeed(words[0], map[string]string{"o": "export", "json": "export", "yes": "erase", "wait": "erase", "rewrite": "erase"})
	if err != nil {
		return err
	}
	if *document && hasEnding(*file, ".zip") {
		return misused("--json writes the document alone, and %s is the name of an archive: name a file that ends in .json, or leave --json out", *file)
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
	var customer string
	err = db.See(p.ctx, func(tx *sql.Tx) error {
		customer, err = privacy.Find(p.ctx, tx, strings.TrimSpace(words[1]))
		return err
	})
	if err != nil {
		return plain(err)
	}
	if words[0] == "export" {
		return exportCustomer(p, db, customer, *file, *document || hasEnding(*file, ".json"))
	}
	return eraseCustomer(p, db, customer, erasing{yes: *yes, wait: *wait, rewrite: *rewrite})
}

// hasEnding reports whether a file's name ends so, in letters of either case.
func hasEnding(file, ending string) bool { return strings.EqualFold(filepath.Ext(file), ending) }

// exportCustomer writes what is kept of a customer into a new file, or to the standard output, which then holds nothing else: as
// an archive, or its document alone.
func exportCustomer(p program, db *database.DB, customer, file string, document bool) error {
	now := time.Now()
	export := privacy.Archive
	if document {
		export = privacy.Export
	}
	write := func(w io.Writer) error {
		err := db.Do(p.ctx, func(tx *sql.Tx) error {
			return audit.Append(p.ctx, tx, audit.Entry{At: now, Actor: "command", Action: "customer.exported", Object: customer})
		})
		if err != nil {
			return err
		}
		return db.See(p.ctx, func(tx *sql.Tx) error { return export(p.ctx, tx, w, customer, now) })
	}
	if file == standardOutput || file == "" && document {
		return write(p.out)
	}
	if file == "" {
		file = fileName(customer) + ".zip"
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already: name a new file", file)
	}
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Close())
	if err != nil {
		return errors.Join(err, os.Remove(file)) // half an export is none
	}
	fmt.Fprintf(p.err, "%s holds everything that is kept of %s. Its owner alone can read it.\n", file, customer)
	return nil
}

// fileName is a customer's id as the name of a file.
func fileName(customer string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '-'
	}, customer)
}

// erasing is how a customer is to be erased.
type erasing struct {
	yes, rewrite bool
	wait         time.Duration
}

func eraseCustomer(p program, db *database.DB, customer string, how erasing) error {
	erasedAt, err := erasedAt(p.ctx, db, customer)
	if err != nil {
		return err
	}
	if erasedAt == 0 && !how.yes {
		err = confirm(p, customer)
		if err != nil {
			return err
		}
	}
	// Closing a case asks no rule of the merchant.
	eraser := &privacy.Eraser{DB: db, Cases: dunning.NewCases(dunning.Rules{}), Now: time.Now, Real: time.Now}
	_, err = eraseWhenIdle(p, eraser, customer, how.wait)
	if err != nil {
		return err
	}
	if erasedAt > 0 {
		fmt.Fprintf(p.out, "%s was already erased, on %s.\n", customer, time.Unix(erasedAt, 0).UTC().Format(time.DateOnly))
	} else {
		fmt.Fprintf(p.out, "%s is erased. Their id, sums, dates and counts are left; nothing goes out to them any more.\n", customer)
	}
	if how.rewrite {
		err = db.Scrub(p.ctx)
		if err != nil {
			return fmt.Errorf("%s is erased, but what was deleted may still lie in the free pages of the file: %w; `sollecito customer erase %s` has it written anew", customer, err, customer)
		}
	}
	if erasedAt > 0 {
		return nil
	}
	fmt.Fprint(p.out, "Stripe was not touched and still has them. Cancel there what still charges them, delete the customer (Dashboard,\n"+
		"Customers), and have Stripe redact what deleting leaves. Backups, the support mailbox and mail servers are yours to look after.\n")
	return nil
}

// erasedAt answers when a customer was erased, in unix seconds; 0 when they are not.
func erasedAt(ctx context.Context, db *database.DB, customer string) (int64, error) {
	at := int64(0)
	err := db.See(ctx, func(tx *sql.Tx) error {
		found, err := billing.CustomersByID(ctx, tx, []string{customer})
		at = found[customer].ErasedAt
		return err
	})
	return at, err
}

// confirm asks for the customer's id once more. Where nobody answers nothing is erased.
func confirm(p program, customer string) error {
	fmt.Fprintf(p.err, "Everything that is kept of %s will be erased. This cannot be undone: export it first if it may be asked for later.\nType %s to go on: ", customer, customer)
	typed := ""
	if p.in != nil {
		typed, _ = bufio.NewReader(p.in).ReadString('\n') // the end of the input is an answer too
	}
	fmt.Fprintln(p.err)
	switch strings.TrimSpace(typed) {
	case customer:
		return nil
	case "":
		return errors.New("nobody confirmed it, so nothing was erased: type the id when asked, or say --yes where nobody can")
	}
	return errors.New("that is not the id, so nothing was erased")
}

// eraseWhenIdle erases a customer once nothing of theirs is under way, and gives up after a while.
func eraseWhenIdle(p program, eraser *privacy.Eraser, customer string, patience time.Duration) (first bool, err error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	enough := time.After(patience)
	told := false
	for {
		first, err = eraser.Erase(p.ctx, customer, "command")
		var busy *privacy.Busy
		if !errors.As(err, &busy) {
			return first, err
		}
		if !told {
			told = true
			fmt.Fprintf(p.err, "Waiting for %s.\n", strings.Join(busy.With, " and "))
		}
		select {
		case <-p.ctx.Done():
			return false, p.ctx.Err()
		case <-enough:
			return false, fmt.Errorf("nothing was erased: %w; it ends by itself while the portal runs, try again in a few minutes", err)
		case <-tick.C:
		}
	}
}
