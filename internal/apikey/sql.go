package apikey

import (
	"context"
	"database/sql"
)

const keyColumns = `id, name, beginning, made_by, made_at, used_at, ended_by, ended_at`

type scanner interface{ Scan(into ...any) error }

func scanKey(row scanner) (Key, error) {
	var k Key
	err := row.Scan(&k.ID, &k.Name, &k.Beginning, &k.MadeBy, &k.MadeAt, &k.UsedAt, &k.EndedBy, &k.EndedAt)
	return k, err
}

func keyByHash(ctx context.Context, tx *sql.Tx, hash string) (Key, error) {
	return scanKey(tx.QueryRowContext(ctx, `SELECT `+keyColumns+` FROM api_keys WHERE hash = $1`, hash))
}

func selectKeys(ctx context.Context, tx *sql.Tx, which string, args ...any) ([]Key, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+keyColumns+` FROM api_keys `+which, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Key
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, rows.Err()
}

// insertKey keeps a new key, unless a living one has its name.
func insertKey(ctx context.Context, tx *sql.Tx, k Key, hash string) (bool, error) {
	return changed(tx.ExecContext(ctx, `
		INSERT INTO api_keys (id, hash, beginning, name, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (name) WHERE ended_at = 0 DO NOTHING`, k.ID, hash, k.Beginning, k.Name, k.MadeBy, k.MadeAt))
}

func endKey(ctx context.Context, tx *sql.Tx, id, by string, now int64) (bool, error) {
	return changed(tx.ExecContext(ctx, `UPDATE api_keys SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at = 0`, id, now, by))
}

func touchKey(ctx context.Context, tx *sql.Tx, id string, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE api_keys SET used_at = $2 WHERE id = $1 AND used_at < $2`, id, now)
	return err
}

// changed reports whether a statement found its row.
func changed(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}
