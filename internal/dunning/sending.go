package dunning

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"sollecito/internal/database"
)

// Switch is the one switch over all sending. While it is stopped no message leaves; cases keep their place.
type Switch struct {
	Stopped bool
	Since   time.Time
	By      string // a member of staff, or "command"
	Reason  string // why, in staff's words; "" when nobody said
	Copied  int64  `json:",omitempty"` // when the copy was taken from which the database was put back, unix seconds; 0 when that is not why
}

// PutBack reports whether sending is stopped because the database was put back from a copy: then nothing is charged by
// itself either.
func (s Switch) PutBack() bool { return s.Stopped && s.Copied > 0 }

const settingSending = "sending"

// SendingSwitch answers how the switch over all sending stands.
func SendingSwitch(ctx context.Context, tx *sql.Tx) (Switch, error) {
	kept, err := database.Setting(ctx, tx, settingSending)
	if err != nil || kept == "" {
		return Switch{}, err
	}
	var s Switch
	err = json.Unmarshal([]byte(kept), &s)
	if err != nil {
		return Switch{}, fmt.Errorf("read the switch over all sending: %w", err)
	}
	return s, nil
}

// StopSending stops all sending at once, until ResumeSending. Nothing is lost. What was stopped because the database was put
// back from a copy stays stopped for that.
func StopSending(ctx context.Context, tx *sql.Tx, actor, reason string, now time.Time) error {
	s, err := SendingSwitch(ctx, tx)
	if err != nil || s.PutBack() {
		return err
	}
	kept, err := json.Marshal(Switch{Stopped: true, Since: now.UTC().Truncate(time.Second), By: actor, Reason: reason})
	if err != nil {
		return fmt.Errorf("stop sending: %w", err)
	}
	return database.SetSetting(ctx, tx, settingSending, string(kept))
}

// stopForCopy stops all sending because the database was put back from a copy. Who had stopped it in there is told.
func stopForCopy(ctx context.Context, tx *sql.Tx, copied, now time.Time) error {
	was, err := SendingSwitch(ctx, tx)
	if err != nil {
		return err
	}
	reason := "The database was put back from a copy of " + copied.UTC().Format("2 January 2006, 15:04") + " UTC."
	if was.Stopped && !was.PutBack() {
		reason += " In that copy it had been stopped already by " + was.By + "."
	}
	kept, err := json.Marshal(Switch{Stopped: true, Since: now.UTC().Truncate(time.Second), Reason: reason, Copied: copied.Unix()})
	if err != nil {
		return fmt.Errorf("stop sending: %w", err)
	}
	return database.SetSetting(ctx, tx, settingSending, string(kept))
}

// ResumeSending lets messages go out again, by the contact policy: there is no burst.
func ResumeSending(ctx context.Context, tx *sql.Tx) error {
	return database.SetSetting(ctx, tx, settingSending, "")
}
