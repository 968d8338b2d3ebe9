package web

import (
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"slices"

	"sollecito/internal/fault"
	"sollecito/internal/staff"
	"sollecito/internal/webhook"
	"sollecito/views/desk"
)

func (s *Server) showWebhooks(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	var all []string
	for _, t := range webhook.Types() {
		all = append(all, string(t))
	}
	p, err := s.webhooksPage(r, endpointForm("", all))
	if err != nil {
		return err
	}
	s.show(w, r, http.StatusOK, desk.Webhooks(p))
	return nil
}

func (s *Server) webhooksPage(r *http.Request, form desk.EndpointForm) (desk.WebhooksPage, error) {
	p := desk.WebhooksPage{Frame: s.deskFrame(r), Form: form}
	p.Nav = desk.NavWebhooks
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		all, err := s.Endpoints.All(r.Context(), tx)
		if err != nil {
			return err
		}
		for _, e := range all {
			shown, err := s.endpoint(r.Context(), tx, e)
			if err != nil {
				return err
			}
			p.Endpoints = append(p.Endpoints, shown)
		}
		return nil
	})
	return p, err
}

// endpointForm is the form with what was typed or is kept of an endpoint.
func endpointForm(address string, events []string) desk.EndpointForm {
	form := desk.EndpointForm{Address: address}
	for _, t := range webhook.Types() {
		form.Kinds = append(form.Kinds, desk.EventKind{Type: string(t), Chosen: slices.Contains(events, string(t))})
	}
	return form
}

func (s *Server) endpoint(ctx context.Context, tx *sql.Tx, e webhook.Endpoint) (desk.Endpoint, error) {
	failed, err := webhook.CountFailed(ctx, tx, e.ID)
	shown := desk.Endpoint{
		ID: e.ID, Address: e.Address, DisabledAt: s.at(e.DisabledAt), Gone: e.DisabledWhy == webhook.DisabledAsGone,
		FailingSince: s.at(e.FailingSince), Dead: e.Dead(s.Now()), Failed: failed,
	}
	for _, t := range e.Events {
		shown.Events = append(shown.Events, string(t))
	}
	return shown, err
}

// addWebhook makes an endpoint. Its secret is on the answer itself, since nobody is shown it again.
func (s *Server) addWebhook(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	address, events := r.PostFormValue("address"), r.PostForm["event"]
	var made webhook.Endpoint
	secret := ""
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		var err error
		made, secret, err = s.Endpoints.Add(r.Context(), tx, address, events, s.Now())
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "webhook.added", made.ID, made.Origin())
	})
	if fault.Is(err, fault.Invalid) {
		form := endpointForm(address, events)
		form.Faults = endpointFaults(err)
		p, err := s.webhooksPage(r, form)
		if err != nil {
			return err
		}
		s.show(w, r, http.StatusUnprocessableEntity, desk.Webhooks(p))
		return nil
	}
	if err != nil {
		return err
	}
	return s.showSecret(w, r, made.ID, secret)
}

// endpointFaults says at which field of the form something is wrong.
func endpointFaults(err error) []desk.Fault {
	field := "address"
	if webhook.AboutEvents(err) {
		field = "event"
	}
	return []desk.Fault{{Field: field, Text: fault.MessageOf(err) + "."}}
}

func (s *Server) showSecret(w http.ResponseWriter, r *http.Request, id, secret string) error {
	p, err := s.webhookPage(r, id)
	if err != nil {
		return err
	}
	p.Secret = secret
	s.show(w, r, http.StatusOK, desk.Webhook(p))
	return nil
}

func (s *Server) showWebhook(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	p, err := s.webhookPage(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	s.show(w, r, http.StatusOK, desk.Webhook(p))
	return nil
}

func (s *Server) webhookPage(r *http.Request, id string) (desk.WebhookPage, error) {
	p := desk.WebhookPage{Frame: s.deskFrame(r)}
	p.Nav = desk.NavWebhooks
	from := offsetOf(r)
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		e, err := s.Endpoints.Find(r.Context(), tx, id)
		if err != nil {
			return err
		}
		p.Endpoint, err = s.endpoint(r.Context(), tx, e)
		if err != nil {
			return err
		}
		p.Form = endpointForm(e.Address, p.Endpoint.Events)
		if e.OldUntil > s.Real().Unix() {
			p.OldUntil = s.at(e.OldUntil)
		}
		found, err := webhook.Recent(r.Context(), tx, id, rowsPerPage+1, from)
		if err != nil {
			return err
		}
		more := len(found) > rowsPerPage
		for _, d := range found[:min(len(found), rowsPerPage)] {
			p.Deliveries = append(p.Deliveries, desk.Delivery{
				ID: d.ID, MessageID: d.MessageID, Type: string(d.Type), CustomerID: d.CustomerID, Status: string(d.Status), Attempts: d.Attempts,
				Code: d.Code, Reason: d.Reason, At: s.at(d.CreatedAt), TriedAt: s.at(d.TriedAt), DueAt: s.at(d.DueAt),
			})
		}
		p.Pager = pager(webhookPath(id), url.Values{}, from, len(p.Deliveries), more)
		return nil
	})
	disabled := !p.Endpoint.DisabledAt.IsZero()
	s.toldWhile(r, &p.Frame, map[string]bool{"hook_disabled": disabled, "hook_enabled": !disabled})
	return p, err
}

