package stage

import (
	"fmt"

	"sollecito/internal/l10n"
)

// RehearsalPage is the dry run, GET /demo/rehearsal: what the campaigns would have done with the cases of the last days and
// what goes out until this time tomorrow, as they are and with one of them changed. Nothing is sent for it.
type RehearsalPage struct {
	Frame
	Days    int
	Changed string // what is otherwise in the second
	Is, If  Rehearsed
}

// Rehearsed is one way of it.
type Rehearsed struct {
	Messages  int
	Campaigns []RehearsedCampaign
	Alone     int // cases that take a step by themselves until tomorrow
	Person    int // those whose step waits for a person
	Leaving   []Leaving
}

// RehearsedCampaign is what one campaign would have done.
type RehearsedCampaign struct {
	Name                               string
	Cases, Messages, Said, Taken, Held int
}

// Leaving is what goes out in an hour by one step.
type Leaving struct {
	Hour, Campaign, Step string
	Cases                int
	Besides              string // who of them gets nothing, or waits
}

func (r Rehearsed) tomorrow(l *l10n.Locale) string {
	said := fmt.Sprintf("Until this time tomorrow %s want to take a step by themselves, if nothing changes", counted(l, r.Alone, "case"))
	if r.Person > 0 {
		said += "; " + counted(l, r.Person, "more") + " for a person"
	}
	return said + "."
}

// counted is a number with its word.
func counted(l *l10n.Locale, n int, word string) string {
	switch {
	case word == "more" && n == 1:
		word = "more waits"
	case word == "more":
		word = "more wait"
	case n != 1:
		word += "s"
	}
	return l.Number(int64(n)) + " " + word
}

func (p RehearsalPage) difference() string {
	return fmt.Sprintf("%s instead of %s (%+d).", counted(p.Locale, p.If.Messages, "message"), p.Locale.Number(int64(p.Is.Messages)), p.If.Messages-p.Is.Messages)
}
