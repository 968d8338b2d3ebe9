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
	flag.Parse()
	if flag.NArg() > 0 || *kills < 1 || *backlog < 0 {
		return errors.New("usage: crash [-n TIMES] [-seed NUMBER] [-backlog MAILS] [-database URL] [-program FILE]")
	}
	folder, err := os.MkdirTemp("", "crash")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
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
	report, err := run(ctx, plan{Kills: *kills, Backlog: *backlog, Seed: *seed, Database: *address, Program: *binary, Folder: folder})
	if err != nil {
		return err
	}
	report.print(os.Stdout)
	if !report.held() {
		return errors.New("something that must hold did not")
	}
	return nil
}
