package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
	"sollecito/views/desk"
)

// mostEntries bounds how far back a page's line of time goes.
const mostEntries = 200

// pastOf is what happened to a customer, newest first: charges, the case, messages, what was said.
func (s *Server) pastOf(k record) []desk.Entry {
	var all []desk.Entry
	all = append(all, s.pastCharges(k)...)
	all = append(all, s.pastAttempts(k)...)
	all = append(all, s.pastTries(k)...)
	all = append(all, s.pastStory(k)...)
	all = append(all, s.pastNotices(k)...)
	all = append(all, s.pastDecisions(k)...)
	all = append(all, s.pastTalk(k)...)
	all = append(all, s.pastBounces(k)...)
	all = append(all, s.pastChoices(k)...)
	all = append(all, s.pastWishes(k)...)
	all = append(all, s.pastRemovals(k)...)
	all = append(all, s.pastInterest(k)...)
	slices.SortStableFunc(all, func(a, b desk.Entry) int { return a.At.Compare(b.At) })
	slices.Reverse(all)
	return all[:min(len(all), mostEntries)]
}

func (s *Server) pastCharges(k record) []desk.Entry {
	var all []desk.Entry
	for _, i := range k.invoices {
		name := cmp.Or(i.Number, i.ID)
		failed := billing.Money{Minor: cmp.Or(i.FirstFailed, i.AmountDue), Currency: i.Currency}
		switch {
		case i.ByHand() && i.DueAt > 0 && i.DueAt <= s.Now().Unix() && (i.PaidAt == 0 || i.PaidAt > i.DueAt):
			all = append(all, desk.Entry{
				At: s.at(i.DueAt), Kind: desk.KindCharge, Tone: desk.Wait, Title: "Invoice past its due date, " + s.deskMoney(failed), Detail: "Invoice " + name + ".",
			})
		case i.FailedAt > 0:
			detail := "Invoice " + name + ": " + classWords(i.Class()) + "."
			if i.AttemptCount > 1 {
				detail += fmt.Sprintf(" The processor has tried %d times.", i.AttemptCount)
			}
			all = append(all, desk.Entry{
				At: s.at(i.FailedAt), Kind: desk.KindCharge, Tone: desk.Bad, Title: "Charge failed, " + s.deskMoney(failed), Detail: detail, Code: codeOf(i.Decline),
			})
		default:
			continue
		}
		if i.PaidAt > 0 && i.MarkedPaid() {
			detail := "Invoice " + name + "."
			if i.PaidOutOfBand {
				detail = "Invoice " + name + ", marked as paid outside Stripe."
			}
			all = append(all, desk.Entry{At: s.at(i.PaidAt), Kind: desk.KindPaid, Tone: desk.Good, Title: "Paid, " + s.deskMoney(i.Collected()), Detail: detail})
		}
	}
	return all
}

func (s *Server) deskMoney(m billing.Money) string {
	return string(s.Catalog.Locale("en").Money(m.Minor, m.Currency))
}

