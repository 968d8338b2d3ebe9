package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"
)

// attack is what is done to the portal again and again.
type attack struct {
	plan     plan
	settings []string
	base     string
	dice     *rand.Rand
	post     *postOffice
	books    ledger
	report   *report

	portal *process // that lives on from one time to the next; nil when none does
	second *process // beside it, on the same database
}

// once does it once.
func (a *attack) once(ctx context.Context) error {
	switch {
	case a.plan.Server != nil:
		return a.killDatabase(ctx)
	case a.plan.Freeze > 0:
		return a.freeze(ctx)
	}
	return a.kill(ctx)
}

// end kills whatever lives.
func (a *attack) end() {
	for _, life := range []*process{a.portal, a.second} {
		if life != nil {
			life.kill()
		}
	}
	a.portal, a.second = nil, nil
}

// lifetime throws the dice for a life from its start: some are killed before they are ready, most while they catch up,
// and one in four when it has been at work for a while.
func lifetime(dice *rand.Rand) time.Duration {
	longest := 600 * time.Millisecond
	if dice.IntN(4) == 0 {
		longest = 3 * time.Second
	}
	return time.Duration(dice.Int64N(int64(longest)))
}

// kill lets the portal live for a while and kills it.
func (a *attack) kill(ctx context.Context) error {
	portal, err := start(a.plan, a.settings, "serve")
	if err != nil {
		return err
	}
	recovery, ready := portal.livesUntil(ctx, a.base, lifetime(a.dice))
	portal.kill()
	a.post.bereave()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if ready {
		a.report.Recoveries = append(a.report.Recoveries, recovery)
	}
	a.report.Kills++
	return a.look(ctx, portal)
}

// look looks at what a killed portal left.
func (a *attack) look(ctx context.Context, dead *process) error {
	found, err := a.books.afterKill(ctx)
	if err != nil {
		return fmt.Errorf("after a kill: %w\n%s", err, dead.said())
	}
	a.report.Broken += found.Broken
	a.report.MostSending = max(a.report.MostSending, found.Sending)
	return nil
}

// recoversWithin is how long after a fault has ended a portal that lives on may take to be ready again.
const recoversWithin = time.Minute

// killDatabase lets the portal work for a while and takes its database away, in one of four ways. It lives on and must get ready
// by itself once the database is back; one time in four it is killed with it.
func (a *attack) killDatabase(ctx context.Context) error {
	err := a.live(ctx)
	if err != nil {
		return err
	}
	work := time.Duration(a.dice.Int64N(int64(2 * time.Second)))
	away := time.Duration(a.dice.Int64N(int64(3 * time.Second)))
	how, both := a.dice.IntN(4), a.dice.IntN(4) == 0
	pause(ctx, work)
	switch how {
	case 0, 1:
		a.plan.Server.Signal([]syscall.Signal{syscall.SIGKILL, syscall.SIGINT}[how])
	case 2:
		err = a.endConnections(ctx, func(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }) // the server starts anew by itself
	default:
		err = a.endConnections(ctx, nil)
	}
	if err != nil {
		return err
	}
	if both {
		a.portal.kill()
	}
	if how < 2 {
		pause(ctx, away)
		err = a.plan.Server.Start()
		if err != nil {
			return err
		}
	}
	back := time.Now()
	if both {
		dead := a.portal
		a.portal = nil
		a.report.Kills++
		err = a.patiently(ctx, func() error { return a.look(ctx, dead) })
		if err != nil {
			return err
		}
		back = time.Now()
		err = a.live(ctx)
		if err != nil {
			return err
		}
	}
	return a.recovers(ctx, back)
}

// startsWithin is how long after its start a portal is ready, unless its database could not serve just then: it ends, and is
// started again, as whatever looks after services does.
const startsWithin = 10 * time.Second

// live sees to it that a portal lives, and waits until the first is ready.
func (a *attack) live(ctx context.Context) (err error) {
	for deadline := time.Now().Add(recoversWithin); a.portal == nil; {
		a.portal, err = start(a.plan, a.settings, "serve")
		if err != nil {
			return err
		}
		_, ready := a.portal.livesUntil(ctx, a.base, 0)
		for !ready && ctx.Err() == nil && time.Since(a.portal.started) < startsWithin {
			_, ready = a.portal.livesUntil(ctx, a.base, time.Since(a.portal.started)+100*time.Millisecond)
		}
		if ready {
			break
		}
		said := a.portal.said()
		a.portal = nil
		if time.Now().After(deadline) {
			return fmt.Errorf("it does not get ready:\n%s", said)
		}
	}
	return ctx.Err()
}

// recovers waits until the living portal is ready again. What it remembers of its database serves for two seconds.
func (a *attack) recovers(ctx context.Context, back time.Time) error {
	for time.Since(back) < recoversWithin {
		if isReady(ctx, a.base) {
			a.report.Recoveries = append(a.report.Recoveries, time.Since(back))
			return nil
		}
		if !pause(ctx, 20*time.Millisecond) {
			return ctx.Err()
		}
	}
	return fmt.Errorf("it is not ready %s after the fault has ended:\n%s", recoversWithin, a.portal.said())
}

// endConnections ends the portal's connections: one by kill, or all of them by the server's own word when it is nil.
func (a *attack) endConnections(ctx context.Context, kill func(pid int) error) error {
	return a.patiently(ctx, func() error {
		var pid int
		err := a.books.see(ctx, func(tx *sql.Tx) error {
			const theirs = ` FROM pg_stat_activity WHERE application_name = 'sollecito' AND pid <> pg_backend_pid()`
			if kill != nil {
				return tx.QueryRowContext(ctx, `SELECT coalesce(max(pid), 0)`+theirs).Scan(&pid)
			}
			return tx.QueryRowContext(ctx, `SELECT count(pg_terminate_backend(pid))`+theirs).Scan(&pid)
		})
		if err != nil || kill == nil || pid == 0 {
			return err
		}
		return kill(pid)
	})
}

// patiently tries something again until the database, which is coming back, can serve.
func (a *attack) patiently(ctx context.Context, do func() error) error {
	for deadline := time.Now().Add(recoversWithin); ; {
		err := do()
		if err == nil || time.Now().After(deadline) || !pause(ctx, 50*time.Millisecond) {
			return err
		}
	}
}

// freeze lets the portal work for a while and stands it still, longer than whatever it claimed is left to it. On PostgreSQL a
// second one works on meanwhile and takes over what is due.
func (a *attack) freeze(ctx context.Context) error {
	err := a.live(ctx)
	if err != nil {
		return err
	}
	if a.second == nil && !strings.HasPrefix(a.plan.Database, "sqlite:") {
		a.second, err = start(a.plan, append(a.settings, "SOLLECITO_LISTEN=127.0.0.1:0"), "serve")
		if err != nil {
			return err
		}
	}
	pause(ctx, time.Duration(a.dice.Int64N(int64(3*time.Second))))
	before := a.post.count()
	err = a.portal.cmd.Process.Signal(syscall.SIGSTOP)
	if err != nil {
		return fmt.Errorf("freeze it: %w", err)
	}
	pause(ctx, a.plan.Freeze)
	a.report.Meanwhile += a.post.count() - before
	err = a.portal.cmd.Process.Signal(syscall.SIGCONT)
	if err != nil {
		return fmt.Errorf("let it go on: %w", err)
	}
	a.report.Freezes++
	return a.recovers(ctx, time.Now())
}
