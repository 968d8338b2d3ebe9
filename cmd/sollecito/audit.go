package main

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sollecito/internal/audit"
)

func auditCommand(p program, args []string) error {
	u := newUsage("audit verify [--head HASH@SEQ]", "Walks the audit log and proves that no entry was changed, removed or moved. It prints how many there are and the\n"+
		"hash of the last. That head, which serve also writes to its own log once a day, shows with --head that nothing\n"+
		"up to it was cut off or written anew since.").withSettings()
	told := u.String("head", "", "a head that was told earlier and must still lie on the chain, as `hash@seq`")
	words, err := u.parse(p, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || words[0] != "verify" {
		return misused("say verify")
	}
	seq, hash, err := toldHead(*told)
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
	var count int64
	var last string
	err = db.See(p.ctx, func(tx *sql.Tx) error {
		var err error
		count, last, err = audit.Verify(p.ctx, tx)
		if err != nil || hash == "" {
			return err
		}
		return audit.Holds(p.ctx, tx, seq, hash)
	})
	var broken *audit.Broken
	if errors.As(err, &broken) {
		return fmt.Errorf("the audit log does not hold: at entry %d, %s; restore a backup beside it and compare", broken.Seq, broken.Why)
	}
	if err != nil {
		return err
	}
	if count == 0 {
		fmt.Fprintln(p.out, "The audit log holds: it is empty.")
		return nil
	}
	fmt.Fprintf(p.out, "The audit log holds: %d entries, the last is %s\n", count, last)
	if hash != "" {
		fmt.Fprintf(p.out, "The head told as entry %d still lies on it.\n", seq)
	}
	return nil
}

// toldHead reads HASH@SEQ; "" is none.
func toldHead(told string) (seq int64, hash string, err error) {
	if told == "" {
		return 0, "", nil
	}
	hash, number, _ := strings.Cut(told, "@")
	seq, err = strconv.ParseInt(number, 10, 64)
	if err != nil || seq < 1 || len(hash) != 64 || strings.Trim(hash, "0123456789abcdef") != "" {
		return 0, "", misused("--head must read HASH@SEQ, as audit verify and the log tell it")
	}
	return seq, hash, nil
}
