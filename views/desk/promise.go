package desk

import (
	"fmt"
	"net/url"
	"time"
)

// Pick is a choice of one among several in a question.
type Pick struct {
	Label   string
	Name    string
	Options []Option
}

// Option is one of a Pick's choices.
type Option struct {
	Value  string
	Label  string
	Chosen bool
}

// PromiseFacts are what the question about a customer's day is asked with.
type PromiseFacts struct {
	CaseID string
	Press  string      // a second press of the same form changes nothing more
	Days   []time.Time // midnights in the customer's zone
	Day    time.Time   // the one that stands, zero without
	Card   string      // what could be charged; "" for nothing
	Sum    string      // what is open
	Retry  time.Time   // the processor's own next try, zero without
}

// PromiseQuestion asks for the day on which a customer agreed to be charged, or to pay.
func PromiseQuestion(page CustomerPage, f PromiseFacts) *Question {
	title, deed := "Set a day for "+page.Title()+"?", "Set the day"
	if !f.Day.IsZero() {
		title, deed = "Move the day of "+page.Title()+"?", "Move the day"
	}
	effects := []string{fmt.Sprintf("It is about %s, all that can be paid now. What fails later is not part of it.", f.Sum)}
	how := Pick{Label: "How", Name: "kind"}
	if f.Card != "" {
		effects = append(effects, fmt.Sprintf("To be charged: at 9:00 their time %s is charged once. Choose it only if they agreed to that.", f.Card))
		how.Options = append(how.Options, Option{Value: "charge", Label: "Charge " + f.Card})
	}
	how.Options = append(how.Options, Option{Value: "self", Label: "They pay by themselves by the end of that day"})
	effects = append(effects, "Until then reminders rest, and those days don't count. Declined or unpaid, reminders go on by themselves.")
	if !f.Retry.IsZero() {
		effects = append(effects, fmt.Sprintf("Stripe still tries the charge on %s by itself: nothing here moves that.", page.Locale.DayMonth(f.Retry)))
	}
	if page.Email != "" {
		effects = append(effects, fmt.Sprintf("A mail to %s confirms it at once. It does not count as a reminder.", page.Email))
	}
	day := Pick{Label: "Day, theirs", Name: "day"}
	for _, d := range f.Days {
		day.Options = append(day.Options, Option{Value: d.Format(time.DateOnly), Label: page.Locale.DayYear(d), Chosen: d.Equal(f.Day)})
	}
	return &Question{
		Title: title, Effects: effects, Action: "/admin/cases/" + url.PathEscape(f.CaseID) + "/promise", Deed: deed,
		Hidden: []Hidden{{"attempt", f.Press}}, Picks: []Pick{how, day}, Back: "/admin/customers/" + url.PathEscape(page.ID),
	}
}

// TakeBackQuestion asks whether the day that was set is taken back. next is what comes first then.
func TakeBackQuestion(page CustomerPage, caseID string, day time.Time, charge bool, next Next) *Question {
	effects := []string{}
	if charge {
		effects = append(effects, fmt.Sprintf("Nothing is charged on %s.", page.Locale.Day(day)))
	}
	if next.Title != "" {
		effects = append(effects, fmt.Sprintf("%s goes out %s, if nothing has been paid by then.", next.Title, page.Locale.DayClock(next.At)))
	}
	return &Question{
		Title: fmt.Sprintf("Take back the day of %s?", page.Title()), Effects: append(effects, "No mail tells them; say it to them if they count on that day."),
		Action: "/admin/cases/" + url.PathEscape(caseID) + "/promise/end", Deed: "Take the day back", Back: "/admin/customers/" + url.PathEscape(page.ID),
	}
}

// SeenToQuestion asks whether a customer's wish to end their plan has been seen to.
func SeenToQuestion(page CustomerPage) *Question {
	return &Question{
		Title: fmt.Sprintf("Have you seen to the wish of %s?", page.Title()),
		Effects: []string{
			"They asked to end their plan. End it at Stripe first, or agree with them that they stay; nothing here does that.",
			"Their wish counts as seen to, and their page no longer tells of it.",
			"If something is still owed, reminders go on by their schedule. Void or credit it first if it is not to be asked for.",
		},
		Action: "/admin/customers/" + url.PathEscape(page.ID) + "/wish", Deed: "It has been seen to", Back: "/admin/customers/" + url.PathEscape(page.ID),
	}
}
