package main

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/intake"
)

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
	db, err := openDatabase(p, c, false)
	if err != nil {
		return err
	}
	defer db.Close()
	now := time.Now()
	if words[0] == "resume" {
		err = mayResume(p, db)
		if err != nil {
			return err
		}
	}
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

// mayResume refuses to resume sending on a database that was put back from a copy before what happened since is known.
func mayResume(p program, db *database.DB) error {
	return db.See(p.ctx, func(tx *sql.Tx) error {
		_, is, err := database.CopiedAt(p.ctx, tx)
		if err != nil {
			return err
		}
		if is {
			return errors.New("this database is a backup on which serve has not started yet: start serve, let it read from Stripe what happened since, then resume")
		}
		sending, err := dunning.SendingSwitch(p.ctx, tx)
		if err != nil {
			return err
		}
		ignorant, err := intake.Ignorant(p.ctx, tx, sending)
		if err == nil && ignorant {
			return errors.New("this database was put back from a backup, and what happened at Stripe since has not been read yet: let serve run until it is; its log and `sollecito doctor` say what keeps it")
		}
		return err
	})
}
