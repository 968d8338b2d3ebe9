package main

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
)

// simulation is what campaigns would have done with the cases of the last days, and what goes out until tomorrow: as they
// are, and as they would be with a written document.
type simulation struct {
	Days    int      `json:"days"`
	Stopped bool     `json:"sending_stopped"` // by the switch: nothing goes out until somebody resumes it
	Now     outcome  `json:"as_they_are"`
	Name    string   `json:"written,omitempty"` // of the campaign that was written, "" for none
	Written *outcome `json:"as_written,omitempty"`
}

type outcome struct {
	Past     dunning.Rehearsal `json:"past"`
	Tomorrow []dunning.Leaving `json:"until_tomorrow"`
}

func simulateCampaigns(p program, db *database.DB, cases *dunning.Cases, written *campaign.Campaign, days int, zone *time.Location, now time.Time) (simulation, error) {
	since, until := now.AddDate(0, 0, -days), now.AddDate(0, 0, 1)
	s := simulation{Days: days}
	err := db.See(p.ctx, func(tx *sql.Tx) error {
		sending, err := dunning.SendingSwitch(p.ctx, tx)
		if err != nil {
			return err
		}
		s.Stopped = sending.Stopped
		all, err := cases.Campaigns(p.ctx, tx)
		if err != nil {
			return err
		}
		s.Now.Past, err = cases.Rehearse(p.ctx, tx, all, since, now)
		if err != nil {
			return err
		}
		s.Now.Tomorrow, err = cases.Leaves(p.ctx, tx, nil, until, now, zone)
		if err != nil || written == nil {
			return err
		}
		s.Name, s.Written = written.Name, &outcome{}
		s.Written.Past, err = cases.Rehearse(p.ctx, tx, all.With(*written), since, now)
		if err != nil {
			return err
		}
		s.Written.Tomorrow, err = cases.Leaves(p.ctx, tx, written, until, now, zone)
		return err
	})
	return s, err
}

func (s simulation) print(p program, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(p.out)
		e.SetIndent("", "  ")
		return e.Encode(s)
	}
	fmt.Fprintf(p.out, "%d cases opened in the last %d days.\n", s.Now.Past.Cases, s.Days)
	if s.Now.Past.Cases > 0 {
		fmt.Fprintln(p.out, "\nBy the campaigns as they are:")
		rehearsed(p.out, s.Now.Past)
	}
	if s.Name != "" && s.Now.Past.Cases > 0 {
		fmt.Fprintf(p.out, "\nWith %s as written:\n", s.Name)
		rehearsed(p.out, s.Written.Past)
		was, will := s.Now.Past.Messages(), s.Written.Past.Messages()
		fmt.Fprintf(p.out, "\nMessages: %d instead of %d (%+d).\n", will, was, will-was)
	}
	if s.Stopped {
		fmt.Fprintln(p.out, "\nAll sending is stopped, so nothing of what follows goes out until `sollecito sending resume`.")
	}
	total, person := dunning.Total(s.Now.Tomorrow)
	fmt.Fprintf(p.out, "\nUntil this time tomorrow %d cases want to take a step, if nothing changes (a payment, a pause)%s", total, besides(person))
	leaves(p.out, s.Now.Tomorrow)
	if s.Name == "" {
		return nil
	}
	will, person := dunning.Total(s.Written.Tomorrow)
	fmt.Fprintf(p.out, "\nIf the running cases of %s had begun with it as written, %d would (%+d)%s. They keep their version, so this shows what\n"+
		"cases like them will do", s.Name, will, will-total, besides(person))
	leaves(p.out, s.Written.Tomorrow)
	return nil
}

// besides says of cases whose step is due that a person decides first.
func besides(person int) string {
	if person == 0 {
		return ""
	}
	return fmt.Sprintf("; %d more wait for a person", person)
}

func rehearsed(w io.Writer, r dunning.Rehearsal) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  CAMPAIGN\tCASES\tMESSAGES\tSAID IN FACT\tCONSEQUENCE REACHED\tHOLDOUT\tSTEPS")
	for _, part := range r.ByPlan {
		var steps []string
		for _, s := range part.Steps {
			steps = append(steps, fmt.Sprintf("%s %d", s.Key, s.Cases))
		}
		for _, variant := range slices.Sorted(maps.Keys(part.Variants)) {
			steps = append(steps, fmt.Sprintf("variant %s %d", variant, part.Variants[variant]))
		}
		fmt.Fprintf(t, "  %s\t%d\t%d\t%d\t%d\t%d\t%s\n", part.Campaign, part.Cases, part.Messages, part.Said, part.Taken, part.Held, strings.Join(steps, ", "))
	}
	t.Flush()
}

// leavingWhy are the reasons a time was moved, in a word for a narrow column.
var leavingWhy = map[contact.Reason]string{
	contact.ReasonOnce: "due at once", contact.ReasonPast: "its time has passed", contact.ReasonHours: "hours and days",
	contact.ReasonGap: "last message too recent", contact.ReasonCap: "enough messages this week", contact.ReasonRest: "public holiday",
	dunning.ReasonAnnounced: "announced for then",
}

func leaves(w io.Writer, all []dunning.Leaving) {
	if len(all) == 0 {
		fmt.Fprintln(w, ".")
		return
	}
	fmt.Fprintln(w, ":")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  HOUR\tCAMPAIGN\tSTEP\tCASES\tBY\tBESIDES")
	for _, l := range all {
		campaign := l.Campaign
		if l.Variant != "" {
			campaign += ", " + l.Variant
		}
		var by, besides []string
		for _, c := range l.Channels {
			by = append(by, string(c))
		}
		if l.HeldOut > 0 {
			besides = append(besides, fmt.Sprintf("%d held out: nothing goes out", l.HeldOut))
		}
		if l.Unsure > 0 {
			besides = append(besides, fmt.Sprintf("%d wait for a person", l.Unsure))
		}
		for _, why := range slices.Sorted(maps.Keys(l.Why)) {
			besides = append(besides, fmt.Sprintf("%d moved: %s", l.Why[why], cmp.Or(leavingWhy[why], string(why))))
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%d\t%s\t%s\n", l.Hour.Format("2006-01-02 15:00 MST"), campaign, l.Step, l.Cases, strings.Join(by, "+"), strings.Join(besides, ", "))
	}
	t.Flush()
}
