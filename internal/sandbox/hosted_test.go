package sandbox_test

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stripe/stripe-go/v76"

	"sollecito/internal/browsertest"
)

// openInvoice makes a finalized invoice of €1,029.00 that nothing has paid yet.
func (s *shop) openInvoice(t *testing.T) *stripe.Invoice {
	t.Helper()
	customer, err := s.api.Customers.New(&stripe.CustomerParams{
		Email: stripe.String("ada@example.org"), Name: stripe.String("Ada (<b>Lovelace</b>)"),
	})
	must(t, err)
	draft, err := s.api.Invoices.New(&stripe.InvoiceParams{
		Customer: stripe.String(customer.ID), CollectionMethod: stripe.String("send_invoice"), DaysUntilDue: stripe.Int64(7),
	})
	must(t, err)
	_, err = s.api.InvoiceItems.New(&stripe.InvoiceItemParams{
		Customer: stripe.String(customer.ID), Invoice: stripe.String(draft.ID), Amount: stripe.Int64(102900),
		Currency: stripe.String("eur"), Description: stripe.String("Studio plan, März (2 × 3)"),
	})
	must(t, err)
	invoice, err := s.api.Invoices.FinalizeInvoice(draft.ID, nil)
	must(t, err)
	return invoice
}

// visit answers with the page's status and text; it follows redirects.
func visit(t *testing.T, address string, form url.Values) (int, string) {
	t.Helper()
	var response *http.Response
	var err error
	if form == nil {
		response, err = http.Get(address)
	} else {
		response, err = http.PostForm(address, form)
	}
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(body)
}

func typed(number string) url.Values {
	return url.Values{"number": {number}, "expiry": {"12 / 34"}, "cvc": {"123"}}
}

// TestHostedInvoice pays with no script at all.
func TestHostedInvoice(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for _, story := range []struct {
		name, number, bank, says string
		paid                     bool
	}{
		{"a good card", "4242424242424242", "", "Thank you", true},
		{"a declined card", "4000000000000002", "", "Your card was declined. Nothing was taken.", false},
		{"no card at all", "42", "", "Your card number is incomplete.", false},
		{"the bank agrees", "4000002760003184", "complete", "Thank you", true},
		{"the bank refuses", "4000002760003184", "fail", "Your bank did not confirm the payment", false},
	} {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			invoice := s.openInvoice(t)
			status, page := visit(t, invoice.HostedInvoiceURL, nil)
			if status != http.StatusOK || !strings.Contains(page, "€1,029.00") || !strings.Contains(page, invoice.Number) ||
				!strings.Contains(page, "Studio plan, März (2 × 3)") || strings.Contains(page, "<b>") {
				t.Fatalf("%d %s", status, page)
			}
			_, page = visit(t, invoice.HostedInvoiceURL, typed(story.number))
			if story.bank != "" {
				if !strings.Contains(page, "Complete authentication") {
					t.Fatalf("the bank did not ask: %s", page)
				}
				_, page = visit(t, invoice.HostedInvoiceURL+"/bank", url.Values{"outcome": {story.bank}})
			}
			if !strings.Contains(page, story.says) {
				t.Errorf("the page does not say %q: %s", story.says, page)
			}
			stored, err := s.api.Invoices.Get(invoice.ID, nil)
			must(t, err)
			if (stored.Status == stripe.InvoiceStatusPaid) != story.paid {
				t.Errorf("the invoice is %s", stored.Status)
			}
			if story.paid {
				_, page = visit(t, invoice.HostedInvoiceURL, typed(story.number)) // a second press
				if !strings.Contains(page, "Paid on") || strings.Contains(page, "<form") {
					t.Errorf("a paid invoice shows %s", page)
				}
			}
		})
	}
}

