package email

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"sollecito/internal/billing"
)

// shame are words of debt collectors, courts and adverts, by language. None stands in any letter of ours: who reads over the
// reader's shoulder learns nothing, and a letter about a payment stays one (no advert makes it marketing).
var shame = map[string]string{
	"en":    `debt|collection agenc|collector|bailiff|court|lawsuit|legal action|final warning|final notice|delinquen|default(ed)? on|blacklist|credit (score|bureau)|shame|urgent|act now|immediately|upgrade now|discount|special offer|% off`,
	"it":    `recupero crediti|debit[oi]\b|debitore|moros|insolven|ultimo avviso|tribunale|avvocat|azioni? legal|ingiunzione|pignora|centrale rischi|vergogn|urgente|subito!|sconto|offerta speciale`,
	"de":    `inkasso|schuldner|schulden\b|mahnbescheid|letzte mahnung|mahnung|gericht|anwalt|rechtliche schritte|zahlungsverzug|schufa|pfänd|blamage|dringend|umgehend|rabatt|sonderangebot`,
	"fr":    `recouvrement|débiteur|dettes?\b|huissier|tribunal|avocat|mise en demeure|poursuites|contentieux|impayé|dernier avertissement|honte|urgent|immédiatement|remise de|offre spéciale`,
	"es":    `moros[oa]|deudor|deudas?\b|cobro de deudas|embargo|tribunal|juzgado|abogad|acciones legales|último aviso|impagad|vergüenza|urgente|inmediatamente|descuento|oferta especial`,
	"pt-BR": `inadimpl|devedor|dívida|cobrança judicial|protesto|tribunal|advogad|ação judicial|último aviso|serasa|spc\b|vergonha|urgente|imediatamente|desconto|oferta especial`,
	"nl":    `incasso|schuldenaar|schulden\b|deurwaarder|rechtbank|advocaat|gerechtelijk|aanmaning|laatste waarschuwing|wanbetal|schaam|dringend|onmiddellijk|korting|aanbieding`,
	"pl":    `windykac|dłużni|zadłużen|dług\b|komornik|sąd(u|em|owe)?\b|prawnik|postępowani|ostatnie (ostrzeżenie|wezwanie)|wezwanie do zapłaty|zaległ|wstyd|pilne|natychmiast|zniżk|promocj`,
	"ja":    `督促|滞納|債務|債権回収|取り立て|裁判|訴訟|法的措置|弁護士|最終警告|最終通告|未払い者|差し押さえ|至急|今すぐ|割引|特典`,
	"ar":    `تحصيل الديون|مدين|ديون|محكمة|قضائي|محام|إنذار أخير|الإنذار|متخلف|حجز على|فضيح|عاجل|فورًا|خصم خاص|عرض خاص`,
}

// Every letter in every language holds what pages-and-mails 2.2 and M1, M15 and M16 ask of the words themselves.
func TestNoLetterShames(t *testing.T) {
	c := catalog(t)
	for _, locale := range c.Locales() {
		list, known := shame[locale.Tag()]
		if !known {
			t.Errorf("%s has no list of words that shame", locale.Tag())
			continue
		}
		words := regexp.MustCompile(`(?i)(^|[^\pL])(` + list + `)`)
		if locale.Tag() == "ja" || locale.Tag() == "ar" { // no spaces between words, or articles joined to them
			words = regexp.MustCompile(list)
		}
		for name, letter := range letters(locale) {
			for place, said := range map[string]string{"subject": letter.Subject, "preheader": letter.Preheader, "text": letter.Text()} {
				found := words.FindString(said)
				if found != "" {
					t.Errorf("%s/%s: the %s says %q", locale.Tag(), name, place, found)
				}
			}
			if strings.ContainsAny(letter.Subject, "!!❗⚠🔥") || strings.Contains(letter.Heading, "!!") || letter.Subject == strings.ToUpper(letter.Subject) && locale.Tag() != "ja" && locale.Tag() != "ar" {
				t.Errorf("%s/%s shouts: %q", locale.Tag(), name, letter.Subject)
			}
		}
	}
}

// The list itself is held to words that must be found, or it would guard nothing.
func TestShameIsFound(t *testing.T) {
	for tag, said := range map[string]string{"en": "Final warning", "it": "Recupero crediti", "de": "Letzte Mahnung", "ja": "最終警告です", "ar": "تحصيل الديون"} {
		if !regexp.MustCompile(`(?i)` + shame[tag]).MatchString(said) {
			t.Errorf("%s: %q is not found", tag, said)
		}
	}
}

