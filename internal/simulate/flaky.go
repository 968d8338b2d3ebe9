package main

import (
	"context"
	"database/sql/driver"
	"errors"
)

// flaky stands between the portal and its database: it counts what is asked and lets some of it fail.
type flaky struct {
	asked int
	fail  func(n int, begins bool) error // asked before each statement, begin and commit; n counts from 1
	mute  func() error                   // asked after each commit: an error says that its answer was lost

	tables tables
}

func (f *flaky) next(begins bool) error {
	f.asked++
	if f.fail == nil {
		return nil
	}
	return f.fail(f.asked, begins)
}

// spared lets nothing fail until what it answers is called.
func (f *flaky) spared() (again func()) {
	fail, mute := f.fail, f.mute
	f.fail, f.mute = nil, nil
	return func() { f.fail, f.mute = fail, mute }
}

// Through makes a connector whose connections fail when f says so.
func (f *flaky) Through(inner driver.Connector) driver.Connector { return flakyConnector{inner, f} }

type flakyConnector struct {
	driver.Connector
	flaky *flaky
}

// Connect implements driver.Connector.
func (c flakyConnector) Connect(ctx context.Context) (driver.Conn, error) {
	made, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &flakyConn{made.(conn), c.flaky}, nil
}

// conn is what both engines' connections can do.
type conn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
}

type flakyConn struct {
	conn
	flaky *flaky
}

// BeginTx implements driver.ConnBeginTx.
func (c *flakyConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	err := c.flaky.next(true)
	if err != nil {
		return nil, err
	}
	tx, err := c.conn.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	return flakyTx{tx, c.flaky}, nil
}

// ExecContext implements driver.ExecerContext.
func (c *flakyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	said := c.flaky.tables.note(query, args)
	err := c.flaky.next(false)
	if err != nil {
		return nil, err
	}
	result, err := c.conn.ExecContext(ctx, query, args)
	if err != nil || len(said.writes) == 0 {
		return result, err
	}
	n, unknown := result.RowsAffected()
	if n > 0 || unknown != nil {
		c.flaky.tables.wrote(said, args)
	}
	return result, nil
}

// QueryContext implements driver.QueryerContext.
func (c *flakyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	said := c.flaky.tables.note(query, args)
	err := c.flaky.next(false)
	if err != nil {
		return nil, err
	}
	c.flaky.tables.wrote(said, args) // as far as anybody can see from here
	return c.conn.QueryContext(ctx, query, args)
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c *flakyConn) CheckNamedValue(v *driver.NamedValue) error {
	checker, checks := c.conn.(driver.NamedValueChecker)
	if !checks {
		return driver.ErrSkip
	}
	return checker.CheckNamedValue(v)
}

// IsValid implements driver.Validator.
func (c *flakyConn) IsValid() bool {
	validator, validates := c.conn.(driver.Validator)
	return !validates || validator.IsValid()
}

type flakyTx struct {
	driver.Tx
	flaky *flaky
}

// Commit implements driver.Tx. A commit that fails rolls back, as the drivers' own do.
func (t flakyTx) Commit() error {
	err := t.flaky.next(false)
	if err != nil {
		return errors.Join(err, t.Tx.Rollback())
	}
	err = t.Tx.Commit()
	if err == nil && t.flaky.mute != nil {
		return t.flaky.mute()
	}
	return err
}

var (
	errBusy = errors.New("database is locked (SQLITE_BUSY)")
	errGone = errors.New("the program has ended")
)
