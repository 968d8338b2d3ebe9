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
	"time"

	"sollecito/internal/campaign"
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
