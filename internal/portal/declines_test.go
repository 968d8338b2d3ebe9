package portal_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/sandbox"
)

var update = flag.Bool("update", false, "write the golden sentences anew")

// never are words that no sentence about a decline may hold: they tell a thief why, or shame a customer.
var never = []string{
	"lost", "stolen", "fraud", "risk", "block", "suspici", "no money", "not enough", "insufficient", "balance", "debt",
	"smarrit", "persa", "rubat", "frod", "rischi", "blocc", "sospett", "fondi", "saldo insuff", "debit",
}

// Each code a bank can answer with leads to one kind sentence on the page and in the mail. The golden files hold them
// all, to be read through.
func TestEveryDeclineHasItsSentence(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"en", "it"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			codes := sandbox.DeclineCodes()
			if language != "en" { // which code means what is told once; the words are told in each language
				codes = []string{"lost_card", "revocation_of_authorization", "authentication_required", "expired_card", "incorrect_cvc",
					"insufficient_funds", "processing_error", "do_not_honor", "invalid_amount"}
			}
			slices.Sort(codes)
			customers := map[string]*scene{}
			for _, code := range codes {
				sc := &scene{house: h, language: language, email: strings.ReplaceAll(code, "_", "-") + "@bank.example"}
				sc.customer = h.customer("Chiara Bellini", sc.email, "IT", "pm_card_visa")
				h.ask("customers/"+sc.customer, url.Values{"preferred_locales[0]": {language}})
				fails(code)(sc)
				customers[code] = sc
			}
			h.settle()
			h.walk(4 * 24 * time.Hour)
			var golden strings.Builder
			for _, code := range codes {
				sc := customers[code]
				b := h.browser()
				b.get("/l/"+sc.token()).at("/pay", http.StatusOK)
				act := b.page.Find("main form[action='/pay/review'], main form[action='/pay/card'], main a[href='/pay/approve']").First()
				deed := act.AttrOr("action", "") + act.AttrOr("href", "")
				onPage := b.text("main h1 + p")
				inMail := "(none: the reminders rest)"
				got := h.mailsTo(sc.email)
				if len(got) > 0 {
					inMail = paragraph(got[0].Text, 3)
				}
				fmt.Fprintf(&golden, "%s\n  page: %s\n  deed: %s\n  mail: %s\n", code, onPage, deed, inMail)
				for _, words := range []string{onPage, inMail} {
					for _, bad := range never {
						if strings.Contains(strings.ToLower(words), bad) && !harmless(words, bad) {
							t.Errorf("%s says %q: %s", code, bad, words)
						}
					}
				}
				if html, _ := b.page.Html(); strings.Contains(html, code) && code != "do_not_honor" || strings.Contains(strings.Join(texts(got), " "), code) {
					t.Errorf("the customer reads the code %s", code)
				}
			}
			name := "testdata/declines." + language + ".golden"
			if *update {
				err := os.WriteFile(name, []byte(golden.String()), 0o644)
				if err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if string(want) != golden.String() {
				t.Errorf("the sentences changed; read them and run with -update:\n%s", firstDifference(string(want), golden.String()))
			}
		})
	}
}

// harmless lists where a word of never stands inside another.
func harmless(words, bad string) bool {
	return bad == "debit" && strings.Contains(words, "addebit")
}

func texts(mails []sandbox.Mail) []string {
	var all []string
	for _, m := range mails {
		all = append(all, m.Subject, m.Text)
	}
	return all
}

// paragraph is the nth paragraph of a plain text, counted from one, on one line.
func paragraph(text string, n int) string {
	all := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n")
	for _, p := range all {
		p = strings.Join(strings.Fields(p), " ")
		if p == "" {
			continue
		}
		n--
		if n == 0 {
			return p
		}
	}
	return ""
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for n := range b {
		if n >= len(a) || a[n] != b[n] {
			return fmt.Sprintf("line %d: %s", n+1, b[n])
		}
	}
	return "shorter"
}
