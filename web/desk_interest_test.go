package web

import (
	"database/sql"
	"strings"
	"testing"

	"sollecito/internal/billing"
	"sollecito/internal/interest"
	"sollecito/internal/staff"
)

// ratesOf2026 are the shipped rates with a merchant's own for 2026.
func ratesOf2026(t *testing.T) interest.Rates {
	t.Helper()
	rates, err := interest.Shipped().With([]byte(`countries:
  - code: IT
    source: "Gazzetta Ufficiale"
    as_of: "2026-07-01"
    rates: {"2026-01-01": "10.15", "2026-07-01": "8.00"}
`))
	must(t, err)
	return rates
}

// owesInterest makes a business whose invoice, made 64 days ago, is 34 days late.
func (h *house) owesInterest(id, country string, metadata ...string) {
	h.t.Helper()
	c := billing.Customer{ID: id, Name: "Studio Waal", Email: id + "@example.com", Country: country, Metadata: map[string]string{interest.CustomerType: "business"}}
	if len(metadata) > 0 {
		c.Metadata[interest.CustomerType] = metadata[0]
	}
	i := h.invoice(id, "insufficient_funds")
	i.CreatedAt = h.clock().AddDate(0, 0, -63).Unix()
	h.hear(c, i)
}

// keepsInterest confirms late interest on a customer's invoice, and answers its id.
func (h *house) keepsInterest(id string) string {
	h.t.Helper()
	var kept interest.Kept
	h.do(func(tx *sql.Tx) error {
		var err error
		kept, err = interest.Keep(h.t.Context(), tx, interest.Kept{
			CustomerID: id, InvoiceID: "in_" + id, Country: "IT", Currency: "eur", Interest: 21, Fixed: 4000, FixedCurrency: "eur",
			Document: "Late interest", ConfirmedBy: "Ines", ConfirmedAt: h.clock().Unix(),
		})
		return err
	})
	return kept.ID
}

// shownInterest is what the proposal for a customer's invoice says now, as its form sends it.
func (h *house) shownInterest(id string) string {
	h.t.Helper()
	var claim interest.Claim
	h.do(func(tx *sql.Tx) error {
		c, err := billing.FindCustomer(h.t.Context(), tx, id)
		if err != nil {
			return err
		}
		i, err := billing.FindInvoice(h.t.Context(), tx, "in_"+id)
		if err != nil {
			return err
		}
		claim, err = h.server.Interest.Propose(c, i, h.clock().In(h.server.Zone))
		return err
	})
	return claim.Shown()
}

// A manager sees the breakdown, confirms what was shown once, downloads it and takes it back; it stays as it was.
func TestLateInterestIsConfirmedByAManager(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Interest = ratesOf2026(t) })
	h.owesInterest("cus_late", "IT")
	h.colleague("agent@lumen.example", staff.Agent)
	h.colleague("manager@lumen.example", staff.Manager)
	if got := h.member(staff.Agent).page("/admin/customers/cus_late"); strings.Contains(got.Text(), "Late interest") {
		t.Error("an agent sees it")
	}
	b := h.member(staff.Manager)
	page := "/admin/customers/cus_late"
	got := words(b.page(page).Find("section[aria-labelledby=interest]"))
	for _, want := range []string{
		"Open: €29.00, due 30 September 2026, counted to 2 November 2026.", "1 October 2026 to 2 November 2026: €29.00 × 8.00 % × 33 days / 365 = €0.21",
		"Fixed sum for the costs of asking: €40.00", "Together: €40.21", "D.Lgs. 231/2002", "Gazzetta Ufficiale; as of 2026-07-01", "Check the rates at their source",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the proposal lacks %q:\n%s", want, got)
		}
	}
	q := b.page(page + "?act=interest&invoice=in_cus_late").Find("#question")
	shown := q.Find("[name=shown]").AttrOr("value", "")
	if !strings.Contains(words(q), "Nothing is added at Stripe") || shown == "" {
		t.Errorf("the question: %s", words(q))
	}
	confirm := page + "/interest"
	if a := b.post(confirm, "invoice", "in_cus_late", "shown", "IT_2026-11-01_2900_20_4000eur"); a.StatusCode != 409 {
		t.Errorf("another sum than was shown is confirmed: %d", a.StatusCode)
	}
	confirmed := b.post(confirm, "invoice", "in_cus_late", "shown", shown).leadsTo(t, page+"?done=interest")
	if a := b.post(confirm, "invoice", "in_cus_late", "shown", shown); a.StatusCode != 409 {
		t.Errorf("a second press: %d", a.StatusCode)
	}
	d := b.page(page)
	paper := d.Find("a[href^='/admin/interest/']").AttrOr("href", "")
	if !strings.Contains(d.Text(), "Late interest confirmed by") || !strings.Contains(d.Text(), "€0.21 interest and €40.00 fixed on invoice LS-cus_late") {
		t.Errorf("the page: %s", words(d.Find("main")))
	}
	a := b.get(paper)
	if a.Header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.HasPrefix(a.body, "Late interest on invoice LS-cus_late\n") || !strings.Contains(a.body, "To: Studio Waal\n") || !strings.Contains(a.body, "= €0.21\n") {
		t.Errorf("the paper: %v\n%s", a.Header, a.body)
	}
	if a := b.post(paper + "/withdraw"); a.StatusCode != 422 {
		t.Errorf("withdrawn without a reason: %d", a.StatusCode)
	}
	withdrawn := b.post(paper+"/withdraw", "reason", "They paid by transfer").leadsTo(t, page+"?done=interest_withdrawn")
	flashes := func(address string) int { return b.page(address).Find(".flash[role=status]").Length() }
	if flashes(confirmed) != 0 || flashes(withdrawn) != 1 {
		t.Errorf("withdrawn, it is told %d times that it is confirmed and %d times that it is withdrawn", flashes(confirmed), flashes(withdrawn))
	}
	if a := b.post(paper+"/withdraw", "reason", "Again"); a.StatusCode != 409 {
		t.Errorf("withdrawn twice: %d", a.StatusCode)
	}
	d = b.page(page)
	if !strings.Contains(d.Text(), "They paid by transfer") || !strings.HasPrefix(b.get(paper).body, "WITHDRAWN on 2 November 2026") {
		t.Errorf("after it was withdrawn: %s", words(d.Find("main")))
	}
	b.post(confirm, "invoice", "in_cus_late", "shown", shown).leadsTo(t, page+"?done=interest")
	if flashes(withdrawn) != 0 {
		t.Error("confirmed anew, it is told to be withdrawn")
	}
}

