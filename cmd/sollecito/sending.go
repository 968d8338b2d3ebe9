package main

import (
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/dunning"
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
