package web

import (
	"fmt"

	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/explain"
	"sollecito/internal/outbox"
	"sollecito/views/desk"
)

// decidedWords says why a case was begun, or its step taken, as it was; "" when nothing is kept of it, as of cases from
// before decisions were kept.
func (s *Server) decidedWords(k record, caseID, step string, what dunning.What) string {
	for _, d := range k.decisions {
		if d.CaseID == caseID && d.Step == step && d.What == what {
			return explain.Decision(s.Catalog.Locale("en"), d, s.zonesOf(k)[0])
		}
	}
	return ""
}

// pastDecisions are the times at which something that was due did not go out, and the steps that were not for the case:
// each once, however often it was decided.
func (s *Server) pastDecisions(k record) []desk.Entry {
	var all []desk.Entry
	for _, d := range k.decisions {
		e := desk.Entry{At: s.at(d.Since), Detail: explain.Decision(s.Catalog.Locale("en"), d, s.zonesOf(k)[0])}
		title := stepName(k.plans[d.CaseID], d)
		switch d.What {
		case dunning.PutOff:
			e.Kind, e.Tone, e.Title = desk.KindPause, desk.Wait, title+" put off"
		case dunning.PassedOver:
			e.Kind, e.Title = desk.KindSkip, title+" passed over"
		default:
			continue // told with the case and with its messages
		}
		all = append(all, e)
	}
	return all
}

// stepName names the step a decision is about by what the customer would have noticed of it.
func stepName(plan campaign.Campaign, d dunning.Decision) string {
	i := plan.StepOf(d.Step)
	switch {
	case i < 0:
		return "A step"
	case d.Channel == outbox.App:
		return fmt.Sprintf("Notice %d in the app", i+1)
	case d.Channel == outbox.Email || plan.Steps[i].Has(outbox.Email):
		return fmt.Sprintf("Mail %d", i+1)
	}
	return fmt.Sprintf("Step %d", i+1)
}

// moved adds to a sentence about what is ahead why it comes when it does.
func (s *Server) moved(sentence string, why []contact.Reason) string {
	return explain.Moved(s.Catalog.Locale("en"), sentence, why)
}