// Who is not known to be a business, and what there is no rate for, is refused with the reason; switched off, nothing shows.
func TestLateInterestIsRefused(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Interest = ratesOf2026(t) })
	h.owesInterest("cus_unknown", "IT", "")
	h.owesInterest("cus_person", "IT", "consumer")
	h.owesInterest("cus_german", "DE")
	h.owesInterest("cus_dutch", "NL")
	h.colleague("manager@lumen.example", staff.Manager)
	b := h.member(staff.Manager)
	for id, says := range map[string]string{
		"cus_unknown": "Nothing says that they are a business", "cus_person": "sollecito_customer_type=consumer",
		"cus_german": "Germany for the half-year from 1 July 2026 is not known here", "cus_dutch": "There is no rate for NL",
	} {
		if got := words(b.page("/admin/customers/" + id).Find("section[aria-labelledby=interest]")); !strings.Contains(got, says) || strings.Contains(got, "Confirm this") {
			t.Errorf("%s: %s", id, got)
		}
		a := b.post("/admin/customers/"+id+"/interest", "invoice", "in_"+id, "shown", "x")
		if a.StatusCode != 409 {
			t.Errorf("%s is confirmed: %d", id, a.StatusCode)
		}
	}
	h.owesInterest("cus_late", "IT")
	if a := b.post("/admin/customers/cus_german/interest", "invoice", "in_cus_late", "shown", "x"); a.StatusCode != 409 {
		t.Errorf("another customer's invoice: %d", a.StatusCode)
	}

	off := newHouse(t)
	off.owesInterest("cus_late", "IT")
	off.colleague("manager@lumen.example", staff.Manager)
	b = off.member(staff.Manager)
	if b.page("/admin/customers/cus_late").Find("section[aria-labelledby=interest]").Length() != 0 || b.post("/admin/customers/cus_late/interest").StatusCode != 409 {
		t.Error("it is there although it is switched off")
	}
}

// Several invoices that are refused for one reason are refused once, by all their names.
func TestLateInterestIsRefusedOnceForSeveralInvoices(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Interest = ratesOf2026(t) })
	c := billing.Customer{ID: "cus_person", Name: "Ada", Email: "ada@example.com", Country: "IT"}
	first, second := h.invoice("cus_person", "insufficient_funds"), h.invoice("cus_person", "insufficient_funds")
	first.Number, second.ID, second.Number = "LUMEN-1", "in_second", "LUMEN-2"
	first.CreatedAt, second.CreatedAt = h.clock().AddDate(0, 0, -63).Unix(), h.clock().AddDate(0, 0, -33).Unix()
	h.hear(c, first, second)
	h.colleague("manager@lumen.example", staff.Manager)
	got := words(h.member(staff.Manager).page("/admin/customers/cus_person").Find("section[aria-labelledby=interest]"))
	if strings.Count(got, "Nothing says that they are a business") != 1 || !strings.Contains(got, "Invoices LUMEN-1") || !strings.Contains(got, "LUMEN-2") {
		t.Error(got)
	}
}
