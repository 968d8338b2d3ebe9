package database

import (
	"context"
	"database/sql"
	"fmt"

	"modernc.org/sqlite"
)

// Memory is a place in this process's memory for one SQLite database, which lives until it is closed: what is opened in it is
// found there when it is opened anew.
type Memory struct {
	name   string
	keeper *sql.DB // its one connection keeps what is there
}

// NewMemory makes an empty place.
func NewMemory(ctx context.Context) (*Memory, error) {
	name := "/" + NewID("memory")
	connector, err := sqlite.NewConnector(dsn(name, inMemory))
	if err != nil {
		return nil, err
	}
	keeper := sql.OpenDB(connector)
	keeper.SetMaxOpenConns(1)
	err = keeper.PingContext(ctx)
	if err != nil {
		keeper.Close()
		return nil, fmt.Errorf("make room in memory: %w", err)
	}
	return &Memory{name: name, keeper: keeper}, nil
}

const inMemory = "mode=memory&cache=shared" // shared with the keeper, who asks for nothing

// Close forgets what is there, once nobody has it open.
func (m *Memory) Close() error { return m.keeper.Close() }

// In lets Exclusive open the database in a place of memory, and never touch the file that its address names.
func In(m *Memory) Option { return func(o *opening) { o.memory = m } }
