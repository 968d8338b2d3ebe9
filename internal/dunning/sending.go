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
}

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

// StopSending stops all sending at once, until ResumeSending. Nothing is lost.
func StopSending(ctx context.Context, tx *sql.Tx, actor, reason string, now time.Time) error {
	kept, err := json.Marshal(Switch{Stopped: true, Since: now.UTC().Truncate(time.Second), By: actor, Reason: reason})
	if err != nil {
		return fmt.Errorf("stop sending: %w", err)
	}
	return database.SetSetting(ctx, tx, settingSending, string(kept))
}

// ResumeSending lets messages go out again, by the contact policy: there is no burst.
func ResumeSending(ctx context.Context, tx *sql.Tx) error {
	return database.SetSetting(ctx, tx, settingSending, "")
}
