package main

import (
	"cmp"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/explain"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/internal/outbox"
)

// told is one line of a case's story.
type told struct {
	at   int64
	what string
	why  string
}

// explainCase prints what was decided about a case and why, in the order in which it happened, and what comes next. id is
// a case's, or its customer's, whose newest case it then is.
func explainCase(p program, db *database.DB, cases *dunning.Cases, id string, now time.Time) error {
	catalog, err := l10n.Load()
	if err != nil {
		return err
	}
	l := catalog.Locale("en")
	var c dunning.Case
	var in dunning.Situation
	var lines []told
	var notices []outbox.Notice
	proposed := false // a final act that waits for a decision
	err = db.See(p.ctx, func(tx *sql.Tx) error {
		var err error
		c, err = cases.Find(p.ctx, tx, id)
		if fault.Is(err, fault.NotFound) {
			c, err = cases.LatestOf(p.ctx, tx, id)
		}
		if fault.Is(err, fault.NotFound) {
			return fmt.Errorf("there is no case %s, nor a customer of this id who ever had one", id)
		}
		if err != nil {
			return err
		}
		in, err = cases.SituationOf(p.ctx, tx, c, now)
		if err != nil {
			return err
		}
		story, err := cases.Story(p.ctx, tx, c.ID)
		if err != nil {
			return err
		}
		decided, err := cases.Decisions(p.ctx, tx, c.ID)
		if err != nil {
			return err
		}
		notices, err = outbox.OfCase(p.ctx, tx, c.ID)
		if err != nil {
			return err
		}
		final, err := cases.FinalOf(p.ctx, tx, c.ID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		proposed = err == nil && final.Status == dunning.FinalProposed
		lines = storyLines(l, in.Zones[0], story, decided, notices)
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s of %s, campaign %s, version %d: %s. Times are those of %s.\n\n", c.ID, c.CustomerID, c.Campaign, c.CampaignVersion, c.Status, in.Zones[0])
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	plain := strings.NewReplacer("\u00a0", " ") // dates hold together on a page; here they are searched for
	clock := func(at time.Time) string { return at.In(in.Zones[0]).Format("2006-01-02 15:04") }
	for _, line := range lines {
		fmt.Fprintf(t, "%s\t%s\t%s\n", clock(time.Unix(line.at, 0)), line.what, plain.Replace(line.why))
	}
	if c.Status == dunning.Open && c.RestingSince == 0 {
		for _, next := range aheadLines(l, c, in, notices, proposed) {
			at := ""
			if next.at > 0 {
				at = clock(time.Unix(next.at, 0))
			}
			fmt.Fprintf(t, "%s\tahead: %s\t%s\n", at, next.what, plain.Replace(next.why))
		}
	}
	return t.Flush()
}

// aheadLines are the steps still to come. One that waits for a person has no time, nor has any after it.
func aheadLines(l *l10n.Locale, c dunning.Case, in dunning.Situation, notices []outbox.Notice, proposed bool) []told {
	var all []told
	for _, next := range c.Foresee(in, notices) {
		line := told{next.At.Unix(), next.Step.Key, explain.Moved(l, "If nothing has been paid by then.", next.Why)}
		switch {
		case proposed || next.Held != "":
			line.at, line.why = 0, "Not by itself: a person decides first."
		case next.Step.Acts() && !in.ActsAlone:
			line.why = explain.Moved(l, explain.Stored(l, string(dunning.ReasonManager)), next.Why)
		case in.Unsaid(next.Step) != "":
			line.why = explain.Moved(l, explain.Stored(l, string(in.Unsaid(next.Step))), next.Why)
		case c.Holdout:
			line.why = explain.Moved(l, "Nothing goes out: the case is in the holdout.", next.Why)
		}
		all = append(all, line)
	}
	return all
}

// storyLines puts what happened, what was decided and what became of each message in one order.
func storyLines(l *l10n.Locale, zone *time.Location, story []dunning.Entry, decided []dunning.Decision, notices []outbox.Notice) []told {
	var all []told
	for _, e := range story {
		if e.What != "step" { // the decision says it with its reason
			all = append(all, told{e.At, e.What, explain.Stored(l, e.Why)})
		}
	}
	for _, d := range decided {
		what := strings.ReplaceAll(string(d.What), "_", " ")
		all = append(all, told{d.Since, strings.TrimSpace(what + " " + d.Step + " " + string(d.Channel)), explain.Decision(l, d, zone)})
	}
	for _, n := range notices {
		all = append(all, told{cmp.Or(n.SettledAt, n.CreatedAt), fmt.Sprintf("%s %s %s", n.Status, n.Step, n.Channel), explain.Stored(l, n.Reason)})
	}
	slices.SortStableFunc(all, func(a, b told) int { return cmp.Compare(a.at, b.at) })
	return all
}

// unspoken tells of texts in languages no letter is written in: they are kept, and nobody gets them.
func unspoken(p program, c campaign.Campaign) error {
	catalog, err := l10n.Load()
	if err != nil {
		return err
	}
	var spoken []string
	for _, l := range catalog.Locales() {
		spoken = append(spoken, l.Tag())
	}
	missing := map[string]bool{}
	walks := []campaign.Campaign{c}
	for _, v := range c.Variants {
		walks = append(walks, c.Walked(v.Name))
	}
	for _, walk := range walks {
		for _, step := range walk.Steps {
			for language := range step.Text {
				if !slices.ContainsFunc(spoken, func(tag string) bool { return tag == language || strings.HasPrefix(tag, language+"-") }) {
					missing[language] = true
				}
			}
		}
	}
	if len(missing) > 0 {
		fmt.Fprintf(p.out, "Its texts in %s reach nobody yet: letters are written in %s.\n", strings.Join(slices.Sorted(maps.Keys(missing)), ", "), strings.Join(spoken, ", "))
	}
	return nil
}
