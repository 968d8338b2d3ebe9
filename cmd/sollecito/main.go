// Sollecito brings failed subscription payments back without a debt collector's tone. This command turns
// configuration into a running portal and stops it gently; `sollecito --help` lists what else it does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // customers' zones must be known on machines that have no zone files
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
}

// program is what a command may use of the world outside.
type program struct {
	ctx     context.Context
	environ func(string) (string, bool)
	in      io.Reader
	out     io.Writer
	err     io.Writer
}

// command is one thing the program does when asked by name.
type command struct {
	name string
	line string // what it does, in one line
	run  func(p program, args []string) error
}

// commands is the table of everything the program can be asked to do.
func commands() []command {
	return []command{
		{"demo", "see everything at once: portal, make-believe Stripe, mailbox and a clock you can move", demoCommand},
		{"serve", "run the portal", serveCommand},
		{"sandbox", "run the make-believe Stripe and a mail catcher alone, for trying serve", sandboxCommand},
		{"migrate", "bring the database to this release's shape (serve does so by itself)", migrateCommand},
		{"backup", "copy the database while it is in use", backupCommand},
		{"sync", "connect an existing Stripe account and import it; sends nothing", syncCommand},
		{"events", "list what Stripe told us, or process an event once more", eventsCommand},
		{"campaign", "list, export, apply, compare or rehearse campaigns", campaignCommand},
		{"sending", "stop all messages to customers at once, or let them go out again", sendingCommand},
		{"doctor", "look at the installation from all sides and say what to mend", doctorCommand},
		{"staff", "say who may enter the admin pages", staffCommand},
		{"customer", "tell everything that is kept of one customer, or erase it", customerCommand},
		{"audit", "prove that nobody changed the audit log", auditCommand},
		{"config", "show the configuration, secrets hidden", configCommand},
		{"healthcheck", "ask a running portal whether it is ready", healthcheckCommand},
		{"version", "say which release this is", versionCommand},
	}
}

// Exit codes.
const (
	exitFault = 1 // what was asked could not be done
	exitUsage = 2 // it was not clear what was asked
)

// run is the whole program: it answers the exit code.
func run(ctx context.Context, args []string, environ func(string) (string, bool), in io.Reader, out, errs io.Writer) int {
	told := &teller{Writer: out}
	p := program{ctx: ctx, environ: environ, in: in, out: told, err: errs}
	if len(args) == 0 {
		help(errs)
		return exitUsage
	}
	switch args[0] {
	case "help", "--help", "-help", "-h":
		if len(args) == 1 {
			help(told)
			return p.end("help", told.lost())
		}
		args = []string{args[1], "--help"}
	case "--version", "-version":
		args[0] = "version"
	}
	for _, c := range commands() {
		if c.name == args[0] {
			err := c.run(p, args[1:])
			if err == nil || errors.Is(err, flag.ErrHelp) {
				err = told.lost()
			}
			return p.end(c.name, err)
		}
	}
	fmt.Fprintf(errs, "sollecito: there is no command %q. `sollecito --help` lists them.\n", args[0])
	return exitUsage
}

// teller remembers that something could not be told: a command whose answer is lost on a full disk has failed, since an
// address it printed is not printed again.
type teller struct {
	io.Writer
	err error // the first
}

func (t *teller) Write(b []byte) (int, error) {
	n, err := t.Writer.Write(b)
	if t.err == nil {
		t.err = err
	}
	return n, err
}

// lost is an error when something was not told.
func (t *teller) lost() error {
	if t.err == nil {
		return nil
	}
	return fmt.Errorf("what it answers could not be written: %w", t.err)
}

// end tells what came of a command and answers its exit code. An error of several lines is several faults.
func (p program) end(name string, err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(p.err, "sollecito %s: %s. `sollecito %s --help` tells more.\n", name, usage.said, name)
		return exitUsage
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(p.err, "sollecito %s: %s\n", name, strings.TrimSuffix(line, "\n"))
	}
	return exitFault
}

func help(w io.Writer) {
	fmt.Fprint(w, "Sollecito brings failed subscription payments back, kindly.\n\nUsage: sollecito COMMAND [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-12s %s\n", c.name, c.line)
	}
	fmt.Fprint(w, "\n`sollecito COMMAND --help` tells more about one. Try: sollecito demo\n")
}

// untilSignal answers a context that ends at the first SIGINT or SIGTERM; a second one, after a moment, ends the
// program at once.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	return untilOneOf(ctx, os.Interrupt, syscall.SIGTERM)
}

// untilHangUp is untilSignal for commands that end with their terminal too, unless they are told to outlive it (nohup).
func untilHangUp(ctx context.Context) (context.Context, context.CancelFunc) {
	if signal.Ignored(syscall.SIGHUP) {
		return untilSignal(ctx)
	}
	return untilOneOf(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
}

// oneStop is how long signals to stop are one and the same. timeout(1), supervisors that signal a program and its group,
// and wrappers that hand on what the terminal sent to both send theirs twice within a moment, and mean the gentle end.
const oneStop = time.Second

func untilOneOf(ctx context.Context, signals ...os.Signal) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, signals...)
	context.AfterFunc(ctx, func() { time.AfterFunc(oneStop, stop) })
	return ctx, stop
}