func webhookPath(id string) string { return "/admin/webhooks/" + url.PathEscape(id) }

func (s *Server) changeWebhook(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	id, address, events := r.PathValue("id"), r.PostFormValue("address"), r.PostForm["event"]
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		e, err := s.Endpoints.Change(r.Context(), tx, id, address, events)
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "webhook.changed", id, e.Origin())
	})
	if fault.Is(err, fault.Invalid) {
		p, pageErr := s.webhookPage(r, id)
		if pageErr != nil {
			return pageErr
		}
		p.Form = endpointForm(address, events)
		p.Form.Faults = endpointFaults(err)
		s.show(w, r, http.StatusUnprocessableEntity, desk.Webhook(p))
		return nil
	}
	if err != nil {
		return err
	}
	return s.tellDesk(w, r, webhookPath(id), "hook_changed")
}

// renewWebhook makes a new secret, shown on the answer alone.
func (s *Server) renewWebhook(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	id, secret := r.PathValue("id"), ""
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		var err error
		secret, err = s.Endpoints.Rotate(r.Context(), tx, id, s.Real())
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "webhook.renewed", id, "")
	})
	if err != nil {
		return err
	}
	return s.showSecret(w, r, id, secret)
}

func (s *Server) testWebhook(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	return s.webhookDeed(w, r, who, "webhook.tested", "hook_tested", func(tx *sql.Tx, id string) error {
		return s.Endpoints.SendTest(r.Context(), tx, id, s.Now())
	})
}

func (s *Server) disableWebhook(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	return s.webhookDeed(w, r, who, "webhook.disabled", "hook_disabled", func(tx *sql.Tx, id string) error {
		return s.Endpoints.Disable(r.Context(), tx, id, s.Now())
	})
}

func (s *Server) enableWebhook(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	return s.webhookDeed(w, r, who, "webhook.enabled", "hook_enabled", func(tx *sql.Tx, id string) error {
		return s.Endpoints.Enable(r.Context(), tx, id, s.Now())
	})
}

func (s *Server) deliverAllAgain(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	return s.webhookDeed(w, r, who, "webhook.all_again", "hook_again", func(tx *sql.Tx, id string) error {
		_, err := s.Endpoints.AllAgain(r.Context(), tx, id, s.Now())
		return err
	})
}

// webhookDeed does something to an endpoint and leads back to its page.
func (s *Server) webhookDeed(w http.ResponseWriter, r *http.Request, who staff.Member, action, said string, deed func(tx *sql.Tx, id string) error) error {
	id := r.PathValue("id")
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		err := deed(tx, id)
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, action, id, "")
	})
	if err != nil {
		return err
	}
	s.Wake()
	return s.tellDesk(w, r, webhookPath(id), said)
}

func (s *Server) deliverAgain(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	var d webhook.Delivery
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		var err error
		d, err = webhook.FindDelivery(r.Context(), tx, r.PathValue("id"))
		if err != nil {
			return err
		}
		err = s.Endpoints.Again(r.Context(), tx, d, s.Now(), s.Real())
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "webhook.again", d.EndpointID, d.CustomerID)
	})
	if err != nil {
		return err
	}
	s.Wake()
	return s.tellDesk(w, r, webhookPath(d.EndpointID), "hook_again")
}

func (s *Server) removeWebhook(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	id := r.PathValue("id")
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		err := s.Endpoints.Remove(r.Context(), tx, id)
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "webhook.removed", id, "")
	})
	if err != nil {
		return err
	}
	return s.tellDesk(w, r, "/admin/webhooks", "hook_removed")
}
