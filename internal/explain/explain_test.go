package explain_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/explain"
	"sollecito/internal/l10n"
)

func catalog(t *testing.T) *l10n.Catalog {
	t.Helper()
	c, err := l10n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every reason the engine may keep has words in every language; a reason is found where it is declared.
func TestEveryReasonHasWords(t *testing.T) {
	t.Parallel()
	var codes []string
	for _, file := range []string{"../contact/policy.go", "../dunning/decision.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`Reason\w* +(?:contact\.)?Reason = "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			codes = append(codes, found[1])
		}
	}
	if len(codes) < 20 {
		t.Fatalf("only %v were found", codes)
	}
	// Those said in a sentence of their own, by what they decided.
	own := map[string]bool{"step": true, "past": true, "segment": true, "last_campaign": true, "other": true}
	for _, l := range catalog(t).Locales() {
		for _, code := range codes {
			if !own[code] && explain.Stored(l, code) == code {
				t.Errorf("%s has no words for %s", l.Tag(), code)
			}
		}
	}
}

func TestDecisionsInWords(t *testing.T) {
	t.Parallel()
	l, zone := catalog(t).Locale("en"), time.FixedZone("", 3600)
	monday := time.Date(2026, 11, 9, 8, 0, 0, 0, time.UTC).Unix()
	for want, d := range map[string]dunning.Decision{
		"Campaign Swiss, version 3: the first whose conditions hold, by country and amount. The case walks its variant evening.": {
			What: dunning.Chosen, Why: dunning.ReasonSegment,
			Details: dunning.Details{Campaign: "Swiss", Version: 3, Variant: "evening", Held: []string{"countries", "amounts"}},
		},
		"Campaign All, version 1: it is for everybody whom no campaign before it is for. The case is in the holdout": {
			What: dunning.Chosen, Why: dunning.ReasonSegment, Details: dunning.Details{Campaign: "All", Version: 1, Holdout: true},
		},
		"The campaign planned it for day 1, Monday 9 November at 09:00": {
			What: dunning.Taken, Why: contact.ReasonStep, Details: dunning.Details{Day: 1, Wanted: monday, Moved: []contact.Reason{contact.ReasonGap}},
		},
		"The customer is paying just now. It is looked at again on Monday 9 November at 09:00": {
			What: dunning.PutOff, Why: dunning.ReasonPaying, Until: monday, At: monday, Times: 2,
		},
		"451 try later": {What: dunning.PutOff, Why: dunning.ReasonOther, Details: dunning.Details{Words: "451 try later"}},
	} {
		got := strings.ReplaceAll(explain.Decision(l, d, zone), "\u00a0", " ")
		if !strings.HasPrefix(got, want) {
			t.Errorf("want %q\ngot  %q", want, got)
		}
	}
	for _, prose := range []string{"There is no address on file.", "550 no such user", ""} { // as earlier versions kept them
		if got := explain.Stored(l, prose); got != prose {
			t.Errorf("%q is told as %q", prose, got)
		}
	}
}
