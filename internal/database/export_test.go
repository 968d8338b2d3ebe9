package database

import "context"

// Age takes the last step of the migrations back.
func (db *DB) Age(ctx context.Context) error {
	provider, err := db.provider()
	if err != nil {
		return err
	}
	_, err = provider.Down(ctx)
	return err
}
