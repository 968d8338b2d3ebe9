package portal_test

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/dunning"
	"sollecito/internal/link"
)

// situation is one billing situation as Stripe plays it: what happens there, step by step, with time between, and how
// the portal stands in the end. It is a value, so that the same story serves the plain telling and the one in which
// events come late, twice or never.
type situation struct {
	name   string
	acts   []act
	status string // of the latest case in the end, "" for none
	pauses string // active in the end
}

// act is one thing that happens at Stripe, after a wait, and what is to be seen of it at the portal.
type act struct {
	after time.Duration
	does  func(*scene)
	seen  func(*scene) // asked only where every event has come; may be nil
}

// scene is a situation under way.
type scene struct {
	*house
	customer, email, invoice string
	language                 string // of their links; "" is English
	extra                    map[string]string
}

const day = 24 * time.Hour

func (s *scene) control(path string, form url.Values) map[string]any {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.api.URL+"/sandbox/"+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	req.SetBasicAuth(s.stripe.SecretKey(), "")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		s.t.Fatalf("%s: %d %s %v", path, resp.StatusCode, body, err)
	}
	var object map[string]any
	err = json.Unmarshal(body, &object)
	if err != nil {
		s.t.Fatal(err)
	}
	return object
}

// fails makes the renewal fail with the card on file.
func fails(code string) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		invoice, err := s.stripe.FailRenewal(s.customer, code)
		if err != nil {
			s.t.Fatal(err)
		}
		s.invoice = invoice
	}
}

// order calls the stand-in's API; {invoice} in the path is the scene's.
func order(path string, pairs ...string) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		form := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], strings.NewReplacer("{invoice}", s.invoice, "{customer}", s.customer).Replace(pairs[i+1]))
		}
		s.ask(strings.NewReplacer("{invoice}", s.invoice, "{customer}", s.customer).Replace(path), form)
	}
}

// debits pays the open invoice from a published bank account, which takes days.
func debits(account string) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		m := s.ask("payment_methods/"+account+"/attach", url.Values{"customer": {s.customer}})["id"].(string)
		s.ask("invoices/"+s.invoice+"/pay", url.Values{"payment_method": {m}})
	}
}

// remove sends a DELETE.
func (s *scene) remove(path string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodDelete, s.api.URL+"/v1/"+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.SetBasicAuth(s.stripe.SecretKey(), "")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		s.t.Fatalf("delete %s: %d", path, resp.StatusCode)
	}
}

func (s *scene) subscription() string {
	s.t.Helper()
	return s.ask("subscriptions?status=all&customer="+s.customer, nil)["data"].([]any)[0].(map[string]any)["id"].(string)
}

// disputes opens a dispute of the customer's earliest paid charge.
func disputes(reason string) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		for _, c := range s.ask("charges?limit=100&customer="+s.customer, nil)["data"].([]any) {
			charge := c.(map[string]any)
			if charge["status"] == "succeeded" && charge["disputed"] == false {
				s.extra["dispute"] = s.control("disputes", url.Values{"charge": {charge["id"].(string)}, "reason": {reason}})["id"].(string)
				return
			}
		}
		s.t.Fatal("nothing was paid that could be disputed")
	}
}

func decides(evidence string) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		s.ask("disputes/"+s.extra["dispute"], url.Values{"evidence[uncategorized_text]": {evidence}})
	}
}

// oneOff bills something beside the renewal to a card that declines.
func oneOff(currency, amount, what string) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		m := s.ask("payment_methods/pm_card_chargeCustomerFail/attach", url.Values{"customer": {s.customer}})["id"].(string)
		invoice := s.ask("invoices", url.Values{
			"customer": {s.customer}, "currency": {currency}, "auto_advance": {"true"}, "default_payment_method": {m}, "pending_invoice_items_behavior": {"exclude"},
		})["id"].(string)
		s.ask("invoiceitems", url.Values{"customer": {s.customer}, "invoice": {invoice}, "currency": {currency}, "amount": {amount}, "description": {what}})
		s.extra[currency] = invoice
	}
}

// stands checks the latest case, its pauses and the access.
func stands(status, pauses string) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		gotStatus, gotPauses, access := s.standing()
		if gotStatus != status || gotPauses != pauses || access != campaign.Full {
			s.t.Errorf("the case is %q, paused for %q, access %s; want %q and %q", gotStatus, gotPauses, access, status, pauses)
		}
	}
}

