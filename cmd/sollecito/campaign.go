package main

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"sollecito/internal/audit"
	"sollecito/internal/campaign"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/portal"
)

func campaignCommand(p program, args []string) error {
	u := newUsage("campaign list | export NAME [--version N] | apply FILE [--before NAME] | diff FILE | simulate [FILE] [--days N] [--json] | explain CUSTOMER | schema",
		"Campaigns say who is told what, when, and by which channel. Each is a YAML document with versions: a case keeps the\n"+
			"version it began with.\n\n"+
			"  list      every campaign in the order in which a new case looks for its own, with version and running cases\n"+
			"  export    print a campaign's document\n"+
			"  apply     make a document the newest version of its campaign; nothing changes for cases that have begun\n"+
			"  diff      what a document would change\n"+
			"  simulate  what the campaigns (with FILE: as if it were applied) would have done with the cases of the last days,\n"+
			"            and what goes out until tomorrow; nothing is sent or written\n"+
			"  explain   what was decided about a customer's case, or the case of this id, and why, and what comes next\n"+
			"  schema    print the JSON Schema of the documents\n\n"+
			"FILE may be - for standard input.").withSettings()
	before := u.String("before", "", "of apply: the `campaign` a new case looks at after this one; a new campaign comes first of all")
	version := u.Int64("version", 0, "of export: an earlier `version`; 0 for the newest")
	days := u.Int("days", 90, "of simulate: cases opened in the last `N` days")
	asJSON := u.Bool("json", false, "of simulate: answer as JSON")
	words, err := u.parse(p, args)
	if err != nil {
		return err
	}
	err = checkCampaignWords(words)
	if err != nil {
		return err
	}
	err = u.ofDeed(words[0], map[string]string{"before": "apply", "version": "export", "days": "simulate", "json": "simulate"})
	switch {
	case err != nil:
		return err
	case *days < 1 || *days > 3650:
		return misused("--days is from 1 to 3650")
	case *version < 0:
		return misused("--version is at least 1, or 0 for the newest")
	}
	if words[0] == "schema" {
		_, err = p.out.Write(campaign.Schema)
		return err
	}
	var written *campaign.Campaign
	if words[0] != "export" && words[0] != "explain" && len(words) == 2 {
		c, err := readCampaign(p, words[1])
		if err != nil {
			return err
		}
		written = &c
	}
	c, err := u.configuration(p, campaignSettings(p)...)
	if err != nil {
		return err
	}
	db, err := openDatabase(p, c, false)
	if err != nil {
		return err
	}
	defer db.Close()
	now, err := portal.BusinessNow(p.ctx, db, time.Now())
	if err != nil {
		return err
	}
	err = db.Do(p.ctx, func(tx *sql.Tx) error {
		return campaign.Install(p.ctx, tx, campaign.Shipped(), now)
	})
	if err != nil {
		return err
	}
	rules := portal.Rules(c)
	store, cases := rules.Campaigns, dunning.NewCases(rules)
	switch words[0] {
	case "list":
		return listCampaigns(p, db, store)
	case "export":
		return exportCampaign(p, db, store, words[1], *version)
	case "apply":
		return applyCampaign(p, db, store, *written, *before, now)
	case "diff":
		return diffCampaign(p, db, store, *written)
	case "explain":
		return explainCase(p, db, cases, words[1], now)
	}
	simulated, err := simulateCampaigns(p, db, cases, written, *days, c.Zone, now)
	if err != nil {
		return err
	}
	return simulated.print(p, *asJSON)
}

// campaignSettings names the settings that bear on what a campaign does.
func campaignSettings(p program) []string {
	names := []string{"DATABASE_URL", "DEFAULT_ZONE", "CONTACT_HOURS", "CONTACT_DAYS", "CONTACT_HOLIDAYS", "CONTACT_CAP", "COLLECTOR_MODE", "REGULATED_CREDIT", "FINAL_ACTS"}
	_, stated := p.environ("SOLLECITO_STRIPE_EMAILS")
	if stated { // a dry run leaves it open; what is said of it must be right
		names = append(names, "STRIPE_EMAILS")
	}
	return names
}

// checkCampaignWords refuses a deed that does not exist, and too few or too many words after it.
func checkCampaignWords(words []string) error {
	usual := map[string][2]int{"list": {1, 1}, "export": {2, 2}, "apply": {2, 2}, "diff": {2, 2}, "simulate": {1, 2}, "explain": {2, 2}, "schema": {1, 1}}
	if len(words) == 0 {
		return misused("say list, export, apply, diff, simulate, explain or schema")
	}
	count, known := usual[words[0]]
	switch {
	case !known:
		return misused("say list, export, apply, diff, simulate, explain or schema, not %q", words[0])
	case len(words) < count[0]:
		return misused("%s wants one more word", words[0])
	case len(words) > count[1]:
		return misused("%s does not take %q", words[0], words[len(words)-1])
	}
	return nil
}

