package desk

import (
	"fmt"
	"net/url"
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