func (s *scene) standing() (status, pauses string, access campaign.Access) {
	s.t.Helper()
	err := s.portal.DB.See(s.t.Context(), func(tx *sql.Tx) error {
		var err error
		access, err = s.portal.Cases.AccessOf(s.t.Context(), tx, s.customer)
		if err != nil {
			return err
		}
		all, err := s.portal.Cases.OfCustomer(s.t.Context(), tx, s.customer)
		if err != nil || len(all) == 0 {
			return err
		}
		latest, err := s.portal.Cases.LatestOf(s.t.Context(), tx, s.customer)
		if err != nil {
			return err
		}
		status = string(latest.Status)
		active, err := s.portal.Cases.ActivePauses(s.t.Context(), tx, latest.ID)
		var names []string
		for _, p := range active {
			names = append(names, string(p.Reason))
		}
		slices.Sort(names)
		pauses = strings.Join(names, ",")
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return status, pauses, access
}

// page opens the customer's page with a link of their own and checks what it says and does not say ("!words").
func page(says ...string) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		b := s.visit()
		text := b.text("h1") + " " + b.text("main")
		for _, words := range says {
			unsaid, not := strings.CutPrefix(words, "!")
			if not && strings.Contains(text, unsaid) {
				s.t.Errorf("the page says %q: %s", unsaid, text)
			}
			if !not && !strings.Contains(text, words) {
				s.t.Errorf("the page does not say %q: %s", words, text)
			}
		}
	}
}

// token makes a link as a mail would carry it.
func (s *scene) token() string {
	s.t.Helper()
	token := ""
	err := s.portal.DB.Do(s.t.Context(), func(tx *sql.Tx) error {
		var err error
		token, err = link.Issue(s.t.Context(), tx, link.Link{CustomerID: s.customer, Language: cmp.Or(s.language, "en"), IssuedAt: s.clock.now().Unix()})
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// visit opens the page by a fresh link, asked for at the address on file.
func (s *scene) visit() *browser {
	s.t.Helper()
	b := s.browser()
	b.get("/l/" + s.token())
	return b.at("/pay", http.StatusOK)
}

func mails(n int) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		got := s.mailsTo(s.email)
		if len(got) != n {
			var subjects []string
			for _, m := range got {
				subjects = append(subjects, m.Subject)
			}
			s.t.Errorf("%d mails %q, want %d", len(got), subjects, n)
		}
	}
}

func all(checks ...func(*scene)) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		for _, check := range checks {
			check(s)
		}
	}
}

var noPay = page("!Pay €", "!Add a card")