// TestHostedCard leaves a new card with no script, on the pages that Stripe
// calls billing portal and Checkout.
func TestHostedCard(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	customer, err := s.api.Customers.New(&stripe.CustomerParams{Email: stripe.String("ada@example.org")})
	must(t, err)

	portal, err := s.api.BillingPortalSessions.New(&stripe.BillingPortalSessionParams{
		Customer: stripe.String(customer.ID), ReturnURL: stripe.String(s.page + "/done"),
		FlowData: &stripe.BillingPortalSessionFlowDataParams{Type: stripe.String("payment_method_update"),
			AfterCompletion: &stripe.BillingPortalSessionFlowDataAfterCompletionParams{
				Type:     stripe.String("redirect"),
				Redirect: &stripe.BillingPortalSessionFlowDataAfterCompletionRedirectParams{ReturnURL: stripe.String(s.page + "/done")},
			}},
	})
	must(t, err)
	_, page := visit(t, portal.URL, nil)
	if !strings.Contains(page, "Save card") {
		t.Fatalf("the portal shows %s", page)
	}
	_, page = visit(t, portal.URL, typed("4000000000000002"))
	if !strings.Contains(page, "Your card was declined.") {
		t.Errorf("a declined card shows %s", page)
	}
	_, page = visit(t, portal.URL, typed("4242424242424242"))
	if !strings.Contains(page, `id="done"`) {
		t.Errorf("a saved card leads to %s", page)
	}
	customer, err = s.api.Customers.Get(customer.ID, nil)
	must(t, err)
	if customer.InvoiceSettings.DefaultPaymentMethod == nil {
		t.Error("the portal did not make the card the default")
	}

	checkout, err := s.api.CheckoutSessions.New(&stripe.CheckoutSessionParams{
		Mode: stripe.String("setup"), Customer: stripe.String(customer.ID), PaymentMethodTypes: stripe.StringSlice([]string{"card"}),
		SuccessURL: stripe.String(s.page + "/done?session={CHECKOUT_SESSION_ID}"), CancelURL: stripe.String(s.page + "/"),
	})
	must(t, err)
	_, page = visit(t, checkout.URL, typed("4000002500003155"))
	bank := regexp.MustCompile(`action="([^"]+)"`).FindStringSubmatch(page)
	if bank == nil || !strings.Contains(page, "Complete authentication") {
		t.Fatalf("the bank did not ask: %s", page)
	}
	_, page = visit(t, s.home+html.UnescapeString(bank[1]), url.Values{"outcome": {"complete"}})
	if !strings.Contains(page, `id="done"`) {
		t.Errorf("a saved card leads to %s", page)
	}
	checkout, err = s.api.CheckoutSessions.Get(checkout.ID, nil)
	must(t, err)
	if checkout.Status != stripe.CheckoutSessionStatusComplete {
		t.Errorf("the session is %s", checkout.Status)
	}
}

func TestHostedInvoicePDF(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	invoice := s.openInvoice(t)
	response, err := http.Get(invoice.InvoicePDF)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	if response.Header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(body, []byte("%PDF-1.4\n")) {
		t.Fatalf("%s: %q", response.Header.Get("Content-Type"), body[:20])
	}
	for _, wanted := range []string{invoice.Number, `Studio plan, M` + "\xe4" + `rz \(2 ` + "\xd7" + ` 3\)`, "\x801,029.00"} {
		if !bytes.Contains(body, []byte(wanted)) {
			t.Errorf("the PDF lacks %q", wanted)
		}
	}
	start := regexp.MustCompile(`startxref\n(\d+)\n%%EOF\n$`).FindSubmatch(body)
	if start == nil {
		t.Fatal("no startxref")
	}
	at, err := strconv.Atoi(string(start[1]))
	must(t, err)
	for number, entry := range regexp.MustCompile(`(\d{10}) 00000 n `).FindAllSubmatch(body[at:], -1) {
		offset, err := strconv.Atoi(strings.TrimLeft(string(entry[1]), "0"))
		must(t, err)
		if !bytes.HasPrefix(body[offset:], fmt.Appendf(nil, "%d 0 obj\n", number+1)) {
			t.Errorf("the table misplaces object %d", number+1)
		}
	}
}

func TestHostedPageStrangers(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	intent := s.payment(t)
	for _, address := range []string{"/i/nothing", "/i/nothing/pdf", "/i/nothing/bank", "/inbox.json", "/v3/3ds/pi_none?client_secret=x",
		"/v3/3ds/" + intent.ID + "?client_secret=wrong", "/v3/elsewhere"} {
		status, _ := visit(t, s.home+address, nil)
		if status != http.StatusNotFound {
			t.Errorf("%s answers %d", address, status)
		}
	}
	status, _ := visit(t, s.home+"/v3/3ds/"+intent.ID+"/complete", url.Values{"client_secret": {"wrong"}, "outcome": {"complete"}})
	if status != http.StatusConflict {
		t.Errorf("a stranger's answer to the bank got %d", status)
	}
}

// TestHostedInvoiceLooks keeps pictures for eyes, and sees that the page keeps
// to its own policy and width.
func TestHostedInvoiceLooks(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	ctx := browsertest.Start(t)
	complaints, err := browsertest.Complaints(ctx)
	must(t, err)
	invoice := s.openInvoice(t)
	must(t, chromedp.Do(ctx, chromedp.EmulateViewport(360, 800), chromedp.Navigate(invoice.HostedInvoiceURL)))
	picture(ctx, t, "invoice")
	width, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth`))
	must(t, err)
	if width > 360 {
		t.Errorf("the page is %d px wide on a phone of 360", width)
	}
	must(t, chromedp.Do(ctx,
		chromedp.SendKeys(chromedp.CSS("#number"), "4242424242424242"), chromedp.SendKeys(chromedp.CSS("#expiry"), "12/34"),
		chromedp.SendKeys(chromedp.CSS("#cvc"), "123"), chromedp.Click(chromedp.CSS("form button")),
		chromedp.WaitVisible(chromedp.CSS(".good"))))
	picture(ctx, t, "invoice-paid")
	if len(complaints()) > 0 {
		t.Errorf("the browser complained: %q", complaints())
	}
}
