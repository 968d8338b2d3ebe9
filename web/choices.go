package web

import (
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
	"sollecito/views"
)

// prospect is what a customer may still hear from us and what they chose, read at one moment.
type prospect struct {
	choices  contact.Choices
	previous contact.Choices // the version before; zero when there is none
	c        dunning.Case    // the latest, zero without one
	in       dunning.Situation
	notices  []outbox.Notice // of that case
	stopped  bool            // all sending is stopped
	unmailed bool            // no address of theirs takes mail: what a mail would say is said in the app
	app      bool            // the merchant's app can say it
}

func (s *Server) prospectOf(ctx context.Context, v visitor) (prospect, error) {
	var p prospect
	err := s.DB.See(ctx, func(tx *sql.Tx) error {
		made, err := contact.ChoicesMade(ctx, tx, v.ID)
		if err != nil {
			return err
		}
		if n := len(made); n > 0 {
			p.choices = made[n-1]
			if n > 1 {
				p.previous = made[n-2]
			}
		}
		sending, err := dunning.SendingSwitch(ctx, tx)
		if err != nil {
			return err
		}
		p.stopped, p.app = sending.Stopped, s.hasApp()
		to, err := outbox.Usable(ctx, tx, v.Addresses())
		if err != nil {
			return err
		}
		p.unmailed = to == ""
		p.c, err = s.Cases.LatestOf(ctx, tx, v.ID)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		p.in, err = s.Cases.SituationOf(ctx, tx, p.c, s.Now())
		if err != nil {
			return err
		}
		p.notices, err = outbox.OfCase(ctx, tx, p.c.ID)
		return err
	})
	return p, err
}

// with is the prospect as it would be with other choices.
func (p prospect) with(s *Server, v visitor, c contact.Choices) prospect {
	p.choices = c
	p.in.Choices, p.in.Policy = c, s.Cases.PolicyFor(v.Customer, c)
	return p
}

// outlook is what is still to come of the latest case, worked out by the rules that send.
func (p prospect) outlook(zone *time.Location) views.Outlook {
	o := views.Outlook{
		Open:    p.c.Status == dunning.Open || p.c.Status == dunning.Exhausted && len(p.in.Who.Open) > 0,
		Resting: p.c.RestingSince > 0 || p.stopped,
	}
	if !o.Open {
		return o
	}
	o.Act = p.c.ActAhead(p.in.Plan)
	for _, m := range p.c.Outlook(p.in, p.notices) {
		coming := views.Coming{Way: wayOf(m.Ways)}
		switch {
		case p.unmailed && (p.choices.NoApp || !p.app):
			continue
		case p.unmailed:
			coming.Way = views.WayApp
		}
		if !m.At.IsZero() {
			coming.At = m.At.In(zone)
		}
		o.Messages = append(o.Messages, coming)
	}
	return o
}

func wayOf(channels []outbox.Channel) views.Way {
	mail, app := false, false
	for _, c := range channels {
		mail, app = mail || c == outbox.Email, app || c == outbox.App
	}
	return wayFor(mail, app)
}

func wayFor(mail, app bool) views.Way {
	switch {
	case mail && app:
		return views.WayBoth
	case mail:
		return views.WayMail
	case app:
		return views.WayApp
	}
	return views.WayNone
}

// limitsFor are the limits that hold for this customer whatever they choose.
func (s *Server) limitsFor(v visitor) views.Limits {
	p := s.Cases.PolicyFor(v.Customer, contact.Choices{})
	return views.Limits{
		Most: p.Cap, Days: int(p.Window / (24 * time.Hour)), GapHours: int(p.Gap / time.Hour), From: p.From, To: p.To,
		Weekdays: p.Days, Holidays: p.Almanac != nil, Zone: v.zone.String(),
	}
}

// choiceOf is what stands, as the page shows it.
func (s *Server) choiceOf(v visitor, c contact.Choices) views.Choice {
	span := s.Cases.PolicyFor(v.Customer, c).Span()
	return views.Choice{Way: wayFor(!c.NoMail, !c.NoApp), From: span.From, To: span.To}
}

// hasApp reports whether the merchant's app can show notices at all.
func (s *Server) hasApp() bool {
	for _, secret := range s.EmbedSecrets {
		if secret != "" {
			return true
		}
	}
	return false
}

