package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/explain"
	"sollecito/internal/outbox"
)

// The sentences of the staff pages. Staff pages are in English.

var needWords = map[dunning.Need]string{
	dunning.NeedAnswer:      "Wrote to us and waits for an answer",
	dunning.NeedDispute:     "Their bank disputes a payment",
	dunning.NeedLost:        lostWords,
	dunning.NeedCancel:      "Wants to end their plan",
	dunning.NeedConsent:     "Withdrew their consent at the bank",
	dunning.NeedConsequence: "A consequence waits: nobody is sure they were told",
	dunning.NeedFinal:       "Decide: the campaign's final act waits",
	dunning.NeedDecline:     "Look at it in Stripe: our mistake, or an unknown reason",
	dunning.NeedFailed:      "A mail could not be delivered",
	dunning.NeedUncertain:   "A mail may or may not have arrived",
	dunning.NeedAddress:     "There is no address that takes mail",
}

// lostWords are what a person decides when a bank has taken a payment back for good.
const lostWords = "Lost a dispute: ask for what is open, or not?"

// heldWords are NeedConsequence by the reason for which it waits.
var heldWords = map[contact.Reason]string{
	dunning.ReasonUntold:  "A consequence waits: no notice announces it to them",
	dunning.ReasonHoldout: "A consequence waits: the case is in the holdout, so nothing announces it",
}

var whyStopped = map[outbox.BounceKind]string{
	outbox.Hard:      "The address takes no mail. Reminders go to another billing contact, or to the app alone.",
	outbox.Soft:      "It could not take several mails in a row. Reminders go to another billing contact, or to the app alone.",
	outbox.Complaint: "They reported a mail as unwanted. The notice in the app goes on.",
}

// stepTitle names the step at an index of the case's plan by what the customer notices of it. A limit that is theirs
// already is not named: nobody announces it to them.
func stepTitle(c dunning.Case, plan campaign.Campaign, i int) string {
	step, number := plan.Steps[i], i+1
	title := fmt.Sprintf("Step %d", number)
	switch {
	case step.Has(outbox.Email):
		title = fmt.Sprintf("Mail %d", number)
	case step.Has(outbox.App):
		title = fmt.Sprintf("Notice %d in the app", number)
	}
	switch {
	case step.Acts():
		return title + ", " + finalWords[step.Act] + " at Stripe"
	case step.Consequence && c.Loses(step):
		return title + ", access becomes " + accessWords[step.Access]
	case step.Announces && announcesLoss(c, plan, i):
		return title + ", it announces the limit"
	}
	return title
}

// titleAhead names a step still to come by where it will be told to this customer.
func (k record) titleAhead(p dunning.Planned) string {
	plan := k.situation.Plan
	if ways := k.situation.Ways(p.Step); len(ways) > 0 {
		plan.Steps = slices.Clone(plan.Steps)
		plan.Steps[p.Index].Channels = ways
	}
	return stepTitle(k.c, plan, p.Index)
}

// announcesLoss reports whether the step at an index announces something that the customer still has.
func announcesLoss(c dunning.Case, plan campaign.Campaign, i int) bool {
	next := slices.IndexFunc(plan.Steps[i+1:], func(s campaign.Step) bool { return s.Consequence })
	return next >= 0 && c.Loses(plan.Steps[i+1+next])
}

var accessWords = map[campaign.Access]string{
	campaign.Full: "full", campaign.Grace: "full, in grace", campaign.Restricted: "limited", campaign.Suspended: "suspended",
}

// noticeTitle names a message by what it is for.
func noticeTitle(n outbox.Notice, plan campaign.Campaign) string {
	switch n.Kind {
	case outbox.Reminder:
		for i, step := range plan.Steps {
			if step.Key != n.Step {
				continue
			}
			if n.Channel == outbox.App {
				return fmt.Sprintf("Notice %d in the app", i+1)
			}
			if n.SubjectID != "" {
				return fmt.Sprintf("Mail %d, once more", i+1)
			}
			return fmt.Sprintf("Mail %d", i+1)
		}
		return "Reminder"
	case outbox.Settled:
		return "Thank-you mail"
	case outbox.Precaution:
		if n.Step == string(dunning.CardExpires) {
			return "Mail about a card that expires"
		}
		return "Mail about a renewal with nothing to charge"
	case outbox.FinalAct:
		return "Mail about what was done at Stripe"
	case outbox.FreshLink:
		return "Mail with a fresh link"
	case outbox.Reply:
		return "Mail with our answer"
	case outbox.Promised:
		return "Mail that confirms their day"
	case outbox.Genuine:
		return "Mail that lists what we sent them"
	case outbox.Code:
		return "Mail with a code they asked for"
	case outbox.MethodGone:
		return "Mail about a payment method they removed"
	case outbox.StaffMessage:
		return "Mail to us with their message"
	}
	return "Message"
}

// becameOf says what became of a message.
func (s *Server) becameOf(n outbox.Notice) string {
	n.Reason = s.whyWords(n.Reason)
	switch n.Status {
	case outbox.Sent:
		if n.Channel == outbox.App {
			return "Seen in the app."
		}
		return "Taken by the mail server."
	case outbox.Queued:
		if n.Channel == outbox.App {
			return "Shows when they next open the app."
		}
		return strings.TrimSpace("Waits to go out. " + n.Reason)
	case outbox.Sending:
		return "Is being handed over now."
	case outbox.Uncertain:
		return "May or may not have arrived. It counts as sent and is not sent again by itself."
	case outbox.Failed:
		return strings.TrimSpace("Could not be delivered. " + n.Reason)
	case outbox.Skipped:
		return strings.TrimSpace("Left out. " + n.Reason)
	}
	return n.Reason
}

