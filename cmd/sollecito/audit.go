package main

import (
	"database/sql"
	"errors"
	"fmt"

	"sollecito/internal/audit"
)

func auditCommand(p program, args []string) error {
	u := newUsage("audit verify", "Walks the audit log and proves that no entry was changed, removed or moved. It prints how many there are and the\n"+
		"hash of the last, which, written down elsewhere, also shows a log that was cut short.").withSettings()
	words, err := u.parse(p, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || words[0] != "verify" {
		return misused("say verify")
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
	var count int64
	var last string
	err = db.See(p.ctx, func(tx *sql.Tx) error {
		var err error
		count, last, err = audit.Verify(p.ctx, tx)
		return err
	})
	var broken *audit.Broken
	if errors.As(err, &broken) {
		return fmt.Errorf("the audit log does not hold: at entry %d, %s; restore a backup beside it and compare", broken.Seq, broken.Why)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "The audit log holds: %d entries, the last is %s\n", count, last)
	return nil
}
