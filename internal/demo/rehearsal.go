package demo

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
	"sollecito/views/stage"
)

const (
	rehearsedDays = 90
	changedName   = "consumer-cards" // the campaign that the dry run changes
	laterBy       = 2                // days
)

// showRehearsal is the dry run: what `sollecito campaign simulate` tells, by the demo's clock and with one change made.
func (d *Demo) showRehearsal(w http.ResponseWriter, r *http.Request) error {
	err := d.open()
	if err != nil {
		return err
	}
	page := stage.RehearsalPage{Frame: d.frame(r), Days: rehearsedDays}
	err = d.portal.DB.See(r.Context(), func(tx *sql.Tx) error {
		all, err := d.portal.Cases.Campaigns(r.Context(), tx)
		if err != nil {
			return err
		}
		changed := later(all.Find(changedName, 0))
		page.Changed = fmt.Sprintf("If %s spoke %d days later", changed.Title, laterBy)
		page.Is, err = d.rehearse(r.Context(), tx, all, nil, page.Now)
		if err != nil {
			return err
		}
		page.If, err = d.rehearse(r.Context(), tx, all.With(changed), &changed, page.Now)
		return err
	})
	if err != nil {
		return err
	}
	return d.show(w, r, http.StatusOK, stage.Rehearsal(page))
}

// later answers the campaign with each of its steps some days later.
func later(c campaign.Campaign) campaign.Campaign {
	c.Steps = slices.Clone(c.Steps)
	for i := range c.Steps {
		c.Steps[i].Day += laterBy
		c.Steps[i].DayFor = maps.Clone(c.Steps[i].DayFor)
		for class := range c.Steps[i].DayFor {
			c.Steps[i].DayFor[class] += laterBy
		}
	}
	return c
}

func (d *Demo) rehearse(ctx context.Context, tx *sql.Tx, all campaign.Campaigns, written *campaign.Campaign, now time.Time) (stage.Rehearsed, error) {
	past, err := d.portal.Cases.Rehearse(ctx, tx, all, now.AddDate(0, 0, -rehearsedDays), now)
	if err != nil {
		return stage.Rehearsed{}, err
	}
	leaves, err := d.portal.Cases.Leaves(ctx, tx, written, now.AddDate(0, 0, 1), now, now.Location())
	if err != nil {
		return stage.Rehearsed{}, err
	}
	out := stage.Rehearsed{Messages: past.Messages()}
	out.Alone, out.Person = dunning.Total(leaves)
	for _, c := range past.ByPlan {
		out.Campaigns = append(out.Campaigns, stage.RehearsedCampaign{Name: c.Campaign, Cases: c.Cases, Messages: c.Messages, Said: c.Said, Taken: c.Taken, Held: c.Held})
	}
	for _, l := range leaves {
		var besides []string
		if slices.Equal(l.Channels, []outbox.Channel{outbox.App}) {
			besides = append(besides, "in the app alone")
		}
		if l.HeldOut > 0 {
			besides = append(besides, fmt.Sprintf("%d held out: nothing goes out", l.HeldOut))
		}
		if l.Unsure > 0 {
			besides = append(besides, fmt.Sprintf("%d for a person to decide", l.Unsure))
		}
		out.Leaving = append(out.Leaving, stage.Leaving{
			Hour: l.Hour.Format("Mon 15:04"), Campaign: l.Campaign, Step: l.Step, Cases: l.Cases, Besides: strings.Join(besides, ", "),
		})
	}
	return out, nil
}
