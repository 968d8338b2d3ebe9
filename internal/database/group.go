package database

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// Group keeps things of one kind that many callers bring at the same time in shared transactions: each caller waits
// until its own is durable, but the disk is waited for once for all of them. Whoever finds nobody writing writes for
// everybody who has come meanwhile.
type Group[T any] struct {
	db       *DB
	keep     func(ctx context.Context, tx *sql.Tx, items []T) error
	least    int
	patience time.Duration

	mu      sync.Mutex
	waiting []*entry[T]
	writing bool
	enough  chan struct{} // told when as many as least wait
}

type entry[T any] struct {
	item T
	done chan error // takes one error without waiting for its reader
}

// mostTogether bounds one shared transaction. groupTime bounds its life: it belongs to no single caller.
const (
	mostTogether = 256
	groupTime    = 20 * time.Second
)

// NewGroup makes a Group. keep writes some items, at most 256, within the transaction; where several fail together
// each is tried by itself, so keep must bear being asked again.
func NewGroup[T any](db *DB, keep func(ctx context.Context, tx *sql.Tx, items []T) error) *Group[T] {
	return &Group[T]{db: db, keep: keep, enough: make(chan struct{}, 1)}
}

// Gather lets whoever writes wait for others up to patience, until as many as least have brought something: for a few
// callers who come again and again, and a transaction that costs little more for many than for one.
func (g *Group[T]) Gather(least int, patience time.Duration) *Group[T] {
	g.least, g.patience = least, patience
	return g
}

// Writers is how many transactions that write the database does at the same time, as far as sharing them among groups is
// worth it: SQLite one, PostgreSQL several.
func (db *DB) Writers() int {
	if db.file != "" {
		return 1
	}
	return 4
}

// Keep answers nil when the item is durable. A caller that gives up waiting hears its context's error, and the item
// may be kept all the same.
func (g *Group[T]) Keep(ctx context.Context, item T) error {
	mine := &entry[T]{item: item, done: make(chan error, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, mine)
	if len(g.waiting) == g.least {
		select {
		case g.enough <- struct{}{}:
		default:
		}
	}
	leads := !g.writing
	g.writing = true
	g.mu.Unlock()
	if leads {
		g.write(context.WithoutCancel(ctx), mine)
	}
	select {
	case err := <-mine.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write writes what waits until the leader's own item is kept, then leaves the rest to a goroutine, so that no
// caller works for ever for the others.
func (g *Group[T]) write(ctx context.Context, own *entry[T]) {
	for {
		runtime.Gosched() // whoever is ready to bring something does so first: fewer commits, each for more
		g.gather()
		g.mu.Lock()
		batch := g.waiting[:min(len(g.waiting), mostTogether)]
		g.waiting = g.waiting[len(batch):]
		if len(batch) == 0 {
			g.writing, g.waiting = false, nil
			g.mu.Unlock()
			return
		}
		g.mu.Unlock()
		g.commit(ctx, batch)
		if own != nil && len(own.done) == 1 {
			go g.write(ctx, nil)
			return
		}
	}
}

// gather waits until enough have brought something or patience ends. Who has nothing to write does not wait.
func (g *Group[T]) gather() {
	g.mu.Lock()
	wait := len(g.waiting) > 0 && len(g.waiting) < g.least
	if wait {
		select {
		case <-g.enough: // of an earlier batch
		default:
		}
	}
	g.mu.Unlock()
	if !wait {
		return
	}
	patience := time.NewTimer(g.patience)
	defer patience.Stop()
	select {
	case <-g.enough:
	case <-patience.C:
	}
}

// commit keeps a batch. All its tries share one life, so that a database that hangs holds nobody up for longer.
func (g *Group[T]) commit(ctx context.Context, batch []*entry[T]) {
	ctx, stop := context.WithTimeout(ctx, groupTime)
	defer stop()
	err := g.together(ctx, batch)
	if err != nil && len(batch) > 1 {
		for _, e := range batch {
			e.done <- g.together(ctx, []*entry[T]{e})
		}
		return
	}
	for _, e := range batch {
		e.done <- err
	}
}

func (g *Group[T]) together(ctx context.Context, batch []*entry[T]) (err error) {
	defer func() {
		if p := recover(); p != nil { // the leader must not die of what another brought
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	items := make([]T, len(batch))
	for i, e := range batch {
		items[i] = e.item
	}
	return g.db.Do(ctx, func(tx *sql.Tx) error { return g.keep(ctx, tx, items) })
}
