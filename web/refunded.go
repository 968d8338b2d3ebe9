package web

import (
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/views"
)

// givenBack is the paid invoice of which money was given back, when that is the last that happened; nil otherwise, and
// while a bank looks into a payment.
func (st standing) givenBack() *billing.Invoice {
	var last *billing.Invoice
	paidAt := int64(0)
	for n, i := range st.closed {
		if !i.Paid() {
			continue
		}
		paidAt = max(paidAt, i.PaidAt)
		if (i.Refunded > 0 || i.Credited > 0) && (last == nil || max(i.RefundedAt, i.PaidAt) > max(last.RefundedAt, last.PaidAt)) {
			last = &st.closed[n]
		}
	}
	if last == nil || st.underDispute() || max(last.RefundedAt, last.PaidAt) < paidAt {
		return nil
	}
	return last
}

// givenBack is the standing's, unless it lies so far back that a code must be asked for first.
func (s *Server) givenBack(v visitor, st standing) *billing.Invoice {
	i := st.givenBack()
	if i == nil || !mayRead(v) && max(i.RefundedAt, i.PaidAt) < s.Now().Add(-openReceipts).Unix() {
		return nil
	}
	return i
}

// returned reports whether all of what was paid for the named invoices was given back since.
func (st standing) returned(ids []string) bool {
	return !slices.ContainsFunc(st.closed, func(i billing.Invoice) bool { return slices.Contains(ids, i.ID) && i.Refunded < i.AmountPaid })
}

// refundedPage tells what was given back, and of which payment.
func (s *Server) refundedPage(f views.Frame, v visitor, st standing) views.RefundedPage {
	i := st.givenBack()
	p := views.RefundedPage{
		Frame: f, Receipt: s.receiptsOf(v, st, []string{i.ID})[0], Receipts: s.receiptsOf(v, st, nil), Earlier: s.hasEarlier(v, st),
		Credited: billing.Money{Minor: max(0, i.Credited-i.Refunded), Currency: i.Currency}, Renewal: s.renewalOf(v, st),
	}
	if i.RefundedAt > 0 {
		p.On = time.Unix(i.RefundedAt, 0).In(v.zone)
	}
	return p
}
