package web

import (
	"database/sql"
	"errors"
	"net/http"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/views"
)

// outcome is what became of one press, by its attempts and by how their invoices stand now. The invoices have
// the last word: an attempt that waited for the bank's approval may have been approved since.
type outcome struct {
	paid       []string // ids of invoices
	declined   []string
	action     []string
	unknown    []billing.Money
	processing bool
	saved      *views.CardOnFile // the card the press kept
	reason     billing.Class     // why the first declined one was
}

var errNoPress = errors.New("no such press")

func (s *Server) outcomeOf(r *http.Request, v visitor, press string) (outcome, error) {
	var out outcome
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		attempts, err := billing.AttemptsOf(r.Context(), tx, v.ID, press)
		if err != nil {
			return err
		}
		if len(attempts) == 0 {
			return errNoPress
		}
		for _, a := range attempts {
			if a.Kind == "setup" {
				err = out.addSetup(r, tx, a, s.Now().Unix())
			} else {
				err = out.addCharge(r, tx, a)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func (o *outcome) addSetup(r *http.Request, tx *sql.Tx, a billing.Attempt, now int64) error {
	if a.Status == billing.AttemptDeclined {
		o.decline(a)
	}
	if a.Status != billing.AttemptSaved {
		return nil
	}
	m, err := billing.FindMethod(r.Context(), tx, a.CustomerID, a.MethodID)
	if fault.Is(err, fault.NotFound) {
		m, err = billing.Method{ID: a.MethodID, Type: "card"}, nil
	}
	o.saved = &views.CardOnFile{Method: m, Expired: m.Expired(now)}
	return err
}

func (o *outcome) addCharge(r *http.Request, tx *sql.Tx, a billing.Attempt) error {
	i, err := billing.FindInvoice(r.Context(), tx, a.InvoiceID)
	if err != nil {
		return err
	}
	switch {
	case i.MarkedPaid():
		o.paid = append(o.paid, i.ID)
	case a.Status == billing.AttemptFailed && !i.Open(): // voided meanwhile: no bank said anything
	case a.Status == billing.AttemptStarted || a.Status == billing.AttemptPaid:
		o.unknown = append(o.unknown, a.Amount)
	case i.Processing(), a.Status == billing.AttemptProcessing && i.SyncedAt <= a.EndedAt:
		o.processing = true
	case a.Status == billing.AttemptProcessing: // the bank has taken it back since
		a.Decline = i.Decline
		o.decline(a)
	case a.Status == billing.AttemptAction && i.IntentStatus == "requires_action":
		o.action = append(o.action, i.ID)
	case a.Status == billing.AttemptAction:
		a.Decline = i.Decline
		o.decline(a)
	case a.Status == billing.AttemptDeclined || a.Status == billing.AttemptFailed:
		o.decline(a)
	}
	return nil
}

func (o *outcome) decline(a billing.Attempt) {
	o.declined = append(o.declined, a.InvoiceID)
	if o.reason == billing.ClassNone {
		o.reason = a.Decline.Class()
	}
	switch a.Decline.Code {
	case billing.CodeNotTried:
		o.reason = billing.ClassTried
	case "payment_intent_authentication_failure", "setup_intent_authentication_failure":
		o.reason = billing.ClassUnapproved
	}
	if o.reason == billing.ClassNone {
		o.reason = billing.ClassGeneric
	}
}
