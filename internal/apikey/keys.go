package apikey

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// Keys is the collection of all keys. It is safe for concurrent use.
type Keys struct {
	now func() time.Time

	mu   sync.Mutex
	used map[string]int64 // when a key's last use was written, by its id
}

// NewKeys makes the collection. now is the real clock: how long ago a key was used is no business matter.
func NewKeys(now func() time.Time) *Keys { return &Keys{now: now, used: map[string]int64{}} }

// Make makes a key for a member of staff and answers it, which nobody can later. Error: fault.Invalid for a name that says
// nothing or that a living key has.
func (ks *Keys) Make(ctx context.Context, tx *sql.Tx, name, by string) (Key, string, error) {
	name, err := cleanName(name)
	if err != nil {
		return Key{}, "", err
	}
	secret := newSecret()
	k := Key{ID: database.NewID("key"), Name: name, Beginning: secret[:shown], MadeBy: by, MadeAt: ks.now().Unix()}
	made, err := insertKey(ctx, tx, k, hashOf(secret))
	if err != nil {
		return Key{}, "", fmt.Errorf("make a key: %w", err)
	}
	if !made {
		return Key{}, "", fault.New(fault.Invalid, "There is a key of this name: end it first, or choose another")
	}
	return k, secret, nil
}

// List answers all keys, those that work first, of them and of the others the newest first.
func (ks *Keys) List(ctx context.Context, tx *sql.Tx) ([]Key, error) {
	all, err := selectKeys(ctx, tx, `ORDER BY ended_at > 0, made_at DESC, id DESC`)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return all, nil
}

// End makes a key open nothing from now on, and answers it and whether it did until then. Error: fault.NotFound for one there
// is not.
func (ks *Keys) End(ctx context.Context, tx *sql.Tx, id, by string) (Key, bool, error) {
	found, err := selectKeys(ctx, tx, `WHERE id = $1`, id)
	if err != nil {
		return Key{}, false, fmt.Errorf("end a key: %w", err)
	}
	if len(found) == 0 {
		return Key{}, false, fault.New(fault.NotFound, "There is no such key.")
	}
	ended, err := endKey(ctx, tx, id, by, ks.now().Unix())
	if err != nil {
		return Key{}, false, fmt.Errorf("end a key: %w", err)
	}
	return found[0], ended, nil
}

// Check answers which key this is, fault.SignedOut when it is none that works.
func (ks *Keys) Check(ctx context.Context, tx *sql.Tx, secret string) (Key, error) {
	k, err := keyByHash(ctx, tx, hashOf(secret))
	if errors.Is(err, sql.ErrNoRows) || err == nil && k.EndedAt > 0 {
		return Key{}, fault.New(fault.SignedOut, "There is no such key, or it was ended.")
	}
	if err != nil {
		return Key{}, fmt.Errorf("check a key: %w", err)
	}
	return k, nil
}

// Used writes down that a key was used, if that was not done within the minute: programs ask over and over, and what they
// ask for is no reason to wait for the disk.
func (ks *Keys) Used(ctx context.Context, db *database.DB, k Key) error {
	now := ks.now().Unix()
	if !ks.due(k, now) {
		return nil
	}
	err := db.Do(ctx, func(tx *sql.Tx) error { return touchKey(ctx, tx, k.ID, now) })
	if err != nil {
		return fmt.Errorf("keep when a key was used: %w", err)
	}
	return nil
}

// due reports whether a use is to be written, to one of those who ask at the same time.
func (ks *Keys) due(k Key, now int64) bool {
	ks.mu.Lock()
	defer ks.mu.Unlock()
	if now-max(k.UsedAt, ks.used[k.ID]) < int64(usedEvery/time.Second) {
		return false
	}
	ks.used[k.ID] = now
	return true
}