// A program that shows letters of one subject as one thread would clip the later ones: each step has its own, about as
// long as a phone shows, and the line behind it carries the sum and what comes next.
func TestSubjectsDifferByStep(t *testing.T) {
	c := catalog(t)
	for _, locale := range c.Locales() {
		all := letters(locale)
		seen := map[string]string{}
		for _, name := range []string{"first", "second", "notice", "restricted", "notice-suspended", "restricted-suspended", "settled", "notice-cancel", "final-cancel", "ahead-expiring", "promise-charge", "fresh-link", "reply"} {
			letter, there := all[name]
			if !there {
				t.Fatalf("no letter %s", name)
			}
			if seen[letter.Subject] != "" {
				t.Errorf("%s: %s and %s share %q", locale.Tag(), name, seen[letter.Subject], letter.Subject)
			}
			seen[letter.Subject] = name
			if n := utf8.RuneCountInString(letter.Subject) - len("Lumen Studio"); n > 60 {
				t.Errorf("%s/%s: %d characters beside the name: %q", locale.Tag(), name, n, letter.Subject)
			}
			if letter.Preheader == "" || letter.Preheader == letter.Subject || utf8.RuneCountInString(letter.Preheader) > 100 {
				t.Errorf("%s/%s: the line behind the subject is %q", locale.Tag(), name, letter.Preheader)
			}
			if !strings.Contains(letter.Subject, "Lumen Studio") {
				t.Errorf("%s/%s: the subject does not say who writes: %q", locale.Tag(), name, letter.Subject)
			}
		}
		first := all["first"]
		if !strings.Contains(first.Preheader, string(first.Amounts[0].Money)) {
			t.Errorf("%s: the sum is not in %q", locale.Tag(), first.Preheader)
		}
	}
}

// What the HTML says of facts, sums and days the text says too, and neither is made of the other.
func TestBothPartsTellTheSame(t *testing.T) {
	c := catalog(t)
	for _, locale := range c.Locales() {
		for name, letter := range letters(locale) {
			html, page := draw(t, letter)
			text := strings.Join(strings.Fields(letter.Text()), " ")
			shown := strings.Join(strings.Fields(page.Find("main").Text()), " ")
			for _, fact := range letter.Facts {
				for _, half := range []Paragraph{fact.Term, fact.Value} {
					said := strings.Join(strings.Fields(letter.words(half)), " ")
					if !strings.Contains(text, said) || !strings.Contains(shown, plainOf(half)) {
						t.Errorf("%s/%s: the fact %q is not in both parts", locale.Tag(), name, said)
					}
				}
			}
			for _, paragraph := range append(letter.Before, letter.After...) {
				if said := strings.Join(strings.Fields(letter.words(paragraph)), " "); locale.Tag() != "ja" && !strings.Contains(text, said) {
					t.Errorf("%s/%s: the text lacks %q", locale.Tag(), name, said)
				}
			}
			for _, has := range []string{`<meta name="color-scheme" content="light dark"`, `<meta name="supported-color-schemes"`, "prefers-color-scheme: dark"} {
				if !strings.Contains(html, has) {
					t.Errorf("%s/%s has no %s", locale.Tag(), name, has)
				}
			}
			if page.Find("[itemscope], script, link, video, [background]").Length() > 0 || strings.Contains(html, "url(") || strings.Contains(html, "@import") {
				t.Errorf("%s/%s fetches or marks up more than a picture", locale.Tag(), name)
			}
			if locale.Dir() == "rtl" && (page.Find("html[dir=rtl], main[dir=rtl]").Length() != 2 || page.Find("td[align=left]").Length() > page.Find("td[align=right]").Length()) {
				t.Errorf("%s/%s does not run from right to left", locale.Tag(), name)
			}
		}
	}
}

func plainOf(p Paragraph) string {
	var b strings.Builder
	for _, span := range p {
		b.WriteString(span.Text)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// Whoever owes much, under long names: the letter stays below what mailboxes cut off.
func TestALongLetterStaysSmall(t *testing.T) {
	c := catalog(t)
	for _, locale := range c.Locales() {
		facts := reminder1(StepFirst, billing.ClassGeneric)
		facts.Merchant.Name = strings.Repeat("Lumen & Söhne <Studio> ", 6)
		facts.Merchant.LegalAddress = strings.Repeat("Straße des 17. Juni, ", 12)
		facts.FirstName = strings.Repeat("Wolfeschlegelstein", 4)
		for i := range 60 {
			facts.Invoices = append(facts.Invoices, Invoice{Number: fmt.Sprintf("LS-2025-%04d", i), What: strings.Repeat("ein sehr langer Name ", 8), Remaining: billing.Money{Minor: 123456789, Currency: "eur"}})
		}
		letter := Reminder(locale, facts).WithChoices(linkURL + "?to=choices").WithStop("https://pay.lumen.example/pay/stop/" + strings.Repeat("x", 43))
		html, _ := draw(t, letter)
		if len(html) > 30_000 {
			t.Errorf("%s: 61 invoices make %d bytes of HTML", locale.Tag(), len(html))
		}
		if n := utf8.RuneCountInString(letter.Subject); n > 78 {
			t.Errorf("%s: a subject of %d characters", locale.Tag(), n)
		}
		for l := range strings.SplitSeq(letter.Text(), "\n") {
			if len(l) > 990 {
				t.Errorf("%s: a line of %d bytes", locale.Tag(), len(l))
			}
		}
	}
}