// choicesFrom reads a choice out of a form; false when its hours cannot be kept.
func (s *Server) choicesFrom(form url.Values, v visitor, before contact.Choices) (contact.Choices, bool) {
	c := before
	c.Source, c.Actor = contact.FromPage, ""
	switch views.Way(form.Get("way")) {
	case views.WayBoth:
		c.NoMail, c.NoApp = false, false
	case views.WayMail:
		c.NoMail, c.NoApp = false, true
	case views.WayApp:
		c.NoMail, c.NoApp = true, false
	case views.WayNone:
		c.NoMail, c.NoApp = true, true
	}
	policy := s.Cases.PolicyFor(v.Customer, contact.Choices{})
	from, errFrom := strconv.Atoi(form.Get("from"))
	to, errTo := strconv.Atoi(form.Get("to"))
	c.Hours = contact.Hours{From: from, To: to}
	if errFrom != nil || errTo != nil || c.Check(policy) != nil || c.Hours == (contact.Hours{}) {
		return before, false
	}
	if from == policy.From && to == policy.To {
		c.Hours = contact.Hours{} // all of our hours is no wish: it stays so when ours change
	}
	return c, true
}

func (s *Server) choicesPage(r *http.Request, v visitor, p prospect) views.ChoicesPage {
	return views.ChoicesPage{
		Frame: s.frame(r, v), Outlook: p.outlook(v.zone), Limits: s.limitsFor(v), Choice: s.choiceOf(v, p.choices), App: s.hasApp(),
		Confirms: !s.Cases.PolicyFor(v.Customer, contact.Choices{}).Collector,
	}
}

// showChoices draws what is still to come and what the customer chose.
func (s *Server) showChoices(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	p, err := s.prospectOf(r.Context(), v)
	if err != nil {
		return err
	}
	page := s.choicesPage(r, v, p)
	if p.choices.Version > 0 && s.toldIn(r, v.session.ID) == keptAs(p.choices) {
		before := s.choiceOf(v, p.previous)
		page.Kept, page.Before = true, &before
	}
	s.show(w, r, http.StatusOK, views.Choices(page))
	return nil
}

// chooseChoices takes what a customer would like and leads to the page that shows what it would change. It keeps
// nothing.
func (s *Server) chooseChoices(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	p, err := s.prospectOf(r.Context(), v)
	if err != nil {
		return err
	}
	c, ok := s.choicesFrom(r.PostForm, v, p.choices)
	if !ok {
		page := s.choicesPage(r, v, p)
		page.Choice.Way = views.Way(r.PostForm.Get("way"))
		page.Faults = []views.Fault{{Field: "from", Said: views.Said{Key: "choices.fault_hours", Args: page.Hours()}}}
		s.show(w, r, http.StatusUnprocessableEntity, views.Choices(page))
		return nil
	}
	if c.Same(p.choices) {
		http.Redirect(w, r, "/pay/choices", http.StatusSeeOther)
		return nil
	}
	asked := url.Values{"way": {r.PostForm.Get("way")}, "from": {r.PostForm.Get("from")}, "to": {r.PostForm.Get("to")}}
	http.Redirect(w, r, "/pay/choices/review?"+asked.Encode(), http.StatusSeeOther)
	return nil
}

// reviewChoices shows what a choice would change, before the press that keeps it.
func (s *Server) reviewChoices(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	p, err := s.prospectOf(r.Context(), v)
	if err != nil {
		return err
	}
	c, ok := s.choicesFrom(r.URL.Query(), v, p.choices)
	if !ok || c.Same(p.choices) {
		http.Redirect(w, r, "/pay/choices", http.StatusSeeOther)
		return nil
	}
	s.show(w, r, http.StatusOK, views.ChoicesReview(views.ChoicesReviewPage{
		Frame: s.frame(r, v), Outlook: p.with(s, v, c).outlook(v.zone), Limits: s.limitsFor(v), Choice: s.choiceOf(v, c), App: s.hasApp(),
	}))
	return nil
}

// keptAs is the mark with which the page after keeping a choice knows that this choice was kept: once another one stands,
// the page says nothing of it and offers no Undo.
func keptAs(c contact.Choices) string { return "kept" + strconv.FormatInt(c.Version, 10) }

// keepChoices keeps a choice. From here on every message obeys it.
func (s *Server) keepChoices(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	f := s.frame(r, v)
	valid := true
	var kept contact.Choices
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		_, err := s.Cases.Choose(r.Context(), tx, v.ID, func(before contact.Choices) contact.Choices {
			c, ok := s.choicesFrom(r.PostForm, v, before)
			valid = ok
			c.Words = f.WordsOf(s.choiceOf(v, c), s.hasApp())
			return c
		}, s.Now())
		if err != nil {
			return err
		}
		kept, err = contact.ChoicesOf(r.Context(), tx, v.ID)
		return err
	})
	if err != nil {
		return err
	}
	if !valid {
		http.Redirect(w, r, "/pay/choices", http.StatusSeeOther)
		return nil
	}
	s.Wake()
	http.Redirect(w, r, s.tellAt("/pay/choices", keptAs(kept), v.session.ID), http.StatusSeeOther)
	return nil
}
