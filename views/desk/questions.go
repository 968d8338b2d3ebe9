package desk

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// PauseQuestion asks whether to pause the reminders of a case. nextTry is when the processor tries the charge
// again by itself, zero when it does not; access is what the merchant's app allows now.
func PauseQuestion(page CustomerPage, caseID string, nextTry time.Time, note Note) *Question {
	effects := []string{"No mail and no notice in the app until somebody resumes."}
	if !nextTry.IsZero() {
		effects = append(effects, fmt.Sprintf("Stripe still tries the charge on %s: a pause stops our messages, not Stripe.", page.Locale.DayMonth(nextTry)))
	}
	effects = append(effects,
		"Days in pause don't count: later steps move by as many days, and no announced date comes earlier.",
		fmt.Sprintf("Access stays %s.", accessWord(page.Access.Level)),
		"If the customer pays meanwhile, the case closes as always.")
	note.Label = "Why"
	note.Hint = "For your colleagues; the customer never sees it."
	return &Question{
		Title:   fmt.Sprintf("Pause reminders for %s?", page.Title()),
		Effects: effects,
		Action:  "/admin/cases/" + url.PathEscape(caseID) + "/pause",
		Deed:    "Pause reminders",
		Note:    &note,
		Back:    "/admin/customers/" + url.PathEscape(page.ID),
	}
}

// ResumeQuestion asks whether the campaign goes on. next is what comes first then, zero when nothing is left;
// others are the kinds of pauses that stay, because staff cannot lift them.
func ResumeQuestion(page CustomerPage, caseID string, next Next, others []string) *Question {
	var effects []string
	switch {
	case len(others) > 0:
		effects = append(effects, fmt.Sprintf("Your pause ends, but the case still rests: %s.", pauseWords(others)))
	case next.Title == "":
		effects = append(effects, "No step is left, so nothing is sent.")
	default:
		effects = append(effects, fmt.Sprintf("%s goes out %s, if nothing has been paid by then.", next.Title, page.Locale.DayClock(next.At)))
	}
	effects = append(effects, "What fell into the pause is not sent afterwards: at most one message, never a burst.")
	return &Question{
		Title:   fmt.Sprintf("Resume reminders for %s?", page.Title()),
		Effects: effects,
		Action:  "/admin/cases/" + url.PathEscape(caseID) + "/resume",
		Deed:    "Resume reminders",
		Back:    "/admin/customers/" + url.PathEscape(page.ID),
	}
}

// ReleaseQuestion asks whether a case found at the first import may start. next is what comes first then.
func ReleaseQuestion(page CustomerPage, caseID string, next Next) *Question {
	effects := []string{"Nothing has been sent to this customer: the case was there before Sollecito was connected."}
	if next.Title != "" {
		effects = append(effects, fmt.Sprintf("%s goes out %s, if nothing has been paid by then.", next.Title, page.Locale.DayClock(next.At)))
	}
	return &Question{
		Title:   fmt.Sprintf("Start reminders for %s?", page.Title()),
		Effects: append(effects, "The campaign starts at its first step today."),
		Action:  "/admin/cases/" + url.PathEscape(caseID) + "/release",
		Deed:    "Start reminders",
		Back:    "/admin/customers/" + url.PathEscape(page.ID),
	}
}

// AnnounceQuestion asks whether a consequence that waits for a person is announced once more by mail to an address. goes is when
// the mail may leave, until the date it names: the customer keeps their access at least to then. finally tells of a
// final act, which comes up on that date.
func AnnounceQuestion(page CustomerPage, caseID, to string, goes, until time.Time, finally bool) *Question {
	then := "access is limited on that date by itself"
	if finally {
		then = "the final act comes up on that date"
	}
	when := "at once"
	if goes.After(page.Now) {
		when = page.Locale.DayClock(goes) + ", as soon as their hours and limits allow"
	}
	return &Question{
		Title: fmt.Sprintf("Announce it to %s again?", page.Title()),
		Effects: []string{
			fmt.Sprintf("A fresh mail goes to %s %s, if nothing has been paid by then.", to, when),
			fmt.Sprintf("It names a new date, %s. Until then access stays %s.", page.Locale.Day(until), accessWord(page.Access.Level)),
			fmt.Sprintf("If it surely leaves, %s. If not, it goes on waiting.", then),
			"It counts as a message like any other. An earlier one may have arrived, so they may read it twice.",
		},
		Action: "/admin/cases/" + url.PathEscape(caseID) + "/announce",
		Deed:   "Announce it again",
		Back:   "/admin/customers/" + url.PathEscape(page.ID),
	}
}

// FinalQuestion asks whether the final act of a case is done. deed names it ("end the subscription"), effects say all
// of it, objects are the ids it is about: what is confirmed is what was shown.
func FinalQuestion(page CustomerPage, caseID, deed string, effects, objects []string) *Question {
	q := &Question{
		Title:   fmt.Sprintf("%s: %s?", page.Title(), deed),
		Effects: effects,
		Action:  "/admin/cases/" + url.PathEscape(caseID) + "/final",
		Deed:    "Yes, " + deed,
		Danger:  true,
		Back:    "/admin/customers/" + url.PathEscape(page.ID),
	}
	for _, object := range objects {
		q.Hidden = append(q.Hidden, Hidden{"object", object})
	}
	return q
}

