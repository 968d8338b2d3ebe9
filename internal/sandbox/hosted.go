package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// invoiceSheet is a hosted invoice as a person reads it, on the page and in
// the PDF. All amounts are ready to print.
type invoiceSheet struct {
	Merchant, Number, Customer string
	// State is open (can be paid here), processing, paid or closed.
	State             string
	Headline          string // the sum that matters now
	Lines             []sheetLine
	Total             string
	Paid              string // what was paid so far; "" for nothing
	AmountDue         string
	Due, DueISO       string
	PaidOn, PaidOnISO string
	Closed            string // why a closed one is closed
	Fault             string // what went wrong with the last attempt to pay
	Action, PDF       string
}

type sheetLine struct{ Description, Amount string }

// typedCard is a card as a person typed it into the hosted page, tidied.
type typedCard struct {
	Number, Month, Year, CVC string
}

// hostedInvoice finds the invoice behind an address; it answers itself when
// there is none.
func (p *browserPages) hostedInvoice(w http.ResponseWriter, r *http.Request) (pageInvoice, bool) {
	id, known := p.server.invoiceByHostedToken(r.PathValue("token"))
	if !known {
		http.NotFound(w, r)
		return pageInvoice{}, false
	}
	invoice, err := p.api.invoice(r.Context(), id)
	if err != nil {
		p.server.log.Warn("read a hosted invoice", "invoice", id, "error", err)
		http.Error(w, "The sandbox cannot show this invoice right now.", http.StatusServiceUnavailable)
		return pageInvoice{}, false
	}
	return invoice, true
}

// showInvoice is the address an invoice carries as hosted_invoice_url. It works
// without scripts, and looking at it changes nothing.
func (p *browserPages) showInvoice(w http.ResponseWriter, r *http.Request) {
	invoice, ok := p.hostedInvoice(w, r)
	if !ok {
		return
	}
	sheet := p.sheet(r, invoice)
	if sheet.State == "open" && r.URL.Query().Has("refused") {
		sheet.Fault = "Your bank did not confirm the payment, so nothing was taken. Please try again or use another card."
	}
	p.render(w, r, pagePolicy, http.StatusOK, sheet)
}

// payInvoice charges the card in the form.
func (p *browserPages) payInvoice(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	invoice, ok := p.hostedInvoice(w, r)
	if !ok {
		return
	}
	page := "/i/" + url.PathEscape(r.PathValue("token"))
	sheet := p.sheet(r, invoice)
	if sheet.State != "open" {
		http.Redirect(w, r, page, http.StatusSeeOther) // paid or closed meanwhile: the page says so
		return
	}
	card, fault := readCard(r.PostFormValue("number"), r.PostFormValue("expiry"), r.PostFormValue("cvc"))
	if fault != "" {
		sheet.Fault = fault
		p.render(w, r, pagePolicy, http.StatusUnprocessableEntity, sheet)
		return
	}
	intent, err := p.api.confirm(r.Context(), *invoice.PaymentIntent, card)
	var refusal *apiRefusal
	switch {
	case errors.As(err, &refusal):
		sheet.Fault = refusal.Message + " Nothing was taken."
		p.render(w, r, pagePolicy, http.StatusPaymentRequired, sheet)
	case err != nil:
		p.server.log.Error("pay a hosted invoice", "invoice", invoice.ID, "error", err)
		http.Error(w, "The sandbox could not take this payment.", http.StatusInternalServerError)
	case intent.Status == "requires_action":
		http.Redirect(w, r, page+"/bank", http.StatusSeeOther)
	default:
		http.Redirect(w, r, page, http.StatusSeeOther)
	}
}

// showInvoiceBank is the bank's page on the way of a payment without scripts.
func (p *browserPages) showInvoiceBank(w http.ResponseWriter, r *http.Request) {
	invoice, ok := p.hostedInvoice(w, r)
	if !ok {
		return
	}
	page := "/i/" + url.PathEscape(r.PathValue("token"))
	intent := invoice.PaymentIntent
	if intent == nil || intent.Status != "requires_action" {
		http.Redirect(w, r, page, http.StatusSeeOther)
		return
	}
	p.render(w, r, pagePolicy, http.StatusOK, bankPage{
		Merchant: p.server.merchant,
		Amount:   intentAmount(*intent),
		Intent:   intent.ID,
		Action:   page + "/bank",
	})
}

// answerInvoiceBank takes the answer given on that page.
func (p *browserPages) answerInvoiceBank(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	invoice, ok := p.hostedInvoice(w, r)
	if !ok {
		return
	}
	page := "/i/" + url.PathEscape(r.PathValue("token"))
	intent := invoice.PaymentIntent
	if intent == nil || intent.Status != "requires_action" {
		http.Redirect(w, r, page, http.StatusSeeOther)
		return
	}
	approved := r.PostFormValue("outcome") == "complete"
	err := p.server.completeAuthentication(intent.ID, intent.ClientSecret, approved)
	if err != nil {
		p.server.log.Info("an authentication could not be answered", "intent", intent.ID, "error", err)
	}
	if err != nil || !approved {
		page += "?refused=1"
	}
	http.Redirect(w, r, page, http.StatusSeeOther)
}

