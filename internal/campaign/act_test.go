package campaign_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sollecito/internal/campaign"
)

const final = small + `  - key: warn
    day: 5
    at: "10:00"
    channels: [email]
    announces: true
  - key: limited
    day: 9
    at: "10:00"
    channels: [email]
    access: restricted
    consequence: true
  - key: last-warning
    day: 12
    at: "10:00"
    channels: [email]
    announces: true
  - key: end
    day: 20
    at: "10:00"
    act: cancel
    consequence: true
`

// A final act is the last step, is a consequence that a step of its own announced, and is told of by nobody but itself.
func TestAFinalActKeepsItsRules(t *testing.T) {
	t.Parallel()
	schema := campaignSchema(t)
	c, err := campaign.Parse([]byte(final))
	if err != nil {
		t.Fatal(err)
	}
	err = schema.Validate(plain(t, []byte(final)))
	if err != nil {
		t.Errorf("the schema refuses it: %v", err)
	}
	for i, want := range map[int]string{2: "warn", 4: "last-warning"} {
		if key, ok := c.AnnouncedBy(i); !ok || key != want {
			t.Errorf("step %d is announced by %q", i, key)
		}
	}
	if c.Steps[4].Takes() != "cancel" || c.Steps[2].Takes() != "restricted" {
		t.Errorf("they take %q and %q away", c.Steps[4].Takes(), c.Steps[2].Takes())
	}
	for _, f := range []struct {
		what, old, new string
		line           int
		says           string
		schemaToo      bool
	}{
		{"no such act", "act: cancel", "act: delete", 27, "cancel, pause, uncollectible or leave", true},
		{"no consequence", "act: cancel\n    consequence: true", "act: cancel", 27, "give this step consequence: true", false},
		{"a letter of its own", "act: cancel", "act: cancel\n    channels: [email]", 28, "has no channels", false},
		{"not the last", "    announces: true\n  - key: limited", "    announces: true\n    act: leave\n  - key: limited", 13, "only the last step", false},
		{"announced by what announced another", "    announces: true\n  - key: end", "  - key: end", 27, "after any other consequence", false},
		{"tells of two things", "access: restricted\n", "access: restricted\n    announces: true\n", 18, "a consequence tells of itself", false},
		{"leaving takes nothing away", "act: cancel", "act: leave", 28, "must say what it takes away", false},
	} {
		document := strings.Replace(final, f.old, f.new, 1)
		_, err := campaign.Parse([]byte(document))
		var flaws campaign.Flaws
		if !errors.As(err, &flaws) || !slices.ContainsFunc(flaws, func(g campaign.Flaw) bool { return g.Line == f.line && strings.Contains(g.Text, f.says) }) {
			t.Errorf("%s: want line %d, %q; got\n%v", f.what, f.line, f.says, err)
		}
		if f.schemaToo && schema.Validate(plain(t, []byte(document))) == nil {
			t.Errorf("%s: the schema lets it pass", f.what)
		}
	}
}
