package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/database"
)

// settingPolicy holds by which contact policy open cases wait for their next instants.
const settingPolicy = "contact_policy"

// policyWords tell one policy from another. What one customer adds to it is read with them each time. The last word is of what
// planning keeps besides (Case.Puzzling): cases that were open before it was kept are planned anew for it, once.
func (cs *Cases) policyWords() string {
	p := cs.policy
	return fmt.Sprintf("%d-%d %v %s %d %s holidays=%t collector=%t %s puzzling", p.From, p.To, p.Days, p.Gap, p.Cap, p.Window, p.Almanac != nil, p.Collector, cs.fallback)
}

// PolicyChanged reports whether open cases may wait for instants that another contact policy gave them.
func (cs *Cases) PolicyChanged(ctx context.Context, tx *sql.Tx) (bool, error) {
	kept, err := database.Setting(ctx, tx, settingPolicy)
	return kept != cs.policyWords(), err
}

// KeepPolicy writes down that all open cases wait by the policy in force.
func (cs *Cases) KeepPolicy(ctx context.Context, tx *sql.Tx) error {
	return database.SetSetting(ctx, tx, settingPolicy, cs.policyWords())
}

// Waits answers the ids of up to limit open cases that wait for an instant still to come, those after an id.
func (cs *Cases) Waits(ctx context.Context, tx *sql.Tx, after string, limit int, now time.Time) ([]string, error) {
	return database.Strings(ctx, tx, `
		SELECT id FROM cases WHERE status = 'open' AND resting_since = 0 AND next_step_at > $1 AND id > $2 ORDER BY id LIMIT $3`, now.Unix(), after, limit)
}

// Replan works out anew when waiting cases are due, by the policy in force.
func (cs *Cases) Replan(ctx context.Context, tx *sql.Tx, ids []string, now time.Time) error {
	err := cs.HoldAll(ctx, tx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		c, err := cs.Find(ctx, tx, id)
		if err != nil {
			return err
		}
		if c.Status != Open || c.NextStepAt == 0 {
			continue
		}
		err = cs.reschedule(ctx, tx, c, now)
		if err != nil {
			return fmt.Errorf("plan case %s anew: %w", id, err)
		}
	}
	return nil
}
