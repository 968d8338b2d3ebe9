package campaign_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"sollecito/internal/campaign"
)

const twoWays = small + `  - key: second
    day: 5
    day_for: {transient: 7}
    at: "10:00"
    channels: [email]
variants:
  - name: morning
    weight: 30
  - name: evening
    weight: 70
    steps:
      second:
        day: 6
        at: "17:00"
        channels: [email, app]
        text:
          it: {subject: "Ancora aperto", body: "Il pagamento è ancora aperto."}
`

func parsed(t interface {
	Helper()
	Fatal(...any)
}, document string) campaign.Campaign {
	t.Helper()
	c, err := campaign.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The shares are those of the weights, the same customer always walks the same variant, and whether somebody is held out
// says nothing about which variant they would walk.
func TestVariantsAreStableSharesApartFromTheHoldout(t *testing.T) {
	t.Parallel()
	for _, drawn := range []struct {
		campaign string
		holdout  int
		weights  []int
	}{
		{"small", 20, []int{50, 50}}, {"consumer-cards", 50, []int{1, 9}}, {"swiss", 10, []int{30, 70, 100}}, {"invoices", 5, []int{7, 7, 7, 7}},
	} {
		const customers = 100_000
		c := campaign.Campaign{Name: drawn.campaign, Holdout: drawn.holdout}
		total := 0
		for i, weight := range drawn.weights {
			c.Variants, total = append(c.Variants, campaign.Variant{Name: fmt.Sprint("v", i), Weight: weight}), total+weight
		}
		all := c
		all.Holdout = 0
		told, among, held := map[string]int{}, map[string]int{}, 0
		for i := range customers {
			id := fmt.Sprintf("cus_%d", i)
			walks, would := c.VariantFor(id), all.VariantFor(id)
			if c.VariantFor(id) != walks || would == "" {
				t.Fatalf("%s walks %q, then another, or none", id, walks)
			}
			if c.HoldsOut(id) {
				held++
				among[would]++
				if walks != "" {
					t.Fatalf("%s is held out and walks %q", id, walks)
				}
				continue
			}
			if walks != would {
				t.Fatalf("%s walks %q, and %q without the holdout", id, walks, would)
			}
			told[walks]++
		}
		for _, v := range c.Variants {
			share := float64(v.Weight) / float64(total)
			for _, side := range []struct{ got, of int }{{told[v.Name], customers - held}, {among[v.Name], held}} {
				// Five standard deviations of a share drawn so often.
				off := 5 * math.Sqrt(share*(1-share)*float64(side.of))
				if math.Abs(float64(side.got)-share*float64(side.of)) > off {
					t.Fatalf("%s has %d of %d, its weight is %d of %d", v.Name, side.got, side.of, v.Weight, total)
				}
			}
		}
	}
}

func TestAVariantChangesItsStepsAlone(t *testing.T) {
	t.Parallel()
	c := parsed(t, twoWays)
	evening, morning, gone := c.Walked("evening"), c.Walked("morning"), c.Walked("of another version")
	second := evening.Steps[1]
	hour, _ := second.At.Clock()
	if second.DayOf("money") != 6 || second.DayOf("transient") != 6 || hour != 17 || len(second.Channels) != 2 || second.Text["it"].Subject != "Ancora aperto" {
		t.Errorf("in the evening: %+v", second)
	}
	for _, same := range []campaign.Campaign{morning, gone} {
		says, err := same.Says(c)
		if err != nil || !says {
			t.Errorf("a variant without changes changes the campaign: %+v", same)
		}
	}
	if c.Steps[1].Day != 5 || len(c.Steps[1].Channels) != 1 || c.Steps[1].Text != nil {
		t.Errorf("walking a variant changed the campaign itself: %+v", c.Steps[1])
	}
}

// A case keeps the variant it was given, whatever a later version says of weights.
func TestACaseKeepsItsVariant(t *testing.T) {
	t.Parallel()
	first, later := parsed(t, twoWays), parsed(t, strings.Replace(strings.Replace(twoWays, "weight: 30", "weight: 1", 1), "weight: 70", "weight: 1000", 1))
	first.Version, later.Version = 1, 2
	all := campaign.Campaigns{first, later}
	for i := range 200 {
		id := fmt.Sprintf("cus_%d", i)
		variant := first.VariantFor(id)
		day := map[string]int{"morning": 5, "evening": 6}[variant]
		if got := all.Find("small", 1).Walked(variant); got.Version != 1 || got.Steps[1].Day != day {
			t.Fatalf("%s of variant %q walks version %d, day %d", id, variant, got.Version, got.Steps[1].Day)
		}
	}
}

func TestFlawsOfVariants(t *testing.T) {
	t.Parallel()
	schema := campaignSchema(t)
	for _, c := range []struct {
		what, from, to string
		line           int
		says           string
		schemaToo      bool
	}{
		{"one alone", "  - name: morning\n    weight: 30\n", "", 14, "nothing to be compared with", true},
		{"no weight", "    weight: 30\n", "    weight: 0\n", 15, "weight is a number from 1", true},
		{"a name twice", "name: evening", "name: morning", 16, "two variants are called morning", false},
		{"a wrong name", "name: evening", "name: At Night", 16, "a variant's name", true},
		{"an unknown step", "      second:\n", "      secnd:\n", 19, "no step secnd (is second meant?)", false},
		{"a day before", "        day: 6\n", "        day: 0\n", 19, "comes before first", false},
		{"no such time", `"17:00"`, `"37:00"`, 21, "at is a time of day", true},
		{"no such channel", "[email, app]", "[fax]", 22, "email or app", true},
		{"silenced", "[email, app]", "[]", 22, "cannot silence", true},
		{"a text of shame", "Ancora aperto", "Ultimo avviso, al tribunale", 24, "threatens", false},
	} {
		document := strings.Replace(twoWays, c.from, c.to, 1)
		hasFlaw(t, c.what, document, c.line, c.says)
		if c.schemaToo && schema.Validate(plain(t, []byte(document))) == nil {
			t.Errorf("%s: the schema lets it pass", c.what)
		}
	}
	if err := schema.Validate(plain(t, []byte(twoWays))); err != nil {
		t.Errorf("the schema refuses what we read: %v", err)
	}
}

func hasFlaw(t *testing.T, what, document string, line int, says string) {
	t.Helper()
	_, err := campaign.Parse([]byte(document))
	flaws, _ := err.(campaign.Flaws)
	for _, f := range flaws {
		if f.Line == line && strings.Contains(f.Text, says) {
			return
		}
	}
	t.Errorf("%s: want line %d, %q; got\n%v", what, line, says, err)
}