// pastAttempts are the customer's own presses on their page.
func (s *Server) pastAttempts(k record) []desk.Entry {
	var all []desk.Entry
	for _, a := range k.attempts {
		e := desk.Entry{At: s.at(a.StartedAt), Kind: desk.KindCharge, Code: codeOf(a.Decline)}
		sum := s.deskMoney(a.Amount)
		switch a.Status {
		case billing.AttemptStarted:
			e.Title, e.Tone = "Pressed pay on their page, "+sum, desk.Wait
			e.Detail = "No answer is kept yet; it is asked for again by itself."
		case billing.AttemptPaid:
			e.Title, e.Tone = "Paid on their page, "+sum, desk.Good
		case billing.AttemptProcessing:
			e.Title, e.Tone = "Paid by bank debit on their page, "+sum, desk.Wait
			e.Detail = "The bank needs a few days."
		case billing.AttemptAction:
			e.Title, e.Tone = "Their bank asks them to approve "+sum, desk.Wait
		case billing.AttemptDeclined:
			e.Title, e.Tone = "Tried to pay on their page, "+sum, desk.Bad
			e.Detail = capital(classWords(a.Decline.Class())) + ". Nothing was taken."
		case billing.AttemptFailed:
			e.Title, e.Tone = "Tried to pay on their page, "+sum, desk.Bad
			e.Detail = "It could not be asked for. Nothing was taken."
			if a.Decline.Code == billing.CodeNotTried {
				e.Code, e.Detail = "", "The bank was not asked. "+billing.Denial(a.Decline.DeclineCode).Words()
			}
		case billing.AttemptSaved:
			e.Title, e.Tone, e.Kind = "New card on their page", desk.Good, desk.KindCard
		}
		if a.By == billing.ByPromise {
			e.Title = strings.NewReplacer("Pressed pay on their page", "Charging as they had chosen", "Paid on their page", "Charged as they had chosen",
				"Paid by bank debit on their page", "Bank debit as they had chosen", "Tried to pay on their page", "Charge as they had chosen failed").Replace(e.Title)
		}
		if a.Kind == "setup" && a.Status != billing.AttemptSaved {
			e.Kind = desk.KindCard
			e.Title = "Began to add a card on their page"
			if a.Status == billing.AttemptAction {
				e.Title, e.Tone = "Added a bank account on their page", desk.Wait
				e.Detail = "Small deposits are on their way to it. It is used and charged once they have said what they came to."
			}
		}
		all = append(all, e)
	}
	return all
}

// storyTitles are the happenings of a case's story that are told in the same words each time. Where somebody did it, their
// name follows.
var storyTitles = map[string]desk.Entry{
	"retry":                   {Kind: desk.KindRetry, Tone: desk.Wait, Title: "A retry of ours did not run"},
	"new_card":                {Kind: desk.KindCard, Title: "A new card at Stripe"},
	"disputed":                {Kind: desk.KindFlag, Tone: desk.Wait, Title: "Payment disputed at the bank"},
	"waits":                   {Kind: desk.KindFlag, Tone: desk.Wait, Title: "A consequence waits"},
	"given_back":              {Kind: desk.KindAccess, Tone: desk.Good, Title: "Access given back"},
	"announced":               {Kind: desk.KindFlag, Title: "Consequence announced again"},
	"paused":                  {Kind: desk.KindPause, Title: "Reminders paused"},
	"resumed":                 {Kind: desk.KindResume, Title: "Reminders resumed"},
	"promise_moved":           {Kind: desk.KindPromise, Title: "Day moved"},
	"promise_kept":            {Kind: desk.KindPromise, Tone: desk.Good, Title: "Promise kept"},
	"promise_broken":          {Kind: desk.KindPromise, Tone: desk.Wait, Title: "Promise broken"},
	"promise_withdrawn":       {Kind: desk.KindPromise, Title: "Promise withdrawn"},
	string(dunning.Recovered): {Kind: desk.KindClose, Tone: desk.Good, Title: "Case recovered"},
	string(dunning.Canceled):  {Kind: desk.KindClose, Title: "Case canceled"},
	string(dunning.Exhausted): {Kind: desk.KindClose, Tone: desk.Wait, Title: "Case exhausted"},
}

// pastStory is what happened in the customer's cases. Joined invoices and taken steps are left out: the failed
// charge and the messages tell of them already.
func (s *Server) pastStory(k record) []desk.Entry {
	steps := map[string]campaign.Step{}
	for _, c := range k.cases {
		for _, step := range k.plans[c.ID].Steps {
			steps[c.ID+" "+step.Key] = step
		}
	}
	var all []desk.Entry
	for _, said := range k.stories {
		e := desk.Entry{At: s.at(said.At), Detail: s.whyWords(said.Why), Kind: desk.KindOther}
		by := ""
		if said.Actor != "" {
			by = " by " + actorWords(said.Actor)
		}
		switch said.What {
		case "joined":
			continue
		case "step":
			access := steps[said.CaseID+" "+said.Why].Access
			if access == "" {
				continue
			}
			e.Kind, e.Tone, e.Title, e.Detail = desk.KindAccess, desk.Wait, "Access became "+accessWords[access], ""
		case "opened":
			e.Kind, e.Title = desk.KindOpen, "Case opened"
			e.Detail = strings.TrimSpace(e.Detail + " " + s.decidedWords(k, said.CaseID, "", dunning.Chosen))
		default:
			known, is := storyTitles[said.What]
			switch {
			case is:
				e.Kind, e.Tone, e.Title = known.Kind, known.Tone, known.Title+by
			case !finalEntry(&e, said.What, by, k.finals[said.CaseID].Act):
				e.Kind, e.Title = desk.KindOther, capital(said.What)+by
			}
		}
		all = append(all, e)
	}
	return all
}

