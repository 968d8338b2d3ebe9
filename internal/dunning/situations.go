package dunning

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// SituationOf gathers what a decision about the case rests on.
func (cs *Cases) SituationOf(ctx context.Context, tx *sql.Tx, c Case, now time.Time) (Situation, error) {
	customer, err := billing.FindCustomer(ctx, tx, c.CustomerID)
	if err != nil {
		return Situation{}, err
	}
	all, err := cs.situations(ctx, tx, []Case{c}, map[string]billing.Customer{customer.ID: customer}, now)
	return all[c.ID], err
}

// situations gathers what decisions about several cases rest on, by the case's id, in the same few statements however
// many there are. who are their customers.
func (cs *Cases) situations(ctx context.Context, tx *sql.Tx, cases []Case, who map[string]billing.Customer, now time.Time) (map[string]Situation, error) {
	var ids []string
	for _, c := range cases {
		ids = append(ids, c.ID)
	}
	invoices, err := invoicesOf(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	plans, err := cs.Campaigns(ctx, tx)
	if err != nil {
		return nil, err
	}
	return cs.situationsWith(ctx, tx, cases, plans, who, invoices, now)
}

// situationsWith is situations for whoever has read the campaigns and, by case, the invoices.
func (cs *Cases) situationsWith(ctx context.Context, tx *sql.Tx, cases []Case, plans campaign.Campaigns, who map[string]billing.Customer,
	invoices map[string][]billing.Invoice, now time.Time) (map[string]Situation, error) {
	var customers, methods []string
	for _, c := range cases {
		customers = append(customers, c.CustomerID)
	}
	for _, of := range invoices {
		for _, i := range of {
			if i.Open() && i.MethodID != "" {
				methods = append(methods, i.MethodID)
			}
		}
	}
	cards, err := billing.MethodsByID(ctx, tx, methods)
	if err != nil {
		return nil, err
	}
	heard, err := outbox.ContactsOf(ctx, tx, customers, cs.heardSince(now), now.Unix())
	if err != nil {
		return nil, err
	}
	choices, err := contact.ChoicesBy(ctx, tx, customers)
	if err != nil {
		return nil, err
	}
	all := make(map[string]Situation, len(cases))
	for _, c := range cases {
		all[c.ID] = cs.situation(who[c.CustomerID], c.Plan(plans), invoices[c.ID], cards, choices[c.CustomerID], heard[c.CustomerID], now)
	}
	return all, nil
}

// situation puts together what was read: of a case's plan and invoices, of its customer's methods (among others), choices
// and earlier contacts.
func (cs *Cases) situation(customer billing.Customer, plan campaign.Campaign, invoices []billing.Invoice, methods map[string]billing.Method, choices contact.Choices, heard []outbox.Contact, now time.Time) Situation {
	in := Situation{
		Plan:        plan,
		Who:         subject(customer, invoices, now),
		Zones:       contact.ZonesOf(customer, cs.fallback),
		Policy:      cs.PolicyFor(customer, choices),
		Choices:     choices,
		StripeMails: cs.stripeMails,
		ActsAlone:   cs.actsAlone,
		Now:         now,
		Invoices:    invoices,
		methods:     methods,
		heard:       heard,
	}
	in.Class = in.Who.Class
	if len(in.Who.Open) > 0 {
		method, _ := in.Method(in.Who.Open[0].MethodID)
		in.Who.Method = method.Type
	}
	in.Contacts = in.contactsBut(outbox.Notice{})
	return in
}

// subject is what a segment looks at: the customer and those of the invoices that are open. The method is left out.
func subject(customer billing.Customer, invoices []billing.Invoice, now time.Time) campaign.Subject {
	who := campaign.Subject{Customer: customer, Class: classOf(invoices), Now: now}
	for _, i := range invoices {
		if i.Open() {
			who.Open = append(who.Open, i)
		}
	}
	slices.SortStableFunc(who.Open, func(a, b billing.Invoice) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) })
	return who
}

// subjectOf is what a segment looks at, with the method the oldest invoice is charged to.
func subjectOf(ctx context.Context, tx *sql.Tx, customer billing.Customer, invoices []billing.Invoice, now time.Time) (campaign.Subject, error) {
	who := subject(customer, invoices, now)
	if len(who.Open) == 0 || who.Open[0].MethodID == "" {
		return who, nil
	}
	m, err := billing.FindMethod(ctx, tx, customer.ID, who.Open[0].MethodID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return campaign.Subject{}, err
	}
	who.Method = m.Type
	return who, nil
}

// InvoicesOf answers the invoices a case is about, in the order they joined.
func (cs *Cases) InvoicesOf(ctx context.Context, tx *sql.Tx, c Case) ([]billing.Invoice, error) {
	all, err := invoicesOf(ctx, tx, []string{c.ID})
	return all[c.ID], err
}

// invoicesOf answers InvoicesOf for several cases, by their ids. read are invoices that were read in the same transaction.
func invoicesOf(ctx context.Context, tx *sql.Tx, cases []string, read ...billing.Invoice) (map[string][]billing.Invoice, error) {
	marks, args := database.List(cases)
	rows, err := tx.QueryContext(ctx, `
		SELECT case_id, invoice_id FROM case_invoices
		WHERE left_at = 0 AND case_id IN (`+marks+`) ORDER BY joined_at, invoice_id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the invoices of cases: %w", err)
	}
	defer rows.Close()
	type member struct{ of, invoice string }
	var members []member
	var ids []string
	for rows.Next() {
		var m member
		err = rows.Scan(&m.of, &m.invoice)
		if err != nil {
			return nil, fmt.Errorf("read the invoices of cases: %w", err)
		}
		members = append(members, m)
		if !slices.ContainsFunc(read, func(i billing.Invoice) bool { return i.ID == m.invoice }) {
			ids = append(ids, m.invoice)
		}
	}
	err = rows.Err()
	if err != nil {
		return nil, fmt.Errorf("read the invoices of cases: %w", err)
	}
	invoices, err := billing.InvoicesByID(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	for _, i := range read {
		invoices[i.ID] = i
	}
	all := make(map[string][]billing.Invoice, len(cases))
	for _, m := range members {
		invoice, is := invoices[m.invoice]
		if !is {
			return nil, fault.New(fault.NotFound, "There is no invoice %s.", m.invoice)
		}
		all[m.of] = append(all[m.of], invoice)
	}
	return all, nil
}