// situations are the billing situations of docs/billing-situations.md, in its order.
func situations() []situation {
	return []situation{
		{
			name: "bank debit on its way, then paid", status: "recovered",
			acts: []act{
				{does: fails("insufficient_funds"), seen: stands("open", "")},
				{after: time.Hour, does: debits("pm_success_de"), seen: all(stands("open", "processing"), page("under way"), noPay)},
				{after: 4 * day, seen: all(stands("open", "processing"), mails(0))},
				{after: 2 * day, seen: all(stands("recovered", ""), page("Nothing is open"))},
			},
		},
		{
			name: "bank debit on its way, then refused", status: "open",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: debits("pm_failed_de"), seen: stands("open", "processing")},
				{after: 4 * day, seen: mails(0)},
				{after: 36 * time.Hour, seen: all(stands("open", ""), page("Pay €29.00", "Nothing has been taken"))},
				{after: 2 * day, seen: mails(1)},
			},
		},
		{
			name: "bank debit the customer took back", status: "recovered",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: debits("pm_disputed_de")},
				{after: 6 * day, seen: all(stands("recovered", ""), story("The bank took the payment of invoice"), noPay)},
				{after: 2 * day, seen: mails(0)},
			},
		},
		{
			name: "dispute won", status: "open",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: disputes("fraudulent"), seen: all(stands("open", "dispute"), page("looking into another payment", "Pay €29.00"))},
				{after: 4 * day, seen: mails(0)},
				{does: decides("winning_evidence"), seen: stands("open", "")},
				{after: 4 * day, seen: mails(1)}, // the four days it rested don't count, and then comes a weekend
			},
		},
		{
			name: "dispute lost", status: "open", pauses: "dispute",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: disputes("fraudulent")},
				{after: day, does: decides("losing_evidence"), seen: all(stands("open", "dispute"), page("gave you a payment back"))},
				{after: 6 * day, seen: mails(0)},
			},
		},
		{
			name: "dispute of what the case was about, after it closed", status: "recovered",
			acts: []act{
				{does: fails("expired_card"), seen: mails(1)},
				{after: time.Hour, does: func(s *scene) { s.pay(false) }, seen: all(stands("recovered", ""), mails(2))},
				{after: day, does: disputes("fraudulent"), seen: all(stands("recovered", ""), story("disputes the payment of invoice"), page("asked your bank to look into"), noPay)},
				{after: 6 * day, seen: mails(2)},
			},
		},
		{
			name: "voided", status: "canceled",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: order("invoices/{invoice}/void"), seen: all(stands("canceled", ""), page("Nothing is open"), noPay)},
				{after: 6 * day, seen: mails(0)},
			},
		},
		{
			name: "written off", status: "canceled",
			acts: []act{
				{does: fails("expired_card"), seen: mails(1)},
				{after: time.Hour, does: order("invoices/{invoice}/mark_uncollectible"), seen: all(stands("canceled", ""), page("no longer ask", "Pay €29.00"))},
				{after: 6 * day, seen: mails(1)},
			},
		},
		{
			name: "written off, then paid all the same", status: "recovered",
			acts: []act{
				{does: fails("expired_card")},
				{after: time.Hour, does: order("invoices/{invoice}/mark_uncollectible"), seen: stands("canceled", "")},
				{after: day, does: func(s *scene) { s.pay(true) }, seen: all(stands("recovered", ""), page("Nothing is open", "€29.00"), mails(2))},
			},
		},
		{
			name: "paid out of band", status: "recovered",
			acts: []act{
				{does: fails("expired_card")},
				{after: time.Hour, does: func(s *scene) { s.pay(true) }, seen: all(stands("recovered", ""), page("Nothing is open", "€29.00"), mails(2))},
			},
		},
		{
			name: "credit note lowers what is due", status: "recovered",
			acts: []act{
				{does: fails("insufficient_funds"), seen: page("Pay €29.00")},
				{after: time.Hour, does: order("credit_notes", "invoice", "{invoice}", "amount", "900"), seen: all(stands("open", ""), page("Pay €20.00", "!€29.00"))},
				{after: day, seen: all(mails(1), lastMail("€20.00"))},
				{does: func(s *scene) { s.pay(false) }, seen: stands("recovered", "")},
			},
		},
		{
			name: "credit note clears it", status: "canceled",
			acts: []act{
				{does: fails("expired_card"), seen: mails(1)},
				{after: time.Hour, does: order("credit_notes", "invoice", "{invoice}", "amount", "2900"), seen: all(stands("canceled", ""), page("Nothing is open"), noPay)},
				{after: 6 * day, seen: mails(1)},
			},
		},
		{
			name: "paid in part", status: "recovered",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: func(s *scene) {
					s.control("part_payment", url.Values{"invoice": {s.invoice}, "amount": {"1700"}})
				}, seen: all(stands("open", ""), page("€12.00", "Part of it has been paid", "Pay €12.00 on Stripe"), goesToStripe)},
				{after: day, seen: all(mails(1), lastMail("€12.00"))},
				{does: func(s *scene) { s.pay(false) }, seen: stands("recovered", "")},
			},
		},
		{
			name: "customer deleted", status: "canceled",
			acts: []act{
				{does: fails("expired_card"), seen: mails(1)},
				{after: time.Hour, does: func(s *scene) { s.extra["token"] = s.token(); s.remove("customers/" + s.customer) }, seen: all(stands("canceled", ""), func(s *scene) {
					b := s.browser()
					b.get("/l/" + s.extra["token"])
					if b.status != http.StatusNotFound {
						s.t.Errorf("their link still opens: %d", b.status)
					}
				})},
				{after: 6 * day, seen: mails(1)},
			},
		},
		{
			name: "subscription cancelled, the invoice still owed", status: "open",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: func(s *scene) { s.remove("subscriptions/" + s.subscription()) }, seen: all(stands("open", ""), page("Pay €29.00"))},
				{after: day, seen: mails(1)},
			},
		},
		{
			name: "subscription cancelled and its invoice voided", status: "canceled",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: func(s *scene) { s.remove("subscriptions/" + s.subscription()); order("invoices/{invoice}/void")(s) }, seen: stands("canceled", "")},
				{after: 6 * day, seen: mails(0)},
			},
		},
		pausedCollection("void"), pausedCollection("keep_as_draft"), pausedCollection("mark_uncollectible"),
		{
			name: "four currencies in one case", status: "open",
			acts: []act{
				{does: fails("generic_decline")},
				{after: time.Minute, does: oneOff("jpy", "4800", "Fonts")},
				{does: oneOff("usd", "1250", "Storage")},
				{does: oneOff("kwd", "12340", "Workshop")},
				{after: 2 * time.Hour, seen: all(stands("open", ""), page("€29.00", "¥4,800", "12.50", "12.340", "!4,829", "!4829"))},
				{after: day, seen: all(mails(1), lastMail("¥4,800"))},
			},
		},
		{
			name: "no payment method", status: "open",
			acts: []act{
				{does: func(s *scene) {
					s.ask("payment_methods/"+s.extra["card"]+"/detach", url.Values{})
					fails("generic_decline")(s)
				}, seen: all(stands("open", ""), page("needs a card", "no card or account", "Add a card and pay €29.00"))},
				{after: day, seen: all(mails(1), lastMail("There is no card"))},
			},
		},
		{
			name: "card renewed by its network", status: "recovered",
			acts: []act{
				{does: fails("expired_card"), seen: all(page("Add a card and pay", "has expired"), mails(1))},
				{after: time.Hour, does: func(s *scene) {
					s.control("card_update", url.Values{"payment_method": {s.extra["card"]}, "exp_month": {"11"}, "exp_year": {"2034"}})
				}, seen: all(stands("recovered", ""), page("Nothing is open", "!has expired"))},
			},
		},
		{
			name: "consent withdrawn at the bank", status: "open", pauses: "consent",
			acts: []act{
				{does: fails("revocation_of_authorization"), seen: all(stands("open", "consent"), page("withdrew your permission", "Add a card"))},
				{after: 6 * day, seen: mails(0)},
			},
		},
		{
			name: "invoice by transfer, overdue, then paid", status: "recovered",
			acts: []act{
				{does: func(s *scene) {
					s.invoice = s.ask("invoices", url.Values{
						"customer": {s.customer}, "currency": {"eur"}, "collection_method": {"send_invoice"}, "days_until_due": {"2"}, "pending_invoice_items_behavior": {"exclude"},
					})["id"].(string)
					s.ask("invoiceitems", url.Values{"customer": {s.customer}, "invoice": {s.invoice}, "currency": {"eur"}, "amount": {"48000"}, "description": {"Yearly plan"}})
					s.ask("invoices/"+s.invoice+"/finalize", url.Values{})
					s.ask("customers/"+s.customer, url.Values{"description": {"invoiced"}}) // finalizing tells nobody who listens to payments; this does
				}, seen: stands("", "")},
				{after: 3 * day, seen: all(stands("open", ""), page("€480.00", "still open"))},
				{after: day, does: func(s *scene) { s.pay(true) }, seen: stands("recovered", "")},
			},
		},
	}
}

