package portal_test

import (
	"flag"
	"fmt"
	"maps"
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
var never = map[string][]string{
	"en":    {"lost", "stolen", "fraud", "risk", "block", "suspici", "no money", "not enough", "insufficient", "balance", "debt"},
	"it":    {"smarrit", "persa", "rubat", "frod", "rischi", "blocc", "sospett", "fondi", "saldo insuff", "debit"},
	"de":    {"verloren", "gestohlen", "betrug", "risiko", "gesperrt", "verdächt", "deckung", "guthaben", "nicht genug", "schulden"},
	"fr":    {"perdu", "volé", "fraud", "risque", "bloqu", "suspec", "insuffisan", "provision", "solde", "dette"},
	"es":    {"perdid", "robad", "fraude", "riesgo", "bloque", "sospech", "insuficient", "saldo", "fondos", "deuda"},
	"pt-BR": {"perdid", "roubad", "fraude", "risco", "bloque", "suspeit", "insuficient", "saldo", "fundos", "dívida"},
	"nl":    {"verloren", "gestolen", "fraude", "risico", "geblokkeerd", "verdacht", "saldo", "onvoldoende", "schulden"},
	"pl":    {"zgubion", "skradzion", "oszust", "ryzyk", "zablokow", "podejrz", "niewystarczając", "saldo", "brak środków", "zadłuż"},
	"ja":    {"紛失", "盗難", "詐欺", "不正", "リスク", "ブロック", "残高", "不足", "債務", "借金"},
	"ar":    {"مفقود", "مسروق", "احتيال", "مخاطر", "محظور", "مشبوه", "رصيد", "غير كاف"},
}

// Each code a bank can answer with leads to one kind sentence on the page and in the mail. The golden files hold them
// all, to be read through. Which code means what is told once, in English; the words of each meaning in every language.
func TestEveryDeclineHasItsSentence(t *testing.T) {
	t.Parallel()
	codes := sandbox.DeclineCodes()
	slices.Sort(codes)
	t.Run("en", func(t *testing.T) {
		t.Parallel()
		readDeclines(t, codes, "en")
	})
	t.Run("others", func(t *testing.T) { // in one house, since the days take longer than the customers
		t.Parallel()
		meanings := []string{"authentication_required", "do_not_honor", "expired_card", "incorrect_cvc", "insufficient_funds",
			"invalid_amount", "lost_card", "processing_error", "revocation_of_authorization"}
		readDeclines(t, meanings, slices.DeleteFunc(slices.Sorted(maps.Keys(never)), func(tag string) bool { return tag == "en" })...)
	})
}

// readDeclines lets a customer of each language be declined with each code, and compares what they read with the golden
// file of their language.
func readDeclines(t *testing.T, codes []string, languages ...string) {
	h := open(t)
	scenes := map[string]*scene{}
	for _, language := range languages {
		for _, code := range codes {
			sc := &scene{house: h, language: language, email: strings.ReplaceAll(code, "_", "-") + "@" + strings.ToLower(language) + ".example"}
			sc.customer = h.customer("Chiara Bellini", sc.email, "IT", "pm_card_visa")
			h.ask("customers/"+sc.customer, url.Values{"preferred_locales[0]": {language}})
			fails(code)(sc)
			scenes[language+code] = sc
		}
	}
	h.settle()
	h.walk(4 * 24 * time.Hour)
	for _, language := range languages {
		var golden strings.Builder
		for _, code := range codes {
			sc := scenes[language+code]
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
				for _, bad := range never[language] {
					if strings.Contains(strings.ToLower(words), bad) && !harmless(words, bad) {
						t.Errorf("%s in %s says %q: %s", code, language, bad, words)
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
			t.Errorf("the sentences in %s changed; read them and run with -update:\n%s", language, firstDifference(string(want), golden.String()))
		}
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
