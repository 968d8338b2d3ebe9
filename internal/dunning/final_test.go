package dunning_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
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
	c, err := dunning.ParseCampaign([]byte(final))
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
		_, err := dunning.ParseCampaign([]byte(document))
		var flaws dunning.Flaws
		if !errors.As(err, &flaws) || !slices.ContainsFunc(flaws, func(g dunning.Flaw) bool { return g.Line == f.line && strings.Contains(g.Text, f.says) }) {
			t.Errorf("%s: want line %d, %q; got\n%v", f.what, f.line, f.says, err)
		}
		if f.schemaToo && schema.Validate(plain(t, []byte(document))) == nil {
			t.Errorf("%s: the schema lets it pass", f.what)
		}
	}
}

// What an act would do is read from what is stored: only what is open, undisputed and in nobody's hands.
func TestWhatAFinalActIsAbout(t *testing.T) {
	t.Parallel()
	invoice := func(id, sub, status string) billing.Invoice {
		return billing.Invoice{ID: id, SubscriptionID: sub, Status: status, AmountRemaining: 2900, Currency: "eur"}
	}
	processing, disputed := invoice("in_3", "sub_3", "open"), invoice("in_4", "sub_4", "open")
	processing.IntentStatus, disputed.Disputed = "processing", true
	invoices := []billing.Invoice{
		invoice("in_1", "sub_1", "open"), invoice("in_2", "sub_2", "paid"), processing, disputed, invoice("in_5", "", "open"), invoice("in_6", "sub_1", "open"), invoice("in_7", "sub_7", "open"),
	}
	var subscriptions []billing.Subscription
	for _, id := range []string{"sub_1", "sub_2", "sub_3", "sub_4"} {
		subscriptions = append(subscriptions, billing.Subscription{ID: id, Status: "past_due"})
	}
	subscriptions = append(subscriptions, billing.Subscription{ID: "sub_7", Status: "canceled"})
	for act, want := range map[dunning.Act]string{dunning.ActCancel: "sub_1", dunning.ActPause: "sub_1", dunning.ActWriteOff: "in_1 in_5 in_6 in_7"} {
		e := dunning.EffectOf(act, invoices, subscriptions)
		if got := strings.Join(e.Objects(), " "); got != want {
			t.Errorf("%s is about %q, want %q", act, got, want)
		}
		if owes := e.Owes(); len(owes) != 1 || owes[0].Minor != 4*2900 {
			t.Errorf("%s: %v is open", act, owes)
		}
	}
}
