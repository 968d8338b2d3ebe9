package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// Task is one kind of work.
type Task struct {
	Name    string
	RunOnce func(ctx context.Context) (int, error) // does a batch; answers how many things it dealt with
	Every   time.Duration                          // looks at least this often
	Alone   bool                                   // nothing that other tasks do gives it work: time alone does
	Next    func(ctx context.Context) (time.Time, bool, error)
}

// Runner drives tasks. Each runs in its own goroutine, again and again while it finds work, then sleeps until its next
// thing is due, its interval has passed, or Wake is called.
type Runner struct {
	tasks []*running
	now   func() time.Time // business time, in which things are due
	log   *slog.Logger
	done  sync.WaitGroup
}

type running struct {
	Task
	turn sync.Mutex // one run of a task at a time in this process
	wake chan struct{}

	record record
}

// NewRunner makes a Runner; Start sets it going.
func NewRunner(now func() time.Time, log *slog.Logger, tasks ...Task) *Runner {
	r := &Runner{now: now, log: log}
	for _, t := range tasks {
		r.tasks = append(r.tasks, &running{Task: t, wake: make(chan struct{}, 1)})
	}
	return r
}

// Start runs all tasks until ctx ends. Wait waits for what is under way to finish.
func (r *Runner) Start(ctx context.Context) {
	for _, t := range r.tasks {
		t.record.begin()
		r.done.Go(func() { r.loop(ctx, t) })
	}
}

// Wait returns when all tasks have stopped after the end of Start's context.
func (r *Runner) Wait() { r.done.Wait() }

// Wake makes every task look for work now.
func (r *Runner) Wake() {
	for _, t := range r.tasks {
		t.rouse()
	}
}

// goOn makes those tasks look for work now whose work another task's may be. It is called after every batch of every
// task, so that under load it decides how often all look.
func (r *Runner) goOn() {
	for _, t := range r.tasks {
		if !t.Alone {
			t.rouse()
		}
	}
}

func (t *running) rouse() {
	select {
	case t.wake <- struct{}{}:
	default: // it is going to look anyway
	}
}

// Drain runs all tasks, or those named, in order until none of them finds work, and answers how much was done. It
// waits for runs under way. It is how a moved clock catches up.
func (r *Runner) Drain(ctx context.Context, named ...string) (int, error) {
	total := 0
	for {
		n, err := r.Once(ctx, named...)
		total += n
		if err != nil || n == 0 {
			return total, err
		}
	}
}

// Once runs one batch of each task, or of those named, in order, and answers how much was done.
func (r *Runner) Once(ctx context.Context, named ...string) (int, error) {
	done := 0
	for _, t := range r.tasks {
		if len(named) > 0 && !slices.Contains(named, t.Name) {
			continue
		}
		n, err := t.run(ctx)
		if err != nil {
			return done, fmt.Errorf("%s: %w", t.Name, err)
		}
		done += n
	}
	return done, nil
}

func (r *Runner) loop(ctx context.Context, t *running) {
	for ctx.Err() == nil {
		n, err := t.run(ctx)
		if err != nil && ctx.Err() == nil {
			r.log.ErrorContext(ctx, "task failed", "task", t.Name, "err", err)
		}
		if err == nil && n > 0 {
			r.goOn() // what one task did is often the next one's work
			continue
		}
		if err != nil { // whoever wakes it, it does not fail, and say so, more often
			rest(ctx, failedRest)
		}
		timer := time.NewTimer(r.pause(ctx, t))
		select {
		case <-ctx.Done():
		case <-t.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// failedRest is how long a task that failed is left alone.
const failedRest = time.Second

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// pause is how long a task may sleep: to the next due thing, at most its interval. What is due and was not done
// (sending is stopped, a server is down) is looked at again after a second.
func (r *Runner) pause(ctx context.Context, t *running) time.Duration {
	if t.Next == nil {
		return t.Every
	}
	at, ok, err := t.Next(ctx)
	if err != nil || !ok {
		return t.Every
	}
	return min(t.Every, max(at.Sub(r.now()), time.Second))
}

// run does one batch. A panic becomes an error: one broken task must not end the others.
func (t *running) run(ctx context.Context) (n int, err error) {
	t.turn.Lock()
	defer t.turn.Unlock()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		t.record.end(err)
	}()
	return t.RunOnce(ctx)
}

// passes reports whether a failure has nothing to do with the thing at hand: the program is stopping, or the database is
// away for now. The thing is left as it is, and found again.
func passes(ctx context.Context, err error) bool { return ctx.Err() != nil || away(err) }

// away reports whether the database is what failed, for everything and not for good. A Stripe that does not answer is another
// matter, and so is one customer whom somebody else holds.
func away(err error) bool {
	return database.Outage(err) && !database.InTheWay(err) && !fault.Is(err, fault.Unavailable)
}

// restAfter answers how long what failed is left alone: not for long when somebody else was in the way.
func restAfter(err error, usual time.Duration) time.Duration {
	if database.InTheWay(err) {
		return min(usual, time.Minute)
	}
	return usual
}

// Due is a task and when it has something to do next.
type Due struct {
	Task string
	At   time.Time
}

// Foreseen names the tasks that can tell when they have something due, in the order of the table of tasks.
func (r *Runner) Foreseen() []string {
	var all []string
	for _, t := range r.tasks {
		if t.Next != nil {
			all = append(all, t.Name)
		}
	}
	return all
}

// Dues answers when each task that can tell, or those of them that are named, has something due, in the order of the
// table of tasks.
func (r *Runner) Dues(ctx context.Context, named ...string) ([]Due, error) {
	var all []Due
	for _, t := range r.tasks {
		if t.Next == nil || len(named) > 0 && !slices.Contains(named, t.Name) {
			continue
		}
		at, ok, err := t.Next(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		if ok {
			all = append(all, Due{t.Name, at})
		}
	}
	return all, nil
}

// NextDue answers the earliest instant at which any task has something due, and false when none has.
func (r *Runner) NextDue(ctx context.Context) (time.Time, bool, error) {
	dues, err := r.Dues(ctx)
	if err != nil || len(dues) == 0 {
		return time.Time{}, false, err
	}
	first := slices.MinFunc(dues, func(a, b Due) int { return a.At.Compare(b.At) })
	return first.At, true, nil
}