// whyWords is a stored reason in words.
func (s *Server) whyWords(stored string) string {
	return explain.Stored(s.Catalog.Locale("en"), stored)
}

// reasonSentences say why a step comes when it does, one for each rule that had a say. Of one that waits for a person no
// sentence says that it comes.
func reasonSentences(p dunning.Planned, c dunning.Case, in dunning.Situation, waits bool) []string {
	var all []string
	for _, reason := range p.Why {
		if waits && (reason == contact.ReasonPast || reason == dunning.ReasonAnnounced) {
			continue
		}
		switch reason {
		case contact.ReasonStep:
			all = append(all, fmt.Sprintf("The campaign plans step %d for day %d at %s their time.", p.Index+1, p.Step.DayOf(in.Class), clockOf(time.Duration(p.Step.At))))
		case contact.ReasonOnce:
			all = append(all, "The campaign writes at once for this kind of failure: "+classWords(in.Class)+".")
		case contact.ReasonPast:
			all = append(all, "That time has passed already, so the next allowed moment is taken.")
		case dunning.ReasonAnnounced:
			all = append(all, "It comes no earlier than it was announced for, and four days after the announcement at the earliest.")
		case contact.ReasonHours:
			all = append(all, "It was moved into the hours they may be written to: "+hoursOf(in.Policy)+", their time.")
			if in.Choices.Hours != (contact.Hours{}) {
				all = append(all, "They asked for these hours.")
			}
		case contact.ReasonRest:
			all = append(all, "A public holiday where they are lies between.")
		case contact.ReasonGap:
			all = append(all, fmt.Sprintf("The last message is too recent: we keep at least %d hours between two.", int(in.Policy.Gap/time.Hour)))
		case contact.ReasonCap:
			all = append(all, fmt.Sprintf("They have had %d messages in %d days, and never get more.", in.Policy.Cap, int(in.Policy.Window/(24*time.Hour))))
		}
	}
	if c.RestedDays > 0 {
		all = append(all, fmt.Sprintf("%s in which the case rested or nothing could be done don't count.", capital(counted(c.RestedDays, "day"))))
	}
	if c.Loses(p.Step) && c.ConsequenceAt > 0 && !waits {
		all = append(all, fmt.Sprintf("It was announced for %s at the earliest, and an announced date never moves earlier.", time.Unix(c.ConsequenceAt, 0).In(in.Zones[0]).Format("2 January")))
	}
	if len(p.Step.Channels) > 0 && len(in.Zones) > 1 {
		all = append(all, fmt.Sprintf("Their zone is not sure, so only hours allowed in all %d possible ones count.", len(in.Zones)))
	}
	return append(all, "The invoices are read again just before. If they are paid, nothing goes out.")
}

func capital(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

func clockOf(at time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(at/time.Hour), int(at/time.Minute)%60)
}

// hoursOf is a policy's hours and days: "Monday to Friday, 09:00 to 18:00".
func hoursOf(p contact.Policy) string {
	span := p.Span()
	return fmt.Sprintf("%s, %02d:00 to %02d:00", daysOf(p.Days), span.From, span.To)
}

// daysOf lists the allowed weekdays, from Monday on, runs of three and more as "Monday to Friday".
func daysOf(days [7]bool) string {
	var runs []string
	for i := 0; i < 7; i++ {
		at := func(k int) time.Weekday { return time.Weekday((k + 1) % 7) }
		if !days[at(i)] {
			continue
		}
		last := i
		for last+1 < 7 && days[at(last+1)] {
			last++
		}
		switch {
		case last-i >= 2:
			runs = append(runs, at(i).String()+" to "+at(last).String())
		case last > i:
			runs = append(runs, at(i).String(), at(last).String())
		default:
			runs = append(runs, at(i).String())
		}
		i = last
	}
	return strings.Join(runs, ", ")
}

// classWords are why a charge failed, in the middle of a sentence.
func classWords(class billing.Class) string {
	switch class {
	case billing.ClassDead:
		return "the card will not work again"
	case billing.ClassConsent:
		return "consent was withdrawn at the bank"
	case billing.ClassAuthentication:
		return "the bank wants their approval"
	case billing.ClassExpired:
		return "the card has expired"
	case billing.ClassFixCard:
		return "some card data is wrong"
	case billing.ClassRenewed:
		return "the card's data was old, and its bank has sent new data since"
	case billing.ClassMoney:
		return "not enough money"
	case billing.ClassTransient:
		return "network trouble"
	case billing.ClassOurs:
		return "a mistake on our side"
	case billing.ClassNoMethod:
		return "there is no payment method"
	case billing.ClassOverdue:
		return "its due date has passed"
	}
	return "the bank gave no reason"
}

// zoneFrom says where a customer's zone comes from.
func zoneFrom(c billing.Customer, zones []*time.Location) string {
	switch {
	case c.Zone != "" && zones[0].String() == c.Zone:
		return "from their record"
	case len(zones) > 1:
		return fmt.Sprintf("one of %d in their country", len(zones))
	case c.State != "" && c.Country != "":
		return "from their address"
	case c.Country != "":
		return "from their country"
	}
	return "ours, theirs is not known"
}
