package staff

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// Happening is something about an account that its owner is told of by mail, so that they notice what was not them.
type Happening string

// The happenings.
const (
	NewDevice       Happening = "new_device"       // signed in from a browser that is not known
	FactorSet       Happening = "factor_set"       // a second factor was set up or changed
	FactorReset     Happening = "factor_reset"     // an administrator took the second factor away
	CodesRenewed    Happening = "codes_renewed"    // new recovery codes
	PasswordChanged Happening = "password_changed" //
	ManyFailures    Happening = "many_failures"    // ten wrong tries in a row; told once in a wave
)

// Alert is one happening. At is in unix seconds of real time; IP and Agent are where it came from, "" for none.
type Alert struct {
	Member
	What  Happening
	At    int64
	IP    string
	Agent string
}

// alertsKept is how long what was told is kept for the mail that tells it.
const alertsKept = 30 * 24 * time.Hour

// alert keeps a happening and queues its mail, both in the transaction of the deed.
func (m *Members) alert(ctx context.Context, tx *sql.Tx, to Member, what Happening, from Caller) error {
	now := m.now()
	id := database.NewID("alert")
	err := forgetAlerts(ctx, tx, to.ID, now.Add(-alertsKept).Unix())
	if err != nil {
		return err
	}
	err = insertAlert(ctx, tx, id, to.ID, what, now.Unix(), from)
	if err != nil {
		return err
	}
	_, err = outbox.Queue(ctx, tx, outbox.Notice{
		Kind: outbox.StaffAlert, Channel: outbox.Email, Step: string(what), SubjectID: id, Recipient: to.Email,
	}, m.due().Unix())
	return err
}

// FindAlert answers one happening with whose it is. Error: fault.NotFound.
func FindAlert(ctx context.Context, tx *sql.Tx, id string) (Alert, error) {
	var a Alert
	found, err := scanMember(tx.QueryRowContext(ctx, `
		SELECT `+memberColumns+`, x.what, x.at, x.ip, x.agent FROM staff_alerts x JOIN staff s ON s.id = x.staff_id WHERE x.id = $1`, id),
		&a.What, &a.At, &a.IP, &a.Agent)
	if errors.Is(err, sql.ErrNoRows) {
		return Alert{}, fault.New(fault.NotFound, "There is no such happening")
	}
	if err != nil {
		return Alert{}, fmt.Errorf("find alert: %w", err)
	}
	a.Member = found.Member
	return a, nil
}