// downloadInvoice is the address an invoice carries as invoice_pdf.
func (p *browserPages) downloadInvoice(w http.ResponseWriter, r *http.Request) {
	invoice, ok := p.hostedInvoice(w, r)
	if !ok {
		return
	}
	name := "invoice-" + strings.Map(func(sign rune) rune {
		if sign == '-' || sign >= '0' && sign <= '9' || sign >= 'A' && sign <= 'Z' || sign >= 'a' && sign <= 'z' {
			return sign
		}
		return '-'
	}, invoice.Number) + ".pdf"
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	_, err := w.Write(invoicePDF(p.sheet(r, invoice)))
	if err != nil {
		p.server.log.Debug("a reader of an invoice went away", "error", err)
	}
}

// sheet words an invoice for people.
func (p *browserPages) sheet(r *http.Request, invoice pageInvoice) invoiceSheet {
	address := "/i/" + url.PathEscape(r.PathValue("token"))
	sheet := invoiceSheet{
		Merchant:  p.server.merchant,
		Number:    invoice.Number,
		Customer:  invoice.CustomerName,
		Total:     pageAmount(invoice.Total, invoice.Currency),
		AmountDue: pageAmount(invoice.AmountRemaining, invoice.Currency),
		Action:    address,
		PDF:       address + "/pdf",
	}
	if sheet.Customer == "" {
		sheet.Customer = invoice.CustomerEmail
	}
	if invoice.AmountPaid > 0 {
		sheet.Paid = pageAmount(invoice.AmountPaid, invoice.Currency)
	}
	for _, line := range invoice.Lines.Data {
		sheet.Lines = append(sheet.Lines, sheetLine{line.Description, pageAmount(line.Amount, line.Currency)})
	}
	sheet.Due, sheet.DueISO = pageDay(invoice.DueDate)
	sheet.PaidOn, sheet.PaidOnISO = pageDay(invoice.StatusTransition.PaidAt)
	sheet.Headline = sheet.AmountDue
	switch {
	case invoice.Status == "paid":
		sheet.State, sheet.Headline = "paid", sheet.Total
	case invoice.Status == "void":
		sheet.State, sheet.Headline, sheet.Closed = "closed", sheet.Total, "This invoice was cancelled. There is nothing to pay."
	case invoice.PaymentIntent == nil:
		sheet.State, sheet.Closed = "closed", "This invoice cannot be paid here."
	case invoice.PaymentIntent.Status == "processing":
		sheet.State = "processing"
	default:
		sheet.State = "open"
	}
	return sheet
}

// readCard tidies a typed card. fault tells the person who typed it what is
// missing, and is "" when nothing is.
func readCard(number, expiry, cvc string) (card typedCard, fault string) {
	card = typedCard{Number: onlyDigits(number), CVC: onlyDigits(cvc)}
	if len(card.Number) < 12 {
		return typedCard{}, "Your card number is incomplete."
	}
	month, year, split := strings.Cut(expiry, "/")
	month, year = onlyDigits(month), onlyDigits(year)
	if !split && len(month) > 2 {
		month, year = month[:2], month[2:]
	}
	if month == "" || len(month) > 2 || (len(year) != 2 && len(year) != 4) {
		return typedCard{}, "Your card's expiration date is incomplete."
	}
	if len(year) == 2 {
		year = "20" + year
	}
	card.Month, card.Year = month, year
	if len(card.CVC) < 3 {
		return typedCard{}, "Your card's security code is incomplete."
	}
	return card, ""
}

func onlyDigits(text string) string {
	return strings.Map(func(sign rune) rune {
		if sign < '0' || sign > '9' {
			return -1
		}
		return sign
	}, text)
}

// pageDay writes the day of an instant for people and for machines, both ""
// for 0, Stripe's null.
func pageDay(unix int64) (human, machine string) {
	if unix == 0 {
		return "", ""
	}
	day := time.Unix(unix, 0).UTC()
	return day.Format("January 2, 2006"), day.Format(time.DateOnly)
}

// pageAmount writes an amount in the currency's smallest unit, such as
// "€29.00", "¥500" or "CHF 29.00".
func pageAmount(amount int64, currency string) string {
	sign := ""
	if amount < 0 {
		sign, amount = "-", -amount
	}
	decimals := 2
	switch currency {
	// https://docs.stripe.com/currencies: zero-decimal and three-decimal currencies.
	case "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf":
		decimals = 0
	case "bhd", "jod", "kwd", "omr", "tnd":
		decimals = 3
	}
	number := fmt.Sprintf("%0*d", decimals+1, amount)
	whole, part := number[:len(number)-decimals], number[len(number)-decimals:]
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if part != "" {
		whole += "." + part
	}
	symbols := map[string]string{"eur": "€", "usd": "$", "gbp": "£", "jpy": "¥"}
	symbol, known := symbols[currency]
	if !known {
		symbol = strings.ToUpper(currency) + "\u00a0"
	}
	return sign + symbol + whole
}