// pastNotices are the messages that were decided, with what became of each.
func (s *Server) pastNotices(k record) []desk.Entry {
	var all []desk.Entry
	for _, n := range k.notices {
		if isAhead(n, s.Now().Unix()) {
			continue
		}
		all = append(all, s.noticeEntry(k, n, k.plans[n.CaseID]))
	}
	return all
}

// isAhead reports whether a message is put off to a later instant.
func isAhead(n outbox.Notice, now int64) bool {
	return n.Channel == outbox.Email && n.Status == outbox.Queued && n.DueAt > now
}

// pastBounces are the mails that came back, and what followed for their addresses.
func (s *Server) pastBounces(k record) []desk.Entry {
	var all []desk.Entry
	for _, b := range k.bounces {
		title := "A mail came back"
		if b.Kind == outbox.Complaint {
			title = "A mail was reported as unwanted"
		}
		all = append(all, desk.Entry{At: s.at(b.At), Kind: desk.KindFlag, Tone: desk.Bad, Title: title, Detail: b.Reason()})
	}
	for _, a := range k.arrivals {
		switch a.Outcome {
		case "automatic":
			all = append(all, desk.Entry{At: s.at(a.ReceivedAt), Kind: desk.KindOther, Title: "An automatic answer came by mail", Detail: a.Reason})
		case "stranger", "nothing", "unreadable":
			all = append(all, desk.Entry{At: s.at(a.ReceivedAt), Kind: desk.KindOther, Title: "A report came by mail", Detail: a.Reason})
		}
	}
	for _, stopped := range k.suppressions {
		all = append(all, desk.Entry{
			At: s.at(stopped.Since), Kind: desk.KindFlag, Tone: desk.Bad, Title: "No more mail to " + stopped.Address, Detail: whyStopped[stopped.Reason],
		})
		if stopped.LiftedAt > 0 {
			all = append(all, desk.Entry{At: s.at(stopped.LiftedAt), Kind: desk.KindResume, Title: "Mail to " + stopped.Address + " allowed again by " + stopped.LiftedBy})
		}
	}
	return all
}

func (s *Server) noticeEntry(k record, n outbox.Notice, plan campaign.Campaign) desk.Entry {
	e := desk.Entry{At: s.at(cmp.Or(n.SettledAt, n.CreatedAt)), Kind: desk.KindMail, Title: noticeTitle(n, plan), Detail: s.becameOf(n)}
	if n.Kind == outbox.Reminder && n.SubjectID == "" {
		e.Detail = strings.TrimSpace(e.Detail + " " + s.decidedWords(k, n.CaseID, n.Step, dunning.Taken))
	}
	if n.Channel == outbox.App {
		e.Kind = desk.KindBanner
	}
	if n.Subject != "" && n.Kind != outbox.StaffMessage {
		e.Subject, e.Lang = n.Subject, s.languageOf(k.Customer).Tag()
	}
	switch n.Status {
	case outbox.Sent:
		e.Tone = desk.Accent
	case outbox.Uncertain:
		e.Tone = desk.Wait
	case outbox.Failed:
		e.Tone = desk.Bad
	case outbox.Skipped:
		e.Kind = desk.KindSkip
	}
	if n.Written() {
		e.CopyURL = "/admin/notices/" + url.PathEscape(n.ID)
	}
	return e
}

