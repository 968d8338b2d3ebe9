package web

import (
	"context"
	"database/sql"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/views/desk"
)

// agreement is what a customer, or a guest of theirs, agreed to, and the way to pay it is about.
type agreement struct {
	billing.Mandate
	method  billing.Method
	byGuest bool
}

func agreementsOf(ctx context.Context, tx *sql.Tx, customer string) ([]agreement, error) {
	given, err := billing.Mandates(ctx, tx, customer)
	if err != nil {
		return nil, err
	}
	var all []agreement
	for _, m := range given {
		a := agreement{Mandate: m}
		a.byGuest, err = billing.IsGuests(ctx, tx, m.MethodID)
		if err == nil && !a.byGuest {
			a.method, err = billing.FindMethod(ctx, tx, customer, m.MethodID)
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// mandatesOf draws what was agreed to, newest first.
func (s *Server) mandatesOf(k record) []desk.Mandate {
	var all []desk.Mandate
	for _, a := range k.agreements {
		language := s.Catalog.Match(a.Language)
		m := desk.Mandate{
			Of: "A card", ByGuest: a.byGuest, Given: s.at(a.GivenAt), Language: language.EnglishName(), Lang: language.Tag(), Dir: language.Dir(),
			Words: a.Words, Version: a.Version(), Reference: a.Reference,
		}
		switch {
		case a.method.ID != "":
			m.Of = capital(cardWords(&a.method))
		case a.Kind == "debit":
			m.Of = "A bank account"
		}
		all = append(all, m)
	}
	return all
}
