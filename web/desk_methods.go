package web

import (
	"context"
	"database/sql"
	"strings"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/views/desk"
)

// takenOff is a payment method that a customer took off, and what took its place.
type takenOff struct {
	billing.Removal
	method, successor billing.Method
}

func removalsOf(ctx context.Context, tx *sql.Tx, customer string) ([]takenOff, error) {
	ordered, err := billing.RemovalsOf(ctx, tx, customer)
	if err != nil {
		return nil, err
	}
	var all []takenOff
	for _, r := range ordered {
		t := takenOff{Removal: r}
		for id, m := range map[string]*billing.Method{r.MethodID: &t.method, r.Successor: &t.successor} {
			*m, err = billing.FindMethod(ctx, tx, customer, id)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return nil, err
			}
		}
		all = append(all, t)
	}
	return all, nil
}

// pastRemovals are the cards and accounts the customer took off on their page.
func (s *Server) pastRemovals(k record) []desk.Entry {
	var all []desk.Entry
	for _, t := range k.removals {
		e := desk.Entry{At: s.at(t.OrderedAt), Kind: desk.KindCard, Title: "Removed " + called(t.method) + " on their page"}
		if t.Successor != "" {
			e.Detail = "What it paid for is charged to " + called(t.successor) + " from now on."
		}
		switch t.Status {
		case billing.RemovalOrdered:
			e.Tone, e.Title = desk.Wait, "Asked to remove "+called(t.method)+" on their page"
			e.Detail = "Stripe has not answered yet; it is asked again by itself."
		case billing.RemovalFailed:
			e.Tone, e.Title, e.Detail = desk.Bad, "Asked to remove "+called(t.method)+" on their page", "What was to take its place was gone. Nothing was removed."
		}
		all = append(all, e)
	}
	return all
}

// called is a payment method as staff know it.
func called(m billing.Method) string {
	if m.Last4 == "" {
		return "a payment method"
	}
	return strings.TrimSpace(m.BrandName() + " ending " + m.Last4)
}
