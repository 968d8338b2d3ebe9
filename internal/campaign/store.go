package campaign

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"slices"
	"sync"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/fault"
)

//go:embed shipped/*.yaml
var shippedDocuments embed.FS

// shippedOrder is in which order the shipped campaigns are asked: the most particular first. The last serves everybody.
var shippedOrder = []string{"gentle", "high-value", "invoices", "bank-debits", "business-cards", "consumer-cards"}

// Shipped are the campaigns that come with the program, each at version 1. An installation keeps those it began with;
// gentle, which earlier ones began with, is retired.
func Shipped() Campaigns { return slices.Clone(shipped()) }

// shipped reads them once, however often they are asked for.
var shipped = sync.OnceValue(func() Campaigns {
	var all Campaigns
	for _, name := range shippedOrder {
		text, err := shippedDocuments.ReadFile("shipped/" + name + ".yaml")
		if err != nil {
			panic(err) // it was embedded when the program was built
		}
		c, err := Parse(text)
		if err != nil {
			panic(fmt.Errorf("shipped campaign %s: %w", name, err)) // a test reads them all
		}
		c.Version = 1
		all = append(all, c)
	}
	return all
})

// Schema is the JSON Schema of the documents, for editors.
//
//go:embed schema.json
var Schema []byte

// settingCampaigns names the setting that changes whenever a campaign is applied, so that programs which keep the
// parsed campaigns notice.
const settingCampaigns = "campaigns"

// Install gives an installation the campaigns it does not know by name yet, after those it does.
func Install(ctx context.Context, tx *sql.Tx, all Campaigns, now time.Time) error {
	err := database.HoldQuietly(ctx, tx, settingCampaigns)
	if err != nil {
		return err
	}
	known, err := database.Strings(ctx, tx, `SELECT name FROM campaign_order`)
	if err != nil {
		return err
	}
	position := len(known)
	for _, c := range all {
		if slices.Contains(known, c.Name) {
			continue
		}
		err = addCampaign(ctx, tx, c, "shipped", now)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO campaign_order (name, position) VALUES ($1, $2)`, c.Name, position)
		if err != nil {
			return err
		}
		position++
	}
	if position == len(known) {
		return nil
	}
	return database.SetSetting(ctx, tx, settingCampaigns, database.NewID("gen"))
}

func addCampaign(ctx context.Context, tx *sql.Tx, c Campaign, actor string, now time.Time) error {
	text, err := c.Document()
	if err != nil {
		return err
	}
	kept, err := readDocument(text) // one document that cannot be read would stop all campaigns
	if err != nil {
		return fmt.Errorf("campaign %s, written to be kept, cannot be read: %w", c.Name, err)
	}
	same, err := c.Says(*kept.Campaign)
	if err != nil {
		return err
	}
	if !same {
		return fmt.Errorf("campaign %s, written to be kept, says something else", c.Name)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO campaigns (name, version, document, applied_at, actor) VALUES ($1, $2, $3, $4, $5)`,
		c.Name, c.Version, string(text), now.Unix(), actor)
	return err
}

// Store keeps the campaigns of an installation and the last reading of them.
type Store struct {
	first Campaigns // stand until any is installed

	mu         sync.Mutex // guards what was last read
	generation string
	kept       Campaigns
}

// NewStore makes the store. The campaigns given stand until any is installed.
func NewStore(first Campaigns) *Store { return &Store{first: first} }