// pausedCollection is a merchant who stops collecting for a subscription: what failed before is still owed; what is
// made meanwhile is nobody's debt.
func pausedCollection(behavior string) situation {
	return situation{
		name: "collection paused, " + behavior, status: "recovered",
		acts: []act{
			{does: fails("insufficient_funds")},
			{after: time.Hour, does: func(s *scene) {
				s.ask("subscriptions/"+s.subscription(), url.Values{"pause_collection[behavior]": {behavior}})
			}, seen: all(stands("open", ""), page("Pay €29.00"))},
			{after: day, does: func(s *scene) { s.pay(false) }, seen: stands("recovered", "")},
			{after: 2 * time.Hour, does: func(s *scene) {
				_, err := s.stripe.Renew(s.customer)
				if err != nil {
					s.t.Fatal(err)
				}
			}, seen: stands("recovered", "")},
			{after: day, seen: all(stands("recovered", ""), func(s *scene) { page("Nothing is open", "!no longer ask")(s) })},
		},
	}
}

// story checks that the case's story has a line with the words.
func story(words string) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		var n int
		err := s.portal.DB.See(s.t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRow(`SELECT count(*) FROM case_log WHERE why LIKE $1`, "%"+words+"%").Scan(&n)
		})
		if err != nil || n == 0 {
			s.t.Errorf("%d lines of the story say %q, %v", n, words, err)
		}
	}
}

