package main

import (
	"cmp"
	"context"
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
	var r caseRecord
	err = db.See(p.ctx, func(tx *sql.Tx) error {
		var err error
		r, err = readCase(p.ctx, tx, cases, id, now)
		return err
	})
	if err != nil {
		return err
	}
	zone := r.in.Zones[0]
	fmt.Fprintf(p.out, "%s of %s, campaign %s, version %d: %s. Times are those of %s.\n\n", r.c.ID, r.c.CustomerID, r.c.Campaign, r.c.CampaignVersion, r.c.Status, zone)
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	plain := strings.NewReplacer("\u00a0", " ") // dates hold together on a page; here they are searched for
	clock := func(at int64) string { return time.Unix(at, 0).In(zone).Format("2006-01-02 15:04") }
	for _, line := range r.past(l) {
		fmt.Fprintf(t, "%s\t%s\t%s\n", clock(line.at), line.what, plain.Replace(line.why))
	}
	if r.c.Status == dunning.Open && r.c.RestingSince == 0 {
		for _, next := range r.ahead(l) {
			at := ""
			if next.at > 0 {
				at = clock(next.at)
			}
			fmt.Fprintf(t, "%s\tahead: %s\t%s\n", at, next.what, plain.Replace(next.why))
		}
	}
	return t.Flush()
}

// caseRecord is all that explains a case, read at one moment.
type caseRecord struct {
	c        dunning.Case
	in       dunning.Situation
	story    []dunning.Entry
	decided  []dunning.Decision
	notices  []outbox.Notice
	proposed bool // a final act waits for a decision
	stopped  bool // all sending: no step is taken until somebody resumes it
}

// readCase reads the case of the id, or the newest case of the customer of that id.
func readCase(ctx context.Context, tx *sql.Tx, cases *dunning.Cases, id string, now time.Time) (r caseRecord, err error) {
	r.c, err = cases.Find(ctx, tx, id)
	if fault.Is(err, fault.NotFound) {
		r.c, err = cases.LatestOf(ctx, tx, id)
	}
	if fault.Is(err, fault.NotFound) {
		return r, fmt.Errorf("there is no case %s, nor a customer of this id who ever had one", id)
	}
	if err != nil {
		return r, err
	}
	r.in, err = cases.SituationOf(ctx, tx, r.c, now)
	if err != nil {
		return r, err
	}
	r.story, err = cases.Story(ctx, tx, r.c.ID)
	if err != nil {
		return r, err
	}
	r.decided, err = cases.Decisions(ctx, tx, r.c.ID)
	if err != nil {
		return r, err
	}
	r.notices, err = outbox.OfCase(ctx, tx, r.c.ID)
	if err != nil {
		return r, err
	}
	sending, err := dunning.SendingSwitch(ctx, tx)
	if err != nil {
		return r, err
	}
	r.stopped = sending.Stopped
	final, err := cases.FinalOf(ctx, tx, r.c.ID)
	if fault.Is(err, fault.NotFound) {
		return r, nil
	}
	r.proposed = err == nil && final.Status == dunning.FinalProposed
	return r, err
}

// ahead are the steps still to come. One that waits for a person has no time, nor has any after it, or while all sending is
// stopped.
func (r caseRecord) ahead(l *l10n.Locale) []told {
	var all []told
	for _, next := range r.c.Foresee(r.in, r.notices) {
		line := told{next.At.Unix(), next.Step.Key, explain.Moved(l, "If nothing has been paid by then.", next.Why)}
		switch {
		case r.proposed || next.Held != "":
			line.at, line.why = 0, "Not by itself: a person decides first."
		case r.stopped:
			line.at, line.why = 0, "All sending is stopped: not before somebody resumes it."
		case next.Step.Acts() && !r.in.ActsAlone:
			line.why = explain.Moved(l, explain.Stored(l, string(dunning.ReasonManager)), next.Why)
		case r.in.Unsaid(next.Step) != "":
			line.why = explain.Moved(l, explain.Stored(l, string(r.in.Unsaid(next.Step))), next.Why)
		case r.c.Holdout:
			line.why = explain.Moved(l, "Nothing goes out: the case is in the holdout.", next.Why)
		case next.Step.Consequence && !r.c.Loses(next.Step):
			line.why = explain.Moved(l, "If nothing has been paid by then. What it takes away is taken already.", next.Why)
		}
		all = append(all, line)
	}
	return all
}

// past puts what happened, what was decided and what became of each message in one order.
func (r caseRecord) past(l *l10n.Locale) []told {
	var all []told
	for _, e := range r.story {
		if e.What != "step" { // the decision says it with its reason
			all = append(all, told{e.At, e.What, explain.Stored(l, e.Why)})
		}
	}
	for _, d := range r.decided {
		what := strings.ReplaceAll(string(d.What), "_", " ")
		all = append(all, told{d.Since, strings.TrimSpace(what + " " + d.Step + " " + string(d.Channel)), explain.Decision(l, d, r.in.Zones[0])})
	}
	for _, n := range r.notices {
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
	missing := slices.DeleteFunc(languagesOf(c), func(language string) bool {
		return slices.ContainsFunc(spoken, func(tag string) bool { return tag == language || strings.HasPrefix(tag, language+"-") })
	})
	if len(missing) > 0 {
		fmt.Fprintf(p.out, "Its texts in %s reach nobody yet: letters are written in %s.\n", strings.Join(missing, ", "), strings.Join(spoken, ", "))
	}
	return nil
}

// languagesOf answers the languages a campaign's own texts are in, in any of its variants, sorted.
func languagesOf(c campaign.Campaign) []string {
	steps := slices.Clone(c.Steps)
	for _, v := range c.Variants {
		steps = append(steps, c.Walked(v.Name).Steps...)
	}
	languages := map[string]bool{}
	for _, step := range steps {
		for language := range step.Text {
			languages[language] = true
		}
	}
	return slices.Sorted(maps.Keys(languages))
}
