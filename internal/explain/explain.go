package explain

import (
	"strings"
	"time"

	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/l10n"
)

// Stored says a reason as it is stored with a notice or a case: one of the engine's codes in words, and what is no
// code, as earlier versions and mail servers wrote it, as it stands.
func Stored(l *l10n.Locale, stored string) string {
	if !dunning.IsReason(stored) {
		return stored
	}
	return reason(l, contact.Reason(stored))
}

// reason is a code in words; a code without words, of a later version, is shown itself.
func reason(l *l10n.Locale, r contact.Reason) string {
	key := "decision.reason." + string(r)
	text := l.Text(key)
	if text == key {
		return string(r)
	}
	return text
}

// Decision says a decision in whole sentences. Instants are in the zone.
func Decision(l *l10n.Locale, d dunning.Decision, zone *time.Location) string {
	switch d.What {
	case dunning.Chosen:
		return chosen(l, d)
	case dunning.Taken:
		return taken(l, d, zone)
	case dunning.PassedOver:
		return l.Text("decision.passed_over")
	}
	why := reason(l, d.Why)
	if d.Why == dunning.ReasonOther {
		why = d.Details.Words
	}
	all := []string{why}
	if d.Until > 0 {
		all = append(all, l.Text("decision.again", at(l, d.Until, zone)))
	}
	if d.Times > 1 {
		times := at(l, d.At, zone)
		times["Count"] = d.Times
		all = append(all, l.Text("decision.times", times))
	}
	return strings.Join(all, " ")
}

func at(l *l10n.Locale, instant int64, zone *time.Location) l10n.Args {
	t := time.Unix(instant, 0).In(zone)
	return l10n.Args{"Day": l.Day(t), "Clock": l.Clock(t)}
}

func chosen(l *l10n.Locale, d dunning.Decision) string {
	args := l10n.Args{"Campaign": d.Details.Campaign, "Version": d.Details.Version, "Variant": d.Details.Variant}
	key := "decision.chosen"
	switch {
	case d.Why == dunning.ReasonLast:
		key = "decision.chosen_last"
	case len(d.Details.Held) > 0:
		key = "decision.chosen_for"
		var held []string
		for _, condition := range d.Details.Held {
			held = append(held, l.Text("decision.condition."+condition))
		}
		args["Held"] = l.List(held)
	}
	all := []string{l.Text(key, args)}
	if d.Details.Variant != "" {
		all = append(all, l.Text("decision.variant", args))
	}
	if d.Details.Holdout {
		all = append(all, reason(l, dunning.ReasonHoldout))
	}
	return strings.Join(all, " ")
}

func taken(l *l10n.Locale, d dunning.Decision, zone *time.Location) string {
	if d.Why == contact.ReasonOnce {
		return Moved(l, reason(l, d.Why), d.Details.Moved)
	}
	args := at(l, d.Details.Wanted, zone)
	args["Number"] = d.Details.Day
	return Moved(l, l.Text("decision.taken", args), d.Details.Moved)
}

// Moved adds to a sentence what moved a contact from the time the campaign wanted.
func Moved(l *l10n.Locale, sentence string, why []contact.Reason) string {
	all := []string{sentence}
	for _, r := range why {
		switch r {
		case contact.ReasonStep, contact.ReasonOnce, contact.ReasonPast:
		default:
			all = append(all, reason(l, r))
		}
	}
	return strings.Join(all, " ")
}

// Because answers the message that tells a customer why the next message comes when it does, false when it comes
// just when the campaign wants it.
func Because(p dunning.Planned, in dunning.Situation) (string, bool) {
	last := contact.Reason("")
	for _, r := range p.Why {
		if r != contact.ReasonStep && r != contact.ReasonOnce && r != contact.ReasonPast {
			last = r
		}
	}
	switch last {
	case "":
		return "", false
	case contact.ReasonHours:
		from := p.Wanted
		if from.Before(in.Now) {
			from = in.Now
		}
		day := from.In(in.Zones[0]).Weekday()
		switch {
		case in.Policy.Days[day]:
			return "contact.because_hours", true
		case day == time.Saturday || day == time.Sunday:
			return "contact.because_weekend", true
		}
		return "contact.because_day", true
	case contact.ReasonGap, contact.ReasonCap, "rest":
		return "contact.because_" + string(last), true
	}
	return "", false
}
