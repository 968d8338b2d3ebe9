package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/l10n"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
	"sollecito/internal/support"
	"sollecito/views/desk"
)

// showCustomer draws one customer's whole story. Reading it is written down.
func (s *Server) showCustomer(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	k, err := s.recordOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	err = s.looked(r, who, "customer.viewed", k.ID, "")
	if err != nil {
		return err
	}
	p := s.customerPage(r, who, k)
	p.Question = s.questionOf(p, k, who, r.URL.Query().Get("act"))
	if p.Question == nil {
		p.Question = s.interestQuestion(p, k, who, r.URL.Query())
	}
	s.show(w, r, http.StatusOK, desk.Customer(p))
	return nil
}

func (s *Server) customerPage(r *http.Request, who staff.Member, k record) desk.CustomerPage {
	now, zones := s.Now(), s.zonesOf(k)
	p := desk.CustomerPage{
		Frame: s.deskFrame(r), ID: k.ID, Name: k.Name, Email: k.Email,
		Card: cardWords(k.card), LocalTime: now.In(zones[0]), ZoneName: zones[0].String(), ZoneFrom: zoneFrom(k.Customer, zones),
		Language: s.languageOf(k.Customer).EnglishName(), Since: s.at(k.CreatedAt),
		Acts: s.actsFor(k, who), Ahead: s.aheadOf(k), Past: s.pastOf(k), Interest: s.interestOf(k, who),
	}
	p.Nav = desk.NavToday
	s.toldWhile(r, &p.Frame, k.standing())
	for _, i := range k.open {
		if !i.Overdue(now.Unix()) && !i.Processing() {
			continue
		}
		p.Owes = append(p.Owes, i.Remaining())
		p.Invoices = append(p.Invoices, s.deskInvoice(i))
	}
	p.Owes = billing.Totals(p.Owes)
	p.Access = accessOf(k, zones[0])
	p.Facts = slices.Concat(s.choiceFacts(k), s.mailFacts(k), factsOf(k, now), s.triesFacts(k))
	p.Limits = triesLimits(k)
	p.Mandates = s.mandatesOf(k)
	if k.talk.ID != "" {
		p.Talk = &desk.Talk{ID: k.talk.ID, Waiting: k.talk.Status == support.Waiting, Last: s.at(k.talk.UpdatedAt)}
	}
	if !k.hasCase() {
		p.Idle = "This customer never had a case: nothing of theirs is overdue."
		return p
	}
	var reasons []dunning.PauseReason
	for _, pause := range k.pauses {
		reasons = append(reasons, pause.Reason)
		kind := string(pause.Reason)
		if pause.Reason == dunning.PauseDispute && k.restsForLost() {
			kind = "lost"
		}
		p.Pauses = append(p.Pauses, desk.Pause{
			Kind: kind, Reason: pause.Note, By: actorWords(pause.Actor), Since: s.at(pause.Since), Until: s.at(pause.Until),
		})
	}
	p.State = s.stateOf(k.c, k.Customer, reasons)
	p.Campaign, p.Version = k.plans[k.c.ID].Title, int(k.c.CampaignVersion)
	if k.c.Variant != "" {
		p.Campaign += ", variant " + k.c.Variant
	}
	if k.c.Holdout {
		p.Campaign += ", held out"
	}
	p.Plan = s.planOf(k)
	p.Idle = idleWords(k)
	if k.situation.Policy.Cap > 0 {
		p.Limits = append([]desk.Limit{{
			Label: fmt.Sprintf("Messages, %d days", int(k.situation.Policy.Window/(24*time.Hour))),
			Used:  k.situation.Recent(), Of: k.situation.Policy.Cap,
		}}, p.Limits...)
	}
	return p
}

// zonesOf are the zones the customer may be in; without a case there is no situation to ask.
func (s *Server) zonesOf(k record) []*time.Location {
	if len(k.situation.Zones) > 0 {
		return k.situation.Zones
	}
	return contact.ZonesOf(k.Customer, s.Zone)
}

// languageOf is the language the customer's mails are written in.
func (s *Server) languageOf(c billing.Customer) *l10n.Locale {
	wanted := append([]string{c.Language}, c.PreferredLocales...)
	return s.Catalog.Match(append(wanted, s.Language)...)
}

func (s *Server) deskInvoice(i billing.Invoice) desk.Invoice {
	return desk.Invoice{
		ID: i.ID, Number: i.Number, What: i.Description, Remaining: i.Remaining(), Class: i.Class(), Code: codeOf(i.Decline), Since: s.at(i.Since()),
	}
}

// codeOf is the processor's own word for a decline.
func codeOf(d billing.Decline) string {
	if d.DeclineCode != "" {
		return d.DeclineCode
	}
	return d.Code
}

// cardWords are a method as colleagues name it: "Mastercard ending 5454, 02/28".
func cardWords(m *billing.Method) string {
	if m == nil {
		return ""
	}
	name := m.BrandName()
	if name == "" {
		name = capital(strings.ReplaceAll(m.Type, "_", " "))
	}
	if m.Last4 != "" {
		name += " ending " + m.Last4
	}
	if m.ExpYear > 0 {
		name += fmt.Sprintf(", %02d/%02d", m.ExpMonth, m.ExpYear%100)
	}
	return name
}

func accessOf(k record, zone *time.Location) desk.Access {
	access := desk.Access{Level: string(campaign.Full)}
	if !k.hasCase() {
		return access
	}
	access.Level = string(k.c.Access)
	ends, _ := k.c.Tightens(k.situation, k.caseNotices())
	if !ends.IsZero() && !limited(k.c.Access) {
		access.Until = ends.In(zone)
	}
	return access
}

