package web

import (
	"context"
	"database/sql"
	"net/http"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/views"
)

// showProcessing tells that a bank works on a payment, and when its answer is expected.
func (s *Server) showProcessing(w http.ResponseWriter, r *http.Request, f views.Frame, v visitor, st standing) error {
	p := views.ProcessingPage{Frame: f, FirstName: v.FirstName(), Card: s.cardOf(st)}
	var sums []billing.Money
	var running []billing.Invoice
	for _, i := range st.open {
		if !i.Processing() {
			continue
		}
		running = append(running, i)
		sums = append(sums, i.Remaining())
		p.What = i.Description
	}
	if len(running) > 1 {
		p.What = ""
	}
	p.Amounts = billing.Totals(sums)
	var err error
	p.Until, err = s.answerBy(r.Context(), running, v.zone)
	if err != nil {
		return err
	}
	s.show(w, r, http.StatusOK, views.Processing(p))
	return nil
}

// answerBy is the day by which all banks are expected to have answered, zero when one is late or cannot be told.
func (s *Server) answerBy(ctx context.Context, running []billing.Invoice, zone *time.Location) (time.Time, error) {
	var last time.Time
	err := s.DB.See(ctx, func(tx *sql.Tx) error {
		for _, i := range running {
			kind, err := billing.KindOf(ctx, tx, i.MethodID)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			at := time.Time{}
			if i.ChargedAt > 0 {
				at = billing.AnswerBy(kind, time.Unix(i.ChargedAt, 0).In(zone))
			}
			if at.Before(s.Now()) {
				last = time.Time{}
				return nil
			}
			if at.After(last) {
				last = at
			}
		}
		return nil
	})
	return last, err
}