func lastMail(words string) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		got := s.mailsTo(s.email)
		if len(got) == 0 || !strings.Contains(got[len(got)-1].Text, words) {
			s.t.Errorf("the last mail does not say %q", words)
		}
	}
}

// goesToStripe presses the one button of a part-paid invoice and checks that no press of ours could charge it.
func goesToStripe(s *scene) {
	s.t.Helper()
	b := s.visit()
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.post("/pay/hosted", url.Values{"invoice": {s.invoice}})
	if b.status != http.StatusSeeOther || !strings.HasPrefix(b.header.Get("Location"), s.api.URL) {
		s.t.Errorf("the button leads to %d %q", b.status, b.header.Get("Location"))
	}
	press := "press_" + strings.Repeat("b", 26)
	b.post("/pay/charge", url.Values{"attempt": {press}, "expect": {s.invoice + " 1200 eur"}})
	if got := s.charges(s.customer, s.invoice); got != 0 {
		s.t.Errorf("a press of ours charged it %d times", got)
	}
}

// pay pays the scene's invoice at Stripe, outside the portal.
func (s *scene) pay(outOfBand bool) {
	s.t.Helper()
	err := s.stripe.Pay(s.invoice, outOfBand)
	if err != nil {
		s.t.Fatal(err)
	}
}

// start makes the customer of a situation.
func (h *house) start(s situation) *scene {
	sc := &scene{house: h, email: "chiara@bellini.example", extra: map[string]string{}}
	sc.customer = h.customer("Chiara Bellini", sc.email, "IT", "pm_card_visa")
	sc.extra["card"] = h.ask("customers/"+sc.customer, nil)["invoice_settings"].(map[string]any)["default_payment_method"].(string)
	return sc
}

// Each billing situation, told in order with every event delivered: how the case stands, what the page says, what is
// sent and what is not.
func TestBillingSituations(t *testing.T) {
	t.Parallel()
	for _, s := range situations() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			sc := h.start(s)
			h.settle()
			for n, a := range s.acts {
				h.walk(a.after)
				if a.does != nil {
					a.does(sc)
				}
				h.settle()
				if a.seen != nil {
					a.seen(sc)
				}
				if t.Failed() {
					t.Fatalf("in act %d", n+1)
				}
			}
			stands(s.status, s.pauses)(sc)
			if got := h.events("status NOT IN ('processed', 'ignored')"); got != 0 {
				t.Errorf("%d events were not processed", got)
			}
		})
	}
}

// A credit note that comes while the confirmation is open: the press charges nothing and shows the old and the new sum.
func TestACreditNoteUnderAnOpenConfirmation(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.start(situation{})
	h.settle()
	fails("insufficient_funds")(s)
	h.settle()
	b := s.visit().press("/pay/review").at("/pay/review", http.StatusOK)
	order("credit_notes", "invoice", "{invoice}", "amount", "900")(s)
	h.settle()
	b.press("/pay/charge")
	if text := b.text("main"); !strings.Contains(text, "€29.00") || !strings.Contains(text, "€20.00") || b.page.Find("form[action='/pay/charge']").Length() != 1 {
		t.Errorf("%s with %d: %s", b.path, b.status, text)
	}
	if got := h.ask("charges?limit=100&customer="+s.customer, nil)["data"].([]any); len(got) != 2 { // their first month, and the renewal that failed
		t.Errorf("%d charges", len(got))
	}
}

// Who ends a dispute's pause has decided: it does not come back by itself, not even when the dispute is lost later.
func TestAPersonMayEndADisputesPause(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.start(situation{})
	h.settle()
	fails("insufficient_funds")(s)
	h.settle()
	h.walk(time.Hour)
	disputes("fraudulent")(s)
	h.settle()
	stands("open", "dispute")(s)
	h.walk(time.Hour)
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		c, err := h.portal.Cases.OpenOf(t.Context(), tx, s.customer)
		if err != nil {
			return err
		}
		return h.portal.Cases.Resume(t.Context(), tx, c.ID, "staff", h.clock.now(), dunning.PauseDispute)
	})
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	stands("open", "")(s)
	decides("losing_evidence")(s)
	h.settle()
	stands("open", "")(s)
	h.walk(2 * day)
	mails(1)(s)
}