func (s *Server) pastTalk(k record) []desk.Entry {
	var all []desk.Entry
	for _, m := range k.messages {
		title := "They wrote"
		if m.MailID != "" || m.Sender != "" {
			title = "They wrote by mail"
		}
		if m.Sender != "" {
			title = m.Sender + " wrote by mail, which is not the address on file"
		}
		if !m.FromCustomer() {
			title = cmp.Or(m.Name, "We") + " answered"
		}
		all = append(all, desk.Entry{
			At: s.at(m.At), Kind: desk.KindTalk, Title: title, Quote: excerpt(m.Body, 140),
			LinkURL: "/admin/conversations/" + url.PathEscape(m.ConversationID), LinkText: "Read the conversation",
		})
	}
	return all
}

// excerpt is the beginning of a text on one line.
func excerpt(text string, most int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= most {
		return string(runes)
	}
	return strings.TrimSpace(string(runes[:most])) + "…"
}

// aheadOf is what will happen by itself, furthest first.
func (s *Server) aheadOf(k record) []desk.Entry {
	var all []desk.Entry
	for _, p := range k.ahead {
		e := desk.Entry{
			At: p.At.In(s.Zone), Undated: p.Held != "", Kind: desk.KindMail, Title: k.titleAhead(p.Planned),
			Detail: s.moved("If nothing has been paid by then.", p.Why),
		}
		switch {
		case p.Step.Acts() && k.final.Status != "":
			continue // its day has come, and the page says what it waits for
		case k.c.Holdout && p.Step.Consequence:
			e.Kind, e.Detail = desk.KindAccess, "In the holdout nothing is announced, so it waits for a person."
		case p.Held != "" && p.Step.Consequence:
			e.Kind, e.Detail = desk.KindAccess, s.whyWords(string(p.Held))
		case p.Held != "":
			e.Detail = "It comes after what waits."
		case p.Step.Acts() && !k.situation.ActsAlone:
			e.Kind, e.Detail = desk.KindAccess, s.moved(s.whyWords(string(dunning.ReasonManager)), p.Why)
		case k.c.Holdout:
			e.Detail = s.moved("Nothing goes out: the case is in the holdout.", p.Why)
		case k.c.Loses(p.Step):
			e.Kind, e.Detail = desk.KindAccess, s.moved("Needs the message that announced it to have surely been sent.", p.Why)
		case k.situation.Unsaid(p.Step) != "":
			e.Detail = s.moved(s.whyWords(string(k.situation.Unsaid(p.Step))), p.Why)
		case !slices.Contains(k.situation.Ways(p.Step), outbox.Email):
			e.Kind = desk.KindBanner
		}
		all = append(all, e)
	}
	now := s.Now().Unix()
	for _, i := range k.open {
		if i.NextAttemptAt > now {
			all = append(all, desk.Entry{
				At: s.at(i.NextAttemptAt), About: true, Kind: desk.KindRetry, Title: "Stripe tries the charge again, " + s.deskMoney(i.Remaining()),
				Detail: fmt.Sprintf("Attempt %d on invoice %s. Planned by Stripe.", i.AttemptCount+1, cmp.Or(i.Number, i.ID)),
			})
		}
	}
	all = append(all, s.aheadRetries(k)...)
	for _, n := range k.notices {
		if isAhead(n, now) {
			all = append(all, desk.Entry{At: s.at(n.DueAt), Kind: desk.KindMail, Title: noticeTitle(n, k.plans[n.CaseID]), Detail: s.becameOf(n)})
		}
	}
	promised, ok := s.aheadPromise(k)
	if ok {
		all = append(all, promised)
	}
	for _, p := range k.pauses {
		if p.Until > now && p.Reason != dunning.PausePromise {
			all = append(all, desk.Entry{At: s.at(p.Until), Kind: desk.KindResume, Title: "A pause ends by itself"})
		}
	}
	slices.SortStableFunc(all, func(a, b desk.Entry) int { return b.At.Compare(a.At) })
	return all
}
