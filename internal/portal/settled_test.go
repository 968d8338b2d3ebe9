package portal_test

import (
	"database/sql"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/golang-jwt/jwt/v5"

	"sollecito/internal/campaign"
	"sollecito/internal/sandbox"
)

// banner answers the status with which the notice in the merchant's app is asked for: 200 when there is something to
// show, 204 when there is not.
func (h *house) banner(customer string) int {
	h.t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "merchant", "aud": "portal-embed", "sub": customer, "role": "billing",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "jti": "1",
	}).SignedString([]byte(strings.Repeat("e", 40)))
	if err != nil {
		h.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodGet, h.base+"/embed/v1/state", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func (h *house) access(customer string) string {
	h.t.Helper()
	var access campaign.Access
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		var err error
		access, err = h.portal.Cases.AccessOf(h.t.Context(), tx, customer)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return string(access)
}

func settledAmong(mails []sandbox.Mail) []sandbox.Mail {
	var all []sandbox.Mail
	for _, m := range mails {
		if strings.Contains(m.Subject, "all is settled") {
			all = append(all, m)
		}
	}
	return all
}

// What was paid is listed by the day it was paid and then by number, in the letter from the first on, on the page from the
// last on, whatever order it was billed and failed in.
func TestReceiptsAreInTheOrderInWhichTheyWerePaid(t *testing.T) {
	t.Parallel()
	for _, order := range [][]int{{3, 0, 1, 2}, {2, 3, 1, 0}, {1, 0, 3, 2}} { // the first one a day before the others
		h := open(t)
		customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
		var invoices, numbers []string
		for range 4 {
			id := h.fail(customer, "do_not_honor")
			invoices, numbers = append(invoices, id), append(numbers, h.ask("invoices/"+id, nil)["number"].(string))
			h.walk(time.Hour)
		}
		h.ask("subscriptions/"+h.subscriptionOf(customer), map[string][]string{"cancel_at_period_end": {"true"}})
		h.walk(3 * day)
		for n, i := range order {
			err := h.stripe.Pay(invoices[i], false)
			if err != nil {
				t.Fatal(err)
			}
			h.settle()
			if n == 0 {
				h.walk(day)
			}
		}
		want := []string{numbers[order[0]]}
		for i, number := range numbers {
			if i != order[0] {
				want = append(want, number)
			}
		}
		h.walk(time.Hour)
		letters := settledAmong(h.mailsTo("anneke@waal.example"))
		if len(letters) != 1 {
			t.Fatalf("%d letters", len(letters))
		}
		inOrder := regexp.MustCompile(strings.ReplaceAll(strings.Join(want, "|"), "-", `\-`))
		if got := inOrder.FindAllString(letters[0].Text, -1); !slices.Equal(got, want) {
			t.Errorf("paid in the order %v, the letter lists %v, want %v\n%s", order, got, want, letters[0].Text)
		}
		slices.Reverse(want)
		var got []string
		b := h.browser().get(linkIn(t, letters[0])).at("/pay", http.StatusOK)
		b.page.Find("a[href^='/pay/invoices/']").Each(func(_ int, a *goquery.Selection) {
			id := strings.Split(a.AttrOr("href", ""), "/")[3]
			got = append(got, numbers[slices.Index(invoices, id)])
		})
		if !slices.Equal(got, want) {
			t.Errorf("paid in the order %v, the page lists %v, want %v", order, got, want)
		}
	}
}

// When everything is paid, however it came to be, the banner is gone and access is back at once, and one letter says
// so to whoever had heard of it. Who never had hears nothing.
func TestOneLetterWhenAllIsPaid(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		before time.Duration // from the failure to the first payment
		more   int           // further invoices that fail on the day after
		then   time.Duration // between one payment and the next
		away   bool          // paid outside Stripe
		access string        // before the payment
		want   int           // letters
	}{
		{name: "one", before: 2 * day, access: "full", want: 1},
		{name: "several, one after another", before: 3 * day, more: 2, then: day, access: "full", want: 1},
		{name: "several, within a minute", before: 3 * day, more: 2, access: "full", want: 1},
		{name: "by transfer", before: 6 * day, away: true, access: "full", want: 1},
		{name: "before any reminder", before: 2 * time.Hour, access: "full", want: 0},
		{name: "in grace", before: 10 * day, access: "grace", want: 1},
		{name: "limited", before: 15 * day, access: "restricted", want: 1},
		{name: "long after the last step", before: 32 * day, access: "restricted", want: 1},
		{name: "by transfer, long after", before: 32 * day, more: 1, then: 3 * day, away: true, access: "restricted", want: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
			began := h.clock.now()
			invoices := []string{h.fail(customer, "do_not_honor")}
			for range tt.more {
				h.walk(8 * time.Hour)
				invoices = append(invoices, h.fail(customer, "do_not_honor"))
			}
			h.ask("subscriptions/"+h.subscriptionOf(customer), map[string][]string{"cancel_at_period_end": {"true"}}) // no renewal meanwhile
			h.walk(tt.before - h.clock.now().Sub(began))
			if got := h.access(customer); got != tt.access {
				t.Errorf("access %s before the payment, want %s", got, tt.access)
			}
			if got := h.banner(customer); (got == http.StatusOK) != (tt.want > 0) {
				t.Errorf("the banner answers %d before the payment", got)
			}
			for i, invoice := range invoices {
				if i > 0 {
					h.walk(tt.then)
				}
				if got := len(settledAmong(h.mailsTo("anneke@waal.example"))); got != 0 {
					t.Fatalf("%d letters while something is open", got)
				}
				err := h.stripe.Pay(invoice, tt.away)
				if err != nil {
					t.Fatal(err)
				}
				h.settle()
			}
			if got := h.banner(customer); got != http.StatusNoContent {
				t.Errorf("the banner answers %d after the payment", got)
			}
			if got := h.access(customer); got != "full" {
				t.Errorf("access %s after the payment", got)
			}
			paid := h.clock.now()
			h.walk(4 * day)
			letters := settledAmong(h.mailsTo("anneke@waal.example"))
			if len(letters) != tt.want {
				t.Fatalf("%d letters, want %d", len(letters), tt.want)
			}
			for _, letter := range letters {
				restored := strings.Contains(letter.Text, "have full access to Lumen Studio again")
				if restored != (tt.access == "restricted") || strings.Count(letter.Text, "29.00") < 1 {
					t.Errorf("the letter says:\n%s", letter.Text)
				}
			}
			for _, m := range h.mailsTo("anneke@waal.example") {
				if m.At.After(paid) && len(settledAmong([]sandbox.Mail{m})) == 0 {
					t.Errorf("%q came after all was paid", m.Subject)
				}
			}
		})
	}
}

