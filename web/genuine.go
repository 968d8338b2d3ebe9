package web

import (
	"context"
	"database/sql"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/outbox"
	"sollecito/views"
)

// showGenuine tells how to know a mail of ours. Every letter names this page; its address carries no secret.
func (s *Server) showGenuine(w http.ResponseWriter, r *http.Request) error {
	s.show(w, r, http.StatusOK, views.Genuine(s.genuinePage(r, "", nil)))
	return nil
}

func (s *Server) genuinePage(r *http.Request, typed string, faults []views.Fault) views.GenuinePage {
	_, domain, _ := strings.Cut(s.MailFrom, "@")
	return views.GenuinePage{Frame: s.frame(r, s.whoeverAsks(r)), Domain: domain, Host: s.Addresses.Host(), Typed: typed, Faults: faults}
}

// Limits on asking whether a mail is ours. An invoice's number is no secret and follows from the one before: whoever
// counts them up must not make us write to everybody.
const (
	checkedOnceWithin  = 24 * time.Hour    // a customer is written to
	mostChecksPerPlace = mostLinksPerPlace // per hour
	mostChecks         = 60                // letters per hour, to whomever
)

// longestReference is how long an address or an invoice's number may be.
const longestReference = 254

// confirmGenuine mails a list of what we sent lately to the address on file of whoever was written to. The answer is the
// same whatever was typed, known or not.
func (s *Server) confirmGenuine(w http.ResponseWriter, r *http.Request) error {
	typed := strings.TrimSpace(r.PostFormValue("reference"))
	address, err := mail.ParseAddress(typed)
	isAddress := err == nil && address.Address == typed
	if typed == "" || len(typed) > longestReference || strings.Contains(typed, "@") && !isAddress {
		faults := []views.Fault{{Field: "reference", Said: views.Said{Key: "genuine.fault"}}}
		s.show(w, r, http.StatusUnprocessableEntity, views.Genuine(s.genuinePage(r, typed, faults)))
		return nil
	}
	now := s.Now()
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		within, err := database.Within(r.Context(), tx, "genuine "+placeOf(visitOf(r).ip), time.Hour, mostChecksPerPlace, s.Real())
		if err != nil || !within {
			return err
		}
		find := billing.CustomersByNumber
		if isAddress {
			find = billing.CustomersByEmail
		}
		found, err := find(r.Context(), tx, typed)
		if err != nil {
			return err
		}
		err = holdAll(r.Context(), tx, found)
		if err != nil {
			return err
		}
		for _, c := range found {
			sent, err := outbox.CountSince(r.Context(), tx, c.ID, outbox.Genuine, now.Add(-checkedOnceWithin).Unix())
			if err != nil {
				return err
			}
			if sent > 0 {
				continue
			}
			within, err = database.Within(r.Context(), tx, "genuine", time.Hour, mostChecks, s.Real())
			if err != nil || !within {
				return err
			}
			_, err = outbox.Queue(r.Context(), tx, outbox.Notice{
				Kind: outbox.Genuine, Channel: outbox.Email, CustomerID: c.ID, SubjectID: database.NewID("ask"), Recipient: c.Email,
			}, now.Unix())
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.Wake()
	http.Redirect(w, r, "/pay/genuine/sent", http.StatusSeeOther)
	return nil
}

// holdAll holds some customers, so that of two who ask at the same time the second finds what the first was sent.
func holdAll(ctx context.Context, tx *sql.Tx, all []billing.Customer) error {
	ids := make([]string, len(all))
	for n, c := range all {
		ids[n] = c.ID
	}
	slices.Sort(ids)
	return database.HoldAll(ctx, tx, ids)
}

func (s *Server) showGenuineSent(w http.ResponseWriter, r *http.Request) error {
	s.show(w, r, http.StatusOK, views.LinkSent(views.LinkSentPage{Frame: s.frame(r, s.whoeverAsks(r)), List: true}))
	return nil
}
