package desk

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"sollecito/internal/billing"
)

func money(f Frame, m billing.Money) string { return string(f.Locale.Money(m.Minor, m.Currency)) }

func number(f Frame, n int) string { return f.Locale.Number(int64(n)) }

// momentWords is "Today, 14:12", "Yesterday, 19:12", "Fri 31 Oct, 08:47", with the year when it is another one.
func momentWords(f Frame, t time.Time) string { return dayWords(f, t) + ", " + f.Locale.Clock(t) }

func dayWords(f Frame, t time.Time) string {
	switch days(f.Now, t) {
	case 0:
		return "Today"
	case 1:
		return "Tomorrow"
	case -1:
		return "Yesterday"
	}
	if t.Year() != f.Now.Year() {
		return f.Locale.ShortDay(t) + " " + t.Format("2006")
	}
	return f.Locale.ShortDay(t)
}

// days is how many calendar days lie from one instant to the other, each taken in its own zone.
func days(from, to time.Time) int {
	date := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(date(to).Sub(date(from)) / (24 * time.Hour))
}

func customerURL(id string) string { return "/admin/customers/" + url.PathEscape(id) }

func conversationURL(id string) string { return "/admin/conversations/" + url.PathEscape(id) }

func viewURL(key string) string { return "/admin?view=" + url.QueryEscape(key) }

// mailto keeps an address from adding headers to the mail it opens.
func mailto(address string) string { return "mailto:" + url.PathEscape(address) }

func (f Frame) stoppedBy() string {
	var by strings.Builder
	if !f.Sending.Since.IsZero() {
		by.WriteString(" since " + lowerFirst(momentWords(f, f.Sending.Since)))
	}
	if f.Sending.By != "" {
		by.WriteString(", by " + f.Sending.By)
	}
	return by.String()
}

// putBack says that the database was put back from a copy, where that is why sending is stopped.
func (f Frame) putBack() string {
	if !f.Sending.PutBack {
		return ""
	}
	return " " + f.Sending.Reason
}

func lowerFirst(words string) string {
	for _, relative := range []string{"Today", "Tomorrow", "Yesterday"} {
		if strings.HasPrefix(words, relative) {
			return strings.ToLower(words[:1]) + words[1:]
		}
	}
	return words
}

func (p SignInPage) title() string {
	if p.Refused {
		return "Error: Sign in"
	}
	return "Sign in"
}

func (p EnrolPage) title() string {
	if len(p.Faults) > 0 {
		return "Error: Welcome"
	}
	return "Welcome"
}

func (p ProblemPage) back() string {
	switch {
	case p.Back != "":
		return p.Back
	case p.Staff.Email != "":
		return "/admin"
	}
	return "/admin/signin"
}

func (p ProblemPage) title() string {
	title, _ := problemWords(p.Status)
	return cmp.Or(p.Title, title)
}

func (p ProblemPage) sentence() string {
	_, sentence := problemWords(p.Status)
	return cmp.Or(p.Sentence, sentence)
}

// problemWords are the usual title and sentence for a status.
func problemWords(status int) (title, sentence string) {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return "That could not be used", "Please go back and check what was sent."
	case http.StatusUnauthorized:
		return "Please sign in first", "Your session has ended, or you were not signed in. Nothing has changed."
	case http.StatusForbidden:
		return "This is not yours to do", "Your role does not include it, or the page was sent from another site. Nothing has changed."
	case http.StatusNotFound:
		return "There is nothing at this address", "It may have been mistyped, or what was here is gone."
	case http.StatusMethodNotAllowed:
		return "This address does something else", "Please go back and use the page’s own buttons."
	case http.StatusConflict:
		return "Something has changed meanwhile", "Please look at the page again before you go on."
	case http.StatusRequestEntityTooLarge:
		return "That was too large", "Please send less at once."
	case http.StatusTooManyRequests:
		return "Please wait a little", "That was asked too often in a short time."
	case http.StatusServiceUnavailable:
		return "Not possible right now", "Something Sollecito needs does not answer. Please try again in a moment."
	}
	return "Something went wrong on our side", "Please try again. If it happens again, tell whoever runs Sollecito."
}

func (p TodayPage) title() string {
	if p.Query != "" {
		return "Search: " + p.Query
	}
	return "Today"
}

func (p TodayPage) listTitle() string {
	for _, view := range p.Views {
		if view.Key == p.View && p.Query == "" {
			return view.Label
		}
	}
	return "Found"
}

func (p Pager) words(f Frame) string {
	if p.To == 0 {
		return ""
	}
	shown := fmt.Sprintf("%s to %s", number(f, p.From), number(f, p.To))
	if p.Total > 0 {
		shown += " of " + number(f, p.Total)
	}
	return shown
}