// mailFacts say which addresses get no mail and why, and where mail goes besides the address on file.
func (s *Server) mailFacts(k record) []desk.Fact {
	var facts []desk.Fact
	for _, stopped := range k.stopped() {
		facts = append(facts, desk.Fact{
			Term: "No mail to", Value: stopped.Address, Sub: "Since " + s.at(stopped.Since).Format("2 January 2006") + ". " + stopped.Words,
		})
	}
	if len(k.Contacts) > 0 {
		facts = append(facts, desk.Fact{Term: "Other contacts", Value: strings.Join(k.Contacts, ", ")})
	}
	return facts
}

// stopped are the addresses on file that get no mail now.
func (k record) stopped() []outbox.Suppression {
	var all []outbox.Suppression
	for _, s := range k.suppressions {
		if s.LiftedAt == 0 {
			all = append(all, s)
		}
	}
	return all
}

// mailTo is where the next reminder goes, "" when no address takes mail.
func (k record) mailTo() string {
	for _, a := range k.Addresses() {
		if !slices.ContainsFunc(k.stopped(), func(s outbox.Suppression) bool { return s.Address == outbox.Normal(a) }) {
			return a
		}
	}
	return ""
}

func factsOf(k record, now time.Time) []desk.Fact {
	var facts []desk.Fact
	if k.Deleted {
		facts = append(facts, desk.Fact{Term: "At Stripe", Value: "Deleted"})
	}
	if k.card != nil && k.card.Expired(now.Unix()) {
		facts = append(facts, desk.Fact{Term: "Card state", Value: "Expired"})
	}
	place := strings.Trim(k.State+", "+k.Country, ", ")
	if place != "" {
		facts = append(facts, desk.Fact{Term: "Place", Value: place})
	}
	return facts
}

// actorWords are who did something in a case, as its story keeps them.
func actorWords(actor string) string {
	if actor == "customer" {
		return "the customer"
	}
	return actor
}

// planOf is the next step and why it comes then. The schedule may look at the case later than the campaign wants
// it: while an earlier mail has not left, or while a consequence waits for a person.
func (s *Server) planOf(k record) *desk.Plan {
	if len(k.ahead) == 0 {
		return nil
	}
	next := k.ahead[0]
	zone := k.situation.Zones[0]
	waits := next.Held != "" || next.Step.Acts() && finalHeld(k) != ""
	p := &desk.Plan{
		Title: k.titleAhead(next.Planned), At: next.At.In(s.Zone), LocalAt: next.At.In(zone), City: cityOf(zone),
		Sentence: s.planSentence(k, next.Planned), Why: reasonSentences(next.Planned, k.c, k.situation, waits),
	}
	switch {
	case k.sendingPaused:
		p.Held = "All sending is stopped, so it waits until somebody resumes it."
	case k.waitingMail():
		p.Held = "An earlier mail has not left yet, so this one waits for it."
	case next.Step.Acts() && finalHeld(k) != "":
		p.Held = finalHeld(k)
	case next.Held != "":
		p.Held = s.whyWords(string(next.Held))
	case next.Step.Acts() && !k.situation.ActsAlone:
		p.Held = s.whyWords(string(dunning.ReasonManager))
	}
	if waits {
		p.At, p.LocalAt = time.Time{}, time.Time{} // when it is looked at again is no day on which it comes
	}
	return p
}

// caseNotices are the notices of the newest case.
func (k record) caseNotices() []outbox.Notice {
	var all []outbox.Notice
	for _, n := range k.notices {
		if n.CaseID == k.c.ID {
			all = append(all, n)
		}
	}
	return all
}

func (k record) waitingMail() bool {
	for _, n := range k.caseNotices() {
		if n.Kind == outbox.Reminder && n.Channel == outbox.Email && (n.Status == outbox.Queued || n.Status == outbox.Sending) {
			return true
		}
	}
	return false
}

func (s *Server) planSentence(k record, next dunning.Planned) string {
	var ways []string
	says := k.situation.Ways(next.Step)
	if k.c.Holdout {
		return "To nobody: the case is in the holdout, so nothing goes out and access stays as it is."
	}
	if len(next.Step.Channels) > 0 && len(says) == 0 && k.chosen().NoMail {
		return "To nobody: they asked for " + choiceWords(k.chosen()) + "."
	}
	if slices.Contains(says, outbox.Email) {
		way := "by mail to " + k.mailTo()
		if k.mailTo() == "" {
			way = "by mail to nobody (no address of theirs takes mail)"
		}
		ways = append(ways, way)
	}
	if slices.Contains(says, outbox.App) {
		ways = append(ways, "as a notice in the app")
	}
	if len(ways) == 0 {
		return ""
	}
	return capital(strings.Join(ways, " and ")) + ", in " + s.languageOf(k.Customer).EnglishName() + "."
}

// cityOf is the place a zone is named after: "Amsterdam".
func cityOf(zone *time.Location) string {
	name := zone.String()
	return strings.ReplaceAll(name[strings.LastIndexByte(name, '/')+1:], "_", " ")
}

// idleWords say why nothing is planned.
func idleWords(k record) string {
	switch {
	case k.c.Status == dunning.Recovered:
		return "The case is closed: everything is paid."
	case k.c.Status == dunning.Canceled:
		return "The case is closed: nothing is owed any more."
	case k.c.Status == dunning.Exhausted:
		return "The campaign has no step left. Something is still open, and no more reminders come by themselves."
	case k.restsForLost():
		return lostWords
	case len(k.pauses) > 0:
		return "The case rests; nothing goes out until it goes on."
	}
	return "No step is left."
}
