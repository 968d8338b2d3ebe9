package dunning

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"sollecito/internal/database"
)

// Switch is the state of the one switch over all sending.
type Switch struct {
	Stopped bool
	Since   time.Time // zero when the stop was written in words we don't know
	By      string
	Reason  string // why, in staff's words; "" when nobody said
}

// settingReason keeps why sending was stopped, below the very sentence it belongs to: a stop made elsewhere, such
// as on the command line, is never explained by an older reason.
const settingReason = "sending_stopped_reason"

const stoppedLayout = "2 January 2006, 15:04 UTC"

// SendingSwitch answers how the switch over all sending stands.
func SendingSwitch(ctx context.Context, tx *sql.Tx) (Switch, error) {
	said, err := SendingStopped(ctx, tx)
	if err != nil || said == "" {
		return Switch{}, err
	}
	kept, err := database.Setting(ctx, tx, settingReason)
	if err != nil {
		return Switch{}, err
	}
	s := Switch{Stopped: true}
	of, reason, _ := strings.Cut(kept, "\n")
	if of == said {
		s.Reason = reason
	}
	since, by, _ := strings.Cut(strings.TrimPrefix(said, "since "), " by ")
	at, err := time.Parse(stoppedLayout, since)
	if err == nil {
		s.Since, s.By = at, by
	}
	return s, nil
}

// StopSendingFor stops all sending as StopSending does and keeps the reason beside it.
func StopSendingFor(ctx context.Context, tx *sql.Tx, actor, reason string, now time.Time) error {
	err := StopSending(ctx, tx, actor, now)
	if err != nil {
		return err
	}
	said, err := SendingStopped(ctx, tx)
	if err != nil {
		return err
	}
	return database.SetSetting(ctx, tx, settingReason, said+"\n"+reason)
}