func (l Limit) words(f Frame) string {
	return fmt.Sprintf("%s, %s of %s", l.Label, number(f, l.Used), number(f, l.Of))
}

// lead is the next step in one line: "Mail 3, tomorrow, 10:00".
func (p Plan) lead(f Frame) string {
	if p.At.IsZero() {
		return p.Title
	}
	return p.Title + ", " + lowerFirst(momentWords(f, p.At))
}

// The figures that have no room in a narrow tile as large as others are drawn: from how many characters on.
const (
	longFigure   = 11
	longerFigure = 15
)

// width is the class of a tile's figure by how long it is written, "" for most.
func (t Tile) width(f Frame) string {
	if len(t.Money) == 0 {
		return ""
	}
	switch n := utf8.RuneCountInString(money(f, t.Money[0])); {
	case n >= longerFigure:
		return "longer"
	case n >= longFigure:
		return "long"
	}
	return ""
}

// line is what stands below a tile's figure: the other currencies, then the context.
func (t Tile) line(f Frame) string {
	if len(t.Money) < 2 {
		return t.Context
	}
	var others []string
	for _, m := range t.Money[1:] {
		others = append(others, money(f, m))
	}
	words := "and " + f.Locale.List(others)
	if t.Context == "" {
		return words
	}
	return words + ", " + t.Context
}

// heading is the page's title, marked when the question's form came back with a fault.
func (c CustomerPage) heading() string {
	if c.noteFault() != "" {
		return "Error: " + c.Title()
	}
	return c.Title()
}

func (c CustomerPage) noteFault() string {
	if c.Question == nil || c.Question.Note == nil {
		return ""
	}
	return c.Question.Note.Fault
}

// localWords says the customer's own hour where it is not the reader's.
func (p Plan) localWords(f Frame) string {
	if p.LocalAt.IsZero() || p.LocalAt.Format(time.DateTime) == p.At.Format(time.DateTime) {
		return ""
	}
	words := f.Locale.ShortDay(p.LocalAt) + ", " + f.Locale.Clock(p.LocalAt)
	if p.City == "" {
		return words + " for the customer"
	}
	return words + " in " + p.City
}

func faultAt(field string, faults []Fault) string {
	for _, fault := range faults {
		if fault.Field == field {
			return fault.Text
		}
	}
	return ""
}

// described lists the ids of the hint and, when there is one, the fault of a field.
func described(field string, faults []Fault) string {
	ids := field + "-hint"
	if faultAt(field, faults) != "" {
		ids += " " + field + "-fault"
	}
	return ids
}

func (n Note) describedBy() string {
	var ids []string
	if n.Hint != "" {
		ids = append(ids, "reason-hint")
	}
	if n.Fault != "" {
		ids = append(ids, "reason-fault")
	}
	return strings.Join(ids, " ")
}

func (p ConversationPage) title() string {
	title := "Conversation with " + called(p.Name, p.Email, p.CustomerID)
	if p.Fault != "" {
		return "Error: " + title
	}
	return title
}

func (p ConversationPage) describedBy() string {
	if p.Fault != "" {
		return "text-hint text-fault"
	}
	return "text-hint"
}

func (p ConversationPage) answerLabel() string {
	if p.Language == "" || p.Language == "English" {
		return "Your answer"
	}
	return "Your answer, to somebody who reads " + p.Language
}

// effect says what sending the answer does, before it is sent.
func (p ConversationPage) effect() string {
	where := "It shows on their page; there is no address a mail could go to."
	if p.Email != "" {
		where = "Goes to " + p.Email + " by mail and shows on their page."
	}
	if p.Sending.Stopped {
		where += " The mail waits while all sending is stopped."
	}
	if p.Resting {
		return where + " Reminders rest until then; with it they go on by their schedule."
	}
	return where
}

func (p SendingPage) title() string {
	if p.Fault != "" {
		return "Error: Sending"
	}
	return "Sending"
}

func (p SendingPage) stoppedWords() string {
	by := strings.TrimPrefix(p.stoppedBy(), " ")
	if by == "" {
		return "stopped."
	}
	return "stopped " + by + "."
}

func (p SendingPage) resumeWords() string {
	if p.Queued == 0 {
		return "Nothing waits to go out at this moment."
	}
	return fmt.Sprintf("What waits now goes out in the next minutes: %s.", plural(p.Frame, p.Queued, "message"))
}

func (p SendingPage) queueWords() string {
	return fmt.Sprintf("Waiting to go out now: %s. Due in the next 24 hours: %s.", plural(p.Frame, p.Queued, "message"), plural(p.Frame, p.Due, "step"))
}

func plural(f Frame, n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(f, n) + " " + noun + "s"
}