// What was written off before and what a later case is about are paid on one evening: one letter in the morning names both.
func TestOneLetterForTwoCasesThatArePaidTogether(t *testing.T) {
	t.Parallel()
	for _, later := range []time.Duration{0, time.Hour} {
		h := open(t, automatic)
		customer, first := h.toTheEnd("uncollectible")
		h.walk(2 * day)
		second := h.fail(customer, "insufficient_funds")
		h.ask("subscriptions/"+h.subscriptionOf(customer), map[string][]string{"cancel_at_period_end": {"true"}})
		h.walk(2 * day)
		at := h.clock.now()
		h.walk(time.Date(at.Year(), at.Month(), at.Day(), 20, 0, 0, 0, time.UTC).Sub(at))
		for _, invoice := range []string{first, second} {
			err := h.stripe.Pay(invoice, true)
			if err != nil {
				t.Fatal(err)
			}
			h.settle()
			h.walk(later)
		}
		h.walk(5 * day)
		letters := settledAmong(h.mailsTo("anneke@waal.example"))
		if len(letters) != 1 {
			t.Fatalf("%d letters when the second payment comes %s after the first", len(letters), later)
		}
		for _, invoice := range []string{first, second} {
			number := h.ask("invoices/"+invoice, nil)["number"].(string)
			if !strings.Contains(letters[0].Text, number) {
				t.Errorf("the letter does not name %s:\n%s", number, letters[0].Text)
			}
		}
		third := h.fail(customer, "insufficient_funds")
		h.walk(2 * day)
		err := h.stripe.Pay(third, true)
		if err != nil {
			t.Fatal(err)
		}
		h.settle()
		h.walk(2 * day)
		letters = settledAmong(h.mailsTo("anneke@waal.example"))
		if len(letters) != 2 {
			t.Fatalf("%d letters when a third case is paid", len(letters))
		}
		for invoice, want := range map[string]bool{first: false, second: false, third: true} {
			number := h.ask("invoices/"+invoice, nil)["number"].(string)
			if strings.Contains(letters[1].Text, number) != want {
				t.Errorf("%s is named later: %t, when the second payment came %s after the first:\n%s", number, !want, later, letters[1].Text)
			}
		}
	}
}