// SpareQuestion asks whether the final act of a case is left undone for good.
func SpareQuestion(page CustomerPage, caseID, deed string, note Note) *Question {
	note.Label = "Why"
	note.Hint = "For your colleagues; the customer never sees it."
	return &Question{
		Title: fmt.Sprintf("Decide not to %s for %s?", deed, page.Title()),
		Effects: []string{
			"Nothing is done at Stripe, and the campaign does not ask again for this case.",
			fmt.Sprintf("Access stays %s, and what is open stays open.", accessWord(page.Access.Level)),
			"The customer is told nothing.",
		},
		Action: "/admin/cases/" + url.PathEscape(caseID) + "/final/decline",
		Deed:   "Leave it",
		Note:   &note,
		Back:   "/admin/customers/" + url.PathEscape(page.ID),
	}
}

// MailAgainQuestion asks whether a customer is written to again at addresses that had stopped taking mail.
func MailAgainQuestion(page CustomerPage, addresses []string) *Question {
	return &Question{
		Title: fmt.Sprintf("Mail %s again?", page.Title()),
		Effects: []string{
			fmt.Sprintf("Mail may go to %s again, from the next step on.", strings.Join(addresses, ", ")),
			"What was left out meanwhile is not sent afterwards: at most one message, never a burst.",
			"If it comes back once more, it stops once more. Ask first, by phone or in the app, whether the address is right.",
			"The audit log keeps who allowed it.",
		},
		Action: "/admin/customers/" + url.PathEscape(page.ID) + "/mail-again",
		Deed:   "Mail them again",
		Back:   "/admin/customers/" + url.PathEscape(page.ID),
	}
}

// ChoiceQuestion asks whether what a customer told us about our reminders is written down: ActNoMail, ActNoReminders or
// ActRemind.
func ChoiceQuestion(page CustomerPage, act string, note Note) *Question {
	q := &Question{
		Action: "/admin/customers/" + url.PathEscape(page.ID) + "/" + act,
		Back:   "/admin/customers/" + url.PathEscape(page.ID),
		Note:   &note,
	}
	note.Required = true
	note.Label, note.Hint = "What they said", "In their own words; it is kept with today's date and your name."
	stays := "What is open stays open, and what was announced to them still comes. Anything more waits for a person, since they cannot be told."
	still := "Answers to what they write and links they ask for still go by mail."
	switch act {
	case ActNoMail:
		q.Title, q.Deed = fmt.Sprintf("Mail %s no more reminders?", page.Title()), "Stop reminders by mail"
		q.Effects = []string{"No reminder is mailed from now on; one that waits to go out is left out.", "The notice in the app tells instead.", still, "They can change it on their page."}
	case ActNoReminders:
		q.Title, q.Deed = fmt.Sprintf("Send %s no more reminders at all?", page.Title()), "Stop all reminders"
		q.Effects = []string{"Neither a mail nor a notice in the app from now on; what waits is left out.", stays, still, "They can change it on their page."}
	default:
		q.Title, q.Deed = fmt.Sprintf("Remind %s again?", page.Title()), "Remind them again"
		q.Effects = []string{
			"Only do this when they asked for it.", "Reminders come again by mail and in the app, from the next step on.",
			"What was left out meanwhile is not sent afterwards: at most one message, never a burst.", "The audit log keeps who allowed it.",
		}
	}
	return q
}

// RevokeQuestion asks whether every link a customer was ever sent ends.
func RevokeQuestion(page CustomerPage) *Question {
	return &Question{
		Title: fmt.Sprintf("End the links of %s?", page.Title()),
		Effects: []string{
			"Every link in mails already sent stops working at once, open pages close.",
			"A new one can be asked for on the page, or comes with the next mail.",
			"What is owed, the reminders and their access stay as they are.",
		},
		Action: "/admin/customers/" + url.PathEscape(page.ID) + "/revoke",
		Deed:   "End their links",
		Danger: true,
		Back:   "/admin/customers/" + url.PathEscape(page.ID),
	}
}

// Title is what the page calls the customer: the name, else the address, else the id.
func (c CustomerPage) Title() string {
	switch {
	case c.Name != "":
		return c.Name
	case c.Email != "":
		return c.Email
	}
	return c.ID
}

// ChargeQuestion asks whether an open invoice is charged now, with the customer not there. card is what it is charged to;
// press makes the same order twice one, and expect is what is shown here.
func ChargeQuestion(page CustomerPage, caseID, sum, number, card, press, expect string) *Question {
	return &Question{
		Title: fmt.Sprintf("Charge %s to %s now?", sum, card),
		Effects: []string{
			fmt.Sprintf("Stripe is asked to charge invoice %s at once. It counts as one of the card's tries.", number),
			"If it is paid, the reminders stop and access is full again.",
			"If the bank says no, nothing is taken, and the reminders go on as planned. If it wants to ask the customer, their page leads there.",
			"The customer does not expect it just now: write to them first where that matters. The audit log keeps who charged.",
		},
		Action: "/admin/cases/" + url.PathEscape(caseID) + "/charge",
		Deed:   "Charge " + sum,
		Hidden: []Hidden{{"attempt", press}, {"expect", expect}},
		Back:   "/admin/customers/" + url.PathEscape(page.ID),
	}
}
