package views

import (
	"time"

	"sollecito/internal/l10n"
)

// ChoicesPage is where customers read what is still to come and say where and when we remind them. GET /pay/choices;
// its form, POST /pay/choices with the fields way, from and to, only shows what would change.
type ChoicesPage struct {
	Frame
	Outlook  Outlook
	Limits   Limits
	Choice   Choice  // what stands, or what was typed after a failed submit
	App      bool    // the merchant's app shows notices; without it the choice is mail or nothing
	Confirms bool    // a payment is confirmed by mail whatever is chosen
	Kept     bool    // a choice has just been kept
	Before   *Choice // what stood before it, for Undo
	Faults   []Fault // at field from
}

// ChoicesReviewPage shows a choice and what would come with it, before the press that keeps it. GET
// /pay/choices/review; POST /pay/choices/keep with the same fields.
type ChoicesReviewPage struct {
	Frame
	Outlook Outlook
	Limits  Limits
	Choice  Choice
	App     bool
}

// Choice is where and when a customer wants to be reminded. From and To are hours of their day, and the whole of the
// limits when they have no wish.
type Choice struct {
	Way      Way
	From, To int
}

// Way is where reminders go.
type Way string

// The ways.
const (
	WayBoth Way = "both"
	WayMail Way = "mail"
	WayApp  Way = "app"
	WayNone Way = "none"
)

// Outlook is what a customer may still hear from us.
type Outlook struct {
	Open     bool // something is open at all
	Resting  bool // reminders rest; Messages are what would come if they went on
	Messages []Coming
	Act      bool // a final act is ahead, after which a mail says that it was done
}

// Coming is one message still to come. At is zero when nobody can say yet when.
type Coming struct {
	At  time.Time // in the reader's zone
	Way Way
}

// Limits are what we keep whatever is chosen.
type Limits struct {
	Most, Days, GapHours int // at most Most messages in Days days, GapHours between two
	From, To             int // hours of the reader's day; 0 and 24 for any
	Weekdays             [7]bool
	Holidays             bool   // public holidays are kept
	Zone                 string // whose clock: "Europe/Rome"
}

func (o Outlook) plan() ContactPlan {
	p := ContactPlan{Remaining: len(o.Messages), Act: o.Act}
	if p.Remaining > 0 {
		p.Next = o.Messages[0].At
	}
	return p
}

// mostComing bounds the list of messages still to come.
const mostComing = 8

func (o Outlook) listed() []Coming {
	if o.Resting {
		return nil // nobody knows when they would come
	}
	return o.Messages[:min(len(o.Messages), mostComing)]
}

// hour is a full hour by the reader's habit.
func (f Frame) hour(h int) string {
	return f.Locale.Clock(time.Date(2000, 1, 1, h%24, 0, 0, 0, time.UTC))
}

func (f Frame) hours(from, to int) l10n.Args {
	return l10n.Args{"From": f.hour(from), "To": f.hour(to)}
}

// Hours are the hours within which one can choose, as arguments of a sentence.
func (p ChoicesPage) Hours() l10n.Args { return p.hours(p.Limits.From, p.Limits.To) }

// WordsOf is a choice in the words the reader pressed.
func (f Frame) WordsOf(c Choice, app bool) string {
	return f.wayText(c.shown(app), app) + ". " + f.text("choices.review_hours", f.hours(c.From, c.To)) + "."
}

// wayText is what a way is called. Without an app, mail is the only one there is.
func (f Frame) wayText(w Way, app bool) string {
	if w == WayBoth && !app {
		w = WayMail
	}
	return f.text("choices.way_" + string(w))
}

// sentText is how one message comes.
func (f Frame) sentText(w Way, app bool) string {
	if w == WayBoth && !app {
		w = WayMail
	}
	return f.text("choices.as_" + string(w))
}

// ways are those that can be chosen.
func ways(app bool) []Way {
	if app {
		return []Way{WayBoth, WayMail, WayApp, WayNone}
	}
	return []Way{WayBoth, WayNone}
}

// shown is the one of the offered ways that stands for a choice.
func (c Choice) shown(app bool) Way {
	switch {
	case app:
		return c.Way
	case c.Way == WayApp:
		return WayNone
	case c.Way == WayMail:
		return WayBoth
	}
	return c.Way
}

func (l Limits) anyHour() bool { return l.From == 0 && l.To == 24 }

func (l Limits) everyDay() bool {
	return l.Weekdays == [7]bool{true, true, true, true, true, true, true}
}

// days names the weekdays, Monday first; several in a row as a range.
func (l Limits) days(f Frame) string {
	var runs []string
	for i := 1; i <= 7; i++ {
		if !l.Weekdays[i%7] {
			continue
		}
		first := i
		for i < 7 && l.Weekdays[(i+1)%7] {
			i++
		}
		from, to := f.Locale.Weekday(time.Weekday(first%7)), f.Locale.Weekday(time.Weekday(i%7))
		switch i - first {
		case 0:
			runs = append(runs, from)
		case 1:
			runs = append(runs, from, to)
		default:
			runs = append(runs, f.text("choices.days_range", l10n.Args{"From": from, "To": to}))
		}
	}
	return f.Locale.List(runs)
}

// StopPage is behind the stop button of a mail. It opens nothing of the customer's, so it shows no more than the mail
// it came from: GET /pay/stop/{token} offers, the first POST only shows (asked), the second does it (done).
type StopPage struct {
	Frame
	Step   StopStep
	Token  string
	Masked string // whose mails: "c•••@b•••.it"
	Undo   bool   // offers to take it back: only right after it was done, or a program that looks through mails would
}

// StopStep is how far a reader has come.
type StopStep string

// The steps.
const (
	StopOffer  StopStep = "offer"
	StopAsk    StopStep = "ask"
	StopDone   StopStep = "done"
	StopUndone StopStep = "undone"
)
