package main

import (
	"fmt"
	"log/slog"

	"sollecito/internal/demo"
)

func demoCommand(p program, args []string) error {
	u := newUsage("demo [--listen HOST:PORT] [--data FOLDER]", "Runs the portal on a stage: a make-believe company with its own Stripe, its own mailbox and a clock you can move.\n"+
		"It needs no keys and no network, and nothing leaves this machine.")
	listen := u.String("listen", "127.0.0.1:8080", "`address` to listen on")
	data := u.String("data", "", "`folder` to keep everything in and go on from; without it all is gone at the end")
	err := u.parseNone(p, args)
	if err != nil {
		return err
	}
	ctx, stop := untilHangUp(p.ctx)
	defer stop()
	stage, err := demo.Start(ctx, demo.Options{Listen: *listen, Data: *data, Log: newLogger(p.err, "text", slog.LevelWarn)})
	if err != nil {
		return err
	}
	if demo.Exposed(*listen) {
		fmt.Fprintf(p.err, "Warning: %s can be reached from other machines. Whoever reaches it is staff, and reads every mail.\n", *listen)
	}
	err = stage.Welcome(p.out)
	if err != nil {
		stop()
	}
	return stage.Wait()
}
