package interest

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
)

// CustomerType is the metadata of a customer at Stripe that says whether they are a business. Where it is missing, the
// one by which the shipped campaign for business cards knows them says so too; nothing else does.
const (
	CustomerType = "sollecito_customer_type"
	customerKind = "sollecito_customer"
)

// usualTerm is when an invoice that names no due date is late: 30 days after it was made, as Directive 2011/7/EU,
// art. 3 (3) b, and the United Kingdom's Act, section 4, have it where nothing was agreed. Never earlier than is lawful.
const usualTerm = 30

// Propose works out late interest for an overdue invoice of a customer up to the day of now, whose zone is the
// merchant's. What was paid of it already bears none. Errors are fault.Invalid with a sentence for staff: besides
// those of Claim, a customer who is not known to be a business, and an invoice that is paid, disputed or being paid.
func (all Rates) Propose(c billing.Customer, i billing.Invoice, now time.Time) (Claim, error) {
	err := ofBusiness(c)
	switch {
	case err != nil:
		return Claim{}, err
	case i.CustomerID != c.ID || !i.Overdue(now.Unix()):
		return Claim{}, fault.New(fault.Invalid, "This invoice is not overdue.")
	case i.Disputed:
		return Claim{}, fault.New(fault.Invalid, "Its payment is disputed; nothing more is asked for until that has ended.")
	case i.Processing():
		return Claim{}, fault.New(fault.Invalid, "A bank is working on its payment.")
	}
	return all.Claim(c.Country, Debt{
		Name: cmp.Or(i.Number, i.ID), Minor: i.AmountRemaining, Currency: i.Currency, Due: dueOf(i, now.Location()), Until: now,
	})
}

// ofBusiness refuses whoever is not known to be a business, and says why.
func ofBusiness(c billing.Customer) error {
	name := CustomerType
	if strings.TrimSpace(c.Metadata[name]) == "" && strings.TrimSpace(c.Metadata[customerKind]) != "" {
		name = customerKind
	}
	switch kind := strings.ToLower(strings.TrimSpace(c.Metadata[name])); kind {
	case "business":
		return nil
	case "":
		return fault.New(fault.Invalid, "Nothing says that they are a business, so they count as a consumer. Where they are one, write %s=business into the customer's metadata at Stripe.", CustomerType)
	default:
		return fault.New(fault.Invalid, "Their metadata at Stripe says %s=%s. Late interest is asked of businesses only.", name, kind)
	}
}

func dueOf(i billing.Invoice, zone *time.Location) time.Time {
	if i.DueAt > 0 {
		return time.Unix(i.DueAt, 0).In(zone)
	}
	return time.Unix(i.CreatedAt, 0).In(zone).AddDate(0, 0, usualTerm)
}

// Shown names what a claim says in one word, so that only what was shown is confirmed.
func (c Claim) Shown() string {
	return fmt.Sprintf("%s_%s_%d_%d_%d%s", c.Country.Code, c.Until.Format(time.DateOnly), c.Minor, c.Interest, c.Fixed.Minor, c.Fixed.Currency)
}

// Breakdown is the claim line by line: what is owed, since when, each stretch with its formula, the fixed sum, and on
// which law and figures it rests. money writes an amount.
func (c Claim) Breakdown(money func(minor int64, currency string) string) []string {
	const layout = "2 January 2006"
	all := []string{
		fmt.Sprintf("Open: %s, due %s, counted to %s. An invoice without a due date counts as due %d days after it was made.", money(c.Minor, c.Currency), c.Due.Format(layout), c.Until.Format(layout), usualTerm),
	}
	all = append(all, c.Formulas(money)...)
	all = append(all, "Interest: "+money(c.Interest, c.Currency)+".")
	if c.Fixed.Minor > 0 {
		all = append(all, "Fixed sum for the costs of asking: "+money(c.Fixed.Minor, c.Fixed.Currency)+", once for the invoice.")
	}
	if c.Fixed.Minor > 0 && c.Fixed.Currency == c.Currency {
		all = append(all, "Together: "+money(c.Interest+c.Fixed.Minor, c.Currency)+".")
	}
	return append(all,
		"Law: "+c.Country.Name+", "+c.Country.Law+".",
		"Rates: "+c.Country.Source+"; as of "+c.Country.AsOf+".",
		"Check the rates at their source, and whether this law holds for your contract, before you ask for it. This is no legal advice.")
}

// addressee begins the line of a document that names the customer.
const addressee = "To: "

// Document is the breakdown as plain text, to be put with an invoice.
func (c Claim) Document(merchant, customer string, money func(minor int64, currency string) string) string {
	lines := []string{"Late interest on invoice " + c.Name, "", "From: " + merchant, addressee + customer, ""}
	return strings.Join(append(lines, c.Breakdown(money)...), "\n") + "\n"
}
