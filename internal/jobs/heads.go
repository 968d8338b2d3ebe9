package jobs

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/database"
)

// tellHeadEvery is how often the head of the audit log is told outside the database.
const tellHeadEvery = 24 * time.Hour

// Heads tells the head of the audit log in the program's own log, once a day and at every start, so that an audit
// log cut short behind the database's back shows: `sollecito audit verify --head` looks for what was told.
type Heads struct {
	DB   *database.DB
	Real func() time.Time
	Log  *slog.Logger

	mu   sync.Mutex
	told time.Time
}

// RunOnce tells the head when a day has passed since the last time. It is never work that leads to more.
func (h *Heads) RunOnce(ctx context.Context) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.Real()
	if !h.told.IsZero() && now.Sub(h.told) < tellHeadEvery {
		return 0, nil
	}
	var seq int64
	var hash string
	err := h.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		seq, hash, err = audit.Head(ctx, tx)
		return err
	})
	if err != nil {
		return 0, err
	}
	h.told = now
	h.Log.InfoContext(ctx, "audit head", "seq", seq, "hash", hash)
	return 0, nil
}
