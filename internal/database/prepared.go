package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// preparing makes SQLite connections that keep the statements they have prepared: SQLite takes longer to understand
// most of ours than to run them. (PostgreSQL's driver keeps them by itself.)
//
// A statement that has begun is finished, whoever gives up waiting: the driver would start a watcher for each, which
// costs as much as a short statement. A writer's begin still obeys, and so does each next statement: none of ours is
// long but one, which is watched.
type preparing struct{ driver.Connector }

// Connect implements driver.Connector.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	made, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &preparedConn{sqliteConn: made.(sqliteConn), kept: map[string]*prepared{}}, nil
}

// sqliteConn is what the driver's connections can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type preparedConn struct {
	sqliteConn
	kept map[string]*prepared
}

// prepared is one statement that is kept. It serves one caller at a time: while rows of it are being read, the same
// words are prepared once more.
type prepared struct {
	statement interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
	busy bool
}

const (
	mostPrepared = 500  // statements a connection keeps; the program has fewer that do not change their words, some 320
	longestKept  = 4096 // bytes of a statement that is kept; longer ones are made for their number of rows
)

// take answers a kept statement, nil when the words are better run by themselves.
func (c *preparedConn) take(ctx context.Context, query string) (*prepared, error) {
	known, is := c.kept[query]
	if is && known.busy || len(query) > longestKept {
		return nil, nil
	}
	if is {
		return known, nil
	}
	if len(c.kept) >= mostPrepared {
		err := c.forget()
		if err != nil {
			return nil, err
		}
	}
	statement, err := c.sqliteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p := &prepared{}
	p.statement = statement.(interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	})
	c.kept[query] = p
	return p, nil
}

// forget closes what is kept and not in use.
func (c *preparedConn) forget() error {
	var failures []error
	for query, p := range c.kept {
		if p.busy {
			continue
		}
		failures = append(failures, p.statement.Close())
		delete(c.kept, query)
	}
	return errors.Join(failures...)
}

// ExecContext implements driver.ExecerContext.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	ctx = context.WithoutCancel(ctx)
	p, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	return p.statement.ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	ctx = context.WithoutCancel(ctx)
	p, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := p.statement.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	p.busy = true
	return &preparedRows{rows, p}, nil
}

// watched answers the one text column of a statement that takes long: it is watched, and ends with its context.
func (c *preparedConn) watched(ctx context.Context, query string) ([]string, error) {
	rows, err := c.sqliteConn.QueryContext(ctx, query, nil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	row := make([]driver.Value, 1)
	for {
		err = rows.Next(row)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, fmt.Sprint(row[0]))
	}
}

// Close implements driver.Conn.
func (c *preparedConn) Close() error { return errors.Join(c.forget(), c.sqliteConn.Close()) }

type preparedRows struct {
	driver.Rows
	of *prepared
}

// Close implements driver.Rows: the statement may be used again.
func (r *preparedRows) Close() error {
	err := r.Rows.Close()
	r.of.busy = false
	return err
}
