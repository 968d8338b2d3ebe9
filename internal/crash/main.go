package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"sollecito/internal/databasetest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := program(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func program(ctx context.Context) error {
	kills := flag.Int("n", 30, "how many `times` to kill it")
	seed := flag.Uint64("seed", 1, "`number` the dice begin with")
	address := flag.String("database", "", "DATABASE_URL of an empty database; a new SQLite file when it is not given")
	binary := flag.String("program", "", "the portal's program; built from this source when it is not given")
	backlog := flag.Int("backlog", 0, "so many reminders wait at the least when a life begins, over 16 connections")
	dies := flag.Bool("database-dies", false, "a PostgreSQL server, started for it, is killed, stopped, or ends its connections, instead of the portal")
	freeze := flag.Duration("freeze", 0, "it is frozen for so `long` each time instead of killed; on PostgreSQL a second one goes on")
	flag.Parse()
	if flag.NArg() > 0 || *kills < 1 || *backlog < 0 || *freeze < 0 || *dies && (*address != "" || *freeze > 0) {
		return errors.New("usage: crash [-n TIMES] [-seed NUMBER] [-backlog MAILS] [-database URL [-freeze LONG] | -database-dies] [-program FILE]")
	}
	folder, err := os.MkdirTemp("", "crash")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	var server *databasetest.Server
	if *dies {
		server, err = databasetest.NewServer(true)
		if err != nil {
			return err
		}
		defer server.Stop()
		*address = server.Address()
	}
	if *address == "" {
		*address = "sqlite:" + filepath.Join(folder, "sollecito.db")
	}
	if *binary == "" {
		*binary = filepath.Join(folder, "sollecito")
		build := exec.CommandContext(ctx, "go", "build", "-o", *binary, "./cmd/sollecito")
		build.Stderr = os.Stderr
		err = build.Run()
		if err != nil {
			return fmt.Errorf("build the portal (run this at the top of its source): %w", err)
		}
	}
	report, err := run(ctx, plan{
		Kills: *kills, Backlog: *backlog, Seed: *seed, Database: *address, Program: *binary, Folder: folder, Server: server, Freeze: *freeze,
	})
	if err != nil {
		return err
	}
	report.print(os.Stdout)
	if !report.held() {
		return errors.New("something that must hold did not")
	}
	return nil
}