// readCampaign reads a document; what is wrong with it is told line by line.
func readCampaign(p program, path string) (campaign.Campaign, error) {
	const most = 1 << 20
	in := p.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return campaign.Campaign{}, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, most))
	if err != nil {
		return campaign.Campaign{}, fmt.Errorf("read %s: %w", path, err)
	}
	c, err := campaign.Parse(text)
	var flaws campaign.Flaws
	if !errors.As(err, &flaws) {
		return c, err
	}
	var lines []error
	for _, f := range flaws {
		lines = append(lines, fmt.Errorf("%s:%d: %s", path, f.Line, f.Text))
	}
	return campaign.Campaign{}, errors.Join(lines...)
}

// campaigns reads what there is.
func campaigns(p program, db *database.DB, store *campaign.Store) (campaign.Campaigns, error) {
	var all campaign.Campaigns
	err := db.See(p.ctx, func(tx *sql.Tx) error {
		var err error
		all, err = store.All(p.ctx, tx)
		return err
	})
	return all, err
}

func listCampaigns(p program, db *database.DB, store *campaign.Store) error {
	all, err := campaigns(p, db, store)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tVERSION\tSTEPS\tHOLDOUT\tOPEN CASES\tTITLE")
	for _, c := range all.Newest() {
		var open int
		err = db.See(p.ctx, func(tx *sql.Tx) error {
			var err error
			open, err = dunning.CountOpen(p.ctx, tx, c.Name)
			return err
		})
		if err != nil {
			return err
		}
		title := c.Title
		if c.Retired {
			title += " (retired)"
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d %%\t%d\t%s\n", c.Name, c.Version, len(c.Steps), c.Holdout, open, title)
	}
	return t.Flush()
}

func exportCampaign(p program, db *database.DB, store *campaign.Store, name string, version int64) error {
	all, err := campaigns(p, db, store)
	if err != nil {
		return err
	}
	for _, c := range all.Newest() {
		if c.Name != name {
			continue
		}
		if version > 0 {
			c = all.Find(name, version)
		}
		if version > 0 && c.Version != version {
			return fmt.Errorf("%s has no version %d; the newest is %d", name, version, c.Version)
		}
		text, err := c.Document()
		if err != nil {
			return err
		}
		_, err = p.out.Write(text)
		return err
	}
	return fmt.Errorf("there is no campaign %s: `sollecito campaign list` shows those there are", name)
}

func applyCampaign(p program, db *database.DB, store *campaign.Store, c campaign.Campaign, before string, now time.Time) error {
	var version int64
	var changed bool
	var open int
	var all campaign.Campaigns
	err := db.Do(p.ctx, func(tx *sql.Tx) error {
		var err error
		version, changed, err = store.Apply(p.ctx, tx, c, before, "command", now)
		if err != nil || !changed {
			return err
		}
		open, err = dunning.CountOpen(p.ctx, tx, c.Name)
		if err != nil {
			return err
		}
		all, err = store.All(p.ctx, tx)
		if err != nil {
			return err
		}
		return audit.Append(p.ctx, tx, audit.Entry{At: now, Actor: "command", Action: "campaign.applied", Object: c.Name, Detail: fmt.Sprint("version ", version)})
	})
	switch {
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.Conflict), fault.Is(err, fault.Invalid):
		return errors.New(fault.MessageOf(err))
	case err != nil:
		return err
	case !changed:
		fmt.Fprintf(p.out, "%s says the same already, at version %d.\n", c.Name, version)
		return nil
	}
	begins := "New cases begin with it"
	if c.Retired {
		begins = "It is retired: no new case begins with it"
	}
	fmt.Fprintf(p.out, "%s is at version %d. %s", c.Name, version, begins)
	if open > 0 {
		fmt.Fprintf(p.out, "; the %d that run keep theirs", open)
	}
	fmt.Fprintln(p.out, ".")
	whole, behind := all.Unreached()
	if whole == c.Name || slices.Contains(behind, c.Name) {
		fmt.Fprintf(p.out, "%s is for everybody, so no new case gets to what stands behind it: %s. `for` says whom a campaign is for, --before NAME where it stands.\n",
			whole, strings.Join(behind, ", "))
	}
	return unspoken(p, c)
}

func diffCampaign(p program, db *database.DB, store *campaign.Store, c campaign.Campaign) error {
	all, err := campaigns(p, db, store)
	if err != nil {
		return err
	}
	theirs, err := c.Document()
	if err != nil {
		return err
	}
	name, ours := "nothing", []byte(nil)
	for _, known := range all.Newest() {
		if known.Name != c.Name {
			continue
		}
		name = fmt.Sprintf("%s, version %d", c.Name, known.Version)
		ours, err = known.Document()
		if err != nil {
			return err
		}
	}
	if bytes.Equal(ours, theirs) {
		fmt.Fprintf(p.out, "%s says the same.\n", name)
		return nil
	}
	_, err = p.out.Write(diff.Diff(name, ours, c.Name+", as written", theirs))
	return err
}