// All answers every campaign there is, as Campaigns orders them.
func (s *Store) All(ctx context.Context, tx *sql.Tx) (Campaigns, error) {
	generation, err := database.Setting(ctx, tx, settingCampaigns)
	if err != nil {
		return nil, err
	}
	if generation == "" {
		return s.first, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.generation == generation {
		return s.kept, nil
	}
	kept, err := selectCampaigns(ctx, tx)
	if err != nil {
		return nil, err
	}
	s.generation, s.kept = generation, kept
	return kept, nil
}

// Find answers a campaign in the version with which a case began, as Campaigns.Find does. A version never changes once it
// is kept, so the database is not asked about one that was read before.
func (s *Store) Find(ctx context.Context, tx *sql.Tx, name string, version int64) (Campaign, error) {
	s.mu.Lock()
	kept := s.kept
	s.mu.Unlock()
	for _, c := range kept {
		if c.Name == name && c.Version == version {
			return c, nil
		}
	}
	all, err := s.All(ctx, tx)
	return all.Find(name, version), err
}

func selectCampaigns(ctx context.Context, tx *sql.Tx) (Campaigns, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT c.version, c.document FROM campaigns c JOIN campaign_order o ON o.name = c.name
		ORDER BY o.position, c.name, c.version`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all Campaigns
	for rows.Next() {
		var version int64
		var text string
		err = rows.Scan(&version, &text)
		if err != nil {
			return nil, err
		}
		kept, err := readDocument([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("read a kept campaign: %w", err)
		}
		c := *kept.Campaign
		c.Version = version
		all = append(all, c)
	}
	return all, rows.Err()
}

// Apply makes the document the newest version of its campaign and answers that version; a document that says
// the same as the newest one changes nothing and answers false. before names the campaign that is asked after this one,
// "" leaves a known one in its place and puts a new one first. Cases that have begun keep their version. fault.NotFound
// when before is no campaign, fault.Conflict when no campaign would be left for new cases.
func (s *Store) Apply(ctx context.Context, tx *sql.Tx, c Campaign, before, actor string, now time.Time) (int64, bool, error) {
	if before == c.Name {
		return 0, false, fault.New(fault.Invalid, "%s cannot be put before itself; name another campaign, or leave --before out.", c.Name)
	}
	err := database.HoldQuietly(ctx, tx, settingCampaigns)
	if err != nil {
		return 0, false, err
	}
	err = Install(ctx, tx, s.first, now)
	if err != nil {
		return 0, false, err
	}
	all, err := selectCampaigns(ctx, tx)
	if err != nil {
		return 0, false, err
	}
	newest := all.Newest()
	at := slices.IndexFunc(newest, func(n Campaign) bool { return n.Name == c.Name })
	c.Version = 1
	same := false
	if at >= 0 {
		same, err = newest[at].Says(c)
		if err != nil {
			return 0, false, err
		}
		c.Version = newest[at].Version + 1
	}
	if same && before == "" {
		return newest[at].Version, false, nil
	}
	if c.Retired && !slices.ContainsFunc(newest, func(n Campaign) bool { return n.Name != c.Name && !n.Retired }) {
		return 0, false, fault.New(fault.Conflict, "This is the last campaign that is not retired; new cases need one.")
	}
	if !same {
		err = addCampaign(ctx, tx, c, actor, now)
		if err != nil {
			return 0, false, err
		}
	}
	names, err := placed(newest, c.Name, before, at < 0)
	if err != nil {
		return 0, false, err
	}
	for position, name := range names {
		_, err = tx.ExecContext(ctx, `
			INSERT INTO campaign_order (name, position) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET position = excluded.position`, name, position)
		if err != nil {
			return 0, false, err
		}
	}
	return c.Version, true, database.SetSetting(ctx, tx, settingCampaigns, database.NewID("gen"))
}

// placed answers the names in their new order.
func placed(newest Campaigns, name, before string, isNew bool) ([]string, error) {
	var names []string
	for _, n := range newest {
		if n.Name != name || before == "" {
			names = append(names, n.Name)
		}
	}
	switch {
	case before != "":
		at := slices.Index(names, before)
		if at < 0 {
			return nil, fault.New(fault.NotFound, "There is no campaign %s to be put before.", before)
		}
		return slices.Insert(names, at, name), nil
	case isNew:
		return slices.Insert(names, 0, name), nil
	}
	return names, nil
}

// With answers the campaigns as they would be with this one applied: in the place of its name, or first.
func (all Campaigns) With(c Campaign) Campaigns {
	newest := all.Newest()
	at := slices.IndexFunc(newest, func(n Campaign) bool { return n.Name == c.Name })
	if at < 0 {
		return slices.Insert(slices.Clone(newest), 0, c)
	}
	newest[at] = c
	return newest
}

// Says reports whether two campaigns are the same plan, whatever their versions.
func (c Campaign) Says(other Campaign) (bool, error) {
	mine, err := c.Document()
	if err != nil {
		return false, err
	}
	theirs, err := other.Document()
	return bytes.Equal(mine, theirs), err
}
