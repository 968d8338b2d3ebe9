package desk

import (
	"fmt"
	"strconv"
	"time"

	"sollecito/internal/billing"
)

// ImportedPage lists the customers whose cases rest since the first import, GET /admin/imported, with ?q=. Its form is
// GET /admin/imported/release with case, as often as there are ticks, page (the offset of a whole page) or all.
type ImportedPage struct {
	Frame
	Query    string
	Waiting  int             // customers nobody released yet
	Released int             // released for a later day
	PerDay   int             // how many go back on their schedule a day
	Owes     []billing.Money // of both, by currency
	Found    int             // of those waiting, how many the query finds
	From     int             // the offset of this page
	Rows     []WaitingRow
	Pager    Pager
}

// WaitingRow is a customer who waits to be released, and what would come of it.
type WaitingRow struct {
	CaseID     string
	CustomerID string
	Name       string
	Email      string // "" when there is no address
	Owes       []billing.Money
	Class      billing.Class
	Since      time.Time // when the oldest invoice became overdue
	First      Next      // the first message; zero when none comes
	Channel    string    // email or app; "" when nothing goes out
	Others     []string  // the kinds of other pauses: releasing starts nothing yet
}

// ReleasePage shows what a release does before it is done, GET /admin/imported/release. Its form is POST to the same
// address with the same choice and shown, how many customers it told of.
type ReleasePage struct {
	Frame
	All       bool
	Query     string
	Cases     []string // the chosen ones, when not all
	Count     int
	PerDay    int // how many go back on their schedule a day
	Owes      []billing.Money
	Days      []ReleaseDay
	NoAddress int // get their first message in the app alone
	Nothing   int // get nothing at all
	Resting   int // rest for another reason too
	Rows      []WaitingRow
	Pager     Pager
	Changed   string // what has changed since it was asked last; "" when nothing
}

// ReleaseDay is how many first messages go out on a day.
type ReleaseDay struct {
	Day            time.Time
	Mails, Notices int
}

func (d ReleaseDay) words(f Frame) string {
	switch {
	case d.Notices == 0:
		return plural(f, d.Mails, "mail")
	case d.Mails == 0:
		return plural(f, d.Notices, "notice") + " in the app"
	}
	return plural(f, d.Mails, "mail") + " and " + plural(f, d.Notices, "notice") + " in the app"
}

func (p TodayPage) importedWords() string {
	if p.Imported == 1 {
		return "1 customer from the import waits to be released"
	}
	return number(p.Frame, p.Imported) + " customers from the import wait to be released"
}

func (p TodayPage) missedWords() string {
	return "Stripe did not deliver " + plural(p.Frame, p.Missed, "event")
}

func (p ImportedPage) allWords() string {
	if p.Query != "" {
		return fmt.Sprintf("All %s found…", number(p.Frame, p.Found))
	}
	return "All " + number(p.Frame, p.Found) + "…"
}

func (p TodayPage) missedFound() string {
	return "(noticed " + lowerFirst(momentWords(p.Frame, p.MissedAt)) + "). They were fetched and nothing is lost. Whoever runs Sollecito should run "
}

func (p ImportedPage) waitingWords() string {
	if p.Waiting == 1 {
		return "1 customer waits"
	}
	return number(p.Frame, p.Waiting) + " customers wait"
}

func (p ImportedPage) offset() string { return strconv.Itoa(p.From) }

func (p ReleasePage) shown() string { return strconv.Itoa(p.Count) }

func (p ReleasePage) title() string {
	title := fmt.Sprintf("Start reminders for %s?", plural(p.Frame, p.Count, "customer"))
	if p.Changed != "" {
		return "Error: " + title
	}
	return title
}

// first says how and what the first message is; nothing is said of who gets none.
func (r WaitingRow) first() string {
	switch {
	case len(r.Others) > 0:
		return "Nothing yet: " + pauseWords(r.Others)
	case r.First.Title == "" || r.Channel == "":
		return "Nothing: no address, and no message in the app"
	}
	return r.First.Title
}

// by is the way the first message takes.
func (r WaitingRow) by() string {
	switch {
	case r.Channel == "email":
		return "by mail"
	case r.Email == "":
		return "in the app alone, no address"
	}
	return "in the app alone"
}

func (r WaitingRow) icon() string {
	switch {
	case !r.starts():
		return "pause"
	case r.Channel == "email":
		return "mail"
	}
	return "bell"
}

func (r WaitingRow) starts() bool {
	return len(r.Others) == 0 && r.First.Title != "" && r.Channel != ""
}

// sumWords are amounts of several currencies in one line, never added.
func sumWords(f Frame, owes []billing.Money) string {
	var all []string
	for _, m := range owes {
		all = append(all, money(f, m))
	}
	return f.Locale.List(all)
}
