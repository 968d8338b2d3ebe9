package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sollecito/internal/dunning"
	"sollecito/internal/staff"
)

const ownWords = `name: nostra
title: La nostra
steps:
  - key: first
    day: 4
    at: "10:00"
    channels: [email]
    text:
      it:
        subject: "{{plan}}: {{amount}} ancora da pagare"
        body: |
          La banca ha rifiutato **{{amount}}** per {{plan}} & altro.

          - Nulla è stato *prelevato*.

          {{button}}

          Grazie da {{merchant}}.
  - key: only-expired
    if: {declines: [expired]}
    day: 5
    at: "10:00"
    channels: [email]
  - key: second
    day: 6
    at: "10:00"
    channels: [email]
    text:
      it: {subject: "Di nuovo", body: "Riproviamo il {{retry.date}}."}
variants:
  - {name: plain, weight: 1}
  - name: mild
    weight: 1
    steps:
      second:
        text:
          it: {subject: "Con calma, {{customer.first_name}}", body: "È ancora aperto."}
`

// The merchant's own words go out in their language and the shipped ones in every other; a sentence whose variable has
// no value is not said; each variant says its own; and staff and the customer read why things come when they do.
func TestTheMerchantsOwnWordsAndWhyTheyCome(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(ownWords)
	seen := map[string]bool{}
	for n, email := range []string{"a@one.example", "b@two.example", "c@three.example", "d@four.example", "e@five.example", "f@six.example"} {
		customer := h.customer("Chiara Bellini", email, "IT", "pm_card_visa")
		language := "it"
		if n == 0 {
			language = "en"
		}
		h.ask("customers/"+customer, url.Values{"preferred_locales[0]": {language}})
		h.clock.set(h.clock.now().Add(time.Duration((8-int(h.clock.now().Weekday()))%7) * 24 * time.Hour)) // a Monday: its fourth day is a Friday
		h.clock.set(h.clock.now().Add(24 * time.Hour))                                                     // and of a Tuesday a Saturday
		code := "insufficient_funds"
		if n >= 3 {
			code = "stolen_card" // which is not tried again, so {{retry.date}} has no value
		}
		h.fail(customer, code)
		c := h.caseOf(customer)
		h.walk(14 * 24 * time.Hour)
		mails := h.mailsTo(email)
		if len(mails) != 2 {
			t.Fatalf("%s got %d mails", email, len(mails))
		}
		first, second := mails[0], mails[1]
		if first.At.In(time.FixedZone("", 3600)).Weekday() != time.Monday {
			t.Errorf("the first mail left on a %s", first.At.Weekday())
		}
		if language == "en" {
			if strings.Contains(first.Text, "banca") || !strings.Contains(first.Subject, "payment didn't go through") {
				t.Errorf("who reads English got %q:\n%s", first.Subject, first.Text)
			}
			h.storyOf(customer, c)
			continue
		}
		if !strings.HasPrefix(first.Subject, "Studio plan: 29,00") || !strings.Contains(first.Text, "per Studio plan & altro.") || !strings.Contains(first.Text, "• Nulla è stato prelevato.") {
			t.Errorf("%q:\n%s", first.Subject, first.Text)
		}
		for _, part := range []string{"<strong><bdi>29,00", "per Studio plan &amp; altro.", "• Nulla è stato <strong>prelevato</strong>.", "Grazie da Lumen Studio."} {
			if !strings.Contains(first.HTML, part) {
				t.Errorf("%q is missing in the HTML part", part)
			}
		}
		if !linkPattern.MatchString(first.Text) || strings.Contains(first.HTML, "{{") {
			t.Error("the layout's button is missing, or a variable stayed")
		}
		seen[c.Variant] = true
		mild, plain := second.Subject == "Con calma, Chiara", second.Subject == "Di nuovo"
		if mild != (c.Variant == "mild") || plain != (c.Variant == "plain" && n < 3) || strings.Contains(second.Text, "{{") {
			t.Errorf("variant %q, %s: the second mail is %q\n%s", c.Variant, code, second.Subject, second.Text)
		}
	}
	if !seen["plain"] || !seen["mild"] {
		t.Errorf("only %v was walked: the sandbox's ids, which are the same each time, fell on one side", seen)
	}
}

// storyOf looks at the pages of a customer whose case has walked to its end.
func (h *house) storyOf(customer string, c dunning.Case) {
	h.t.Helper()
	b := h.colleague(staff.Agent)
	b.get("/admin/customers/"+customer).at("/admin/customers/"+customer, http.StatusOK)
	story := b.text("main")
	for _, part := range []string{
		"Campaign La nostra, version 1: it is for everybody", "its variant " + c.Variant,
		"The campaign planned it for day 4, Saturday", "It keeps to the hours and days on which they may be written to.",
		"Mail 2 passed over", "The campaign has no step left",
	} {
		if !strings.Contains(story, part) {
			h.t.Errorf("%q is missing in the customer's story:\n%s", part, story)
		}
	}
}

// A customer whose next message waits for a weekend reads why.
func TestACustomerReadsWhyTheNextMessageWaits(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(strings.Replace(ownWords, "day: 6", "day: 11", 1))
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	h.ask("customers/"+customer, url.Values{"preferred_locales[0]": {"it"}})
	h.clock.set(h.clock.now().Add(24 * time.Hour)) // a Tuesday: day 4 is a Saturday, and so is day 11
	h.fail(customer, "insufficient_funds")
	h.walk(7 * 24 * time.Hour)
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0])).at("/pay", http.StatusOK)
	if got := b.text("[data-because]"); !strings.Contains(got, "nei fine settimana non scriviamo") {
		t.Errorf("the page gives the reason %q:\n%s", got, b.text("main"))
	}
}
