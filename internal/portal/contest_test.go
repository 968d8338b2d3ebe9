package portal_test

import (
	"net/url"
	"strings"
	"testing"
)

// Whoever has lost access reads in their language, by mail and on their page, how to contest it: a person looks at it again.
func TestWhoLostAccessReadsHowToContestIt(t *testing.T) {
	t.Parallel()
	h := open(t)
	says := map[string]struct{ mail, page string }{
		"en":    {"If you think this is wrong, reply to this email", "If you think this is wrong, write to us"},
		"it":    {"Se ritiene che ci sia un errore, risponda a questa email", "Se ritiene che ci sia un errore, ci scriva"},
		"de":    {"Antworten Sie auf diese E-Mail", "Wenn das aus Ihrer Sicht nicht stimmt, schreiben Sie uns"},
		"fr":    {"Si vous pensez que c’est une erreur, répondez", "Si vous pensez que c’est une erreur, écrivez-nous"},
		"es":    {"Si cree que es un error, responda a este correo", "Si cree que es un error, escríbanos"},
		"pt-BR": {"Se você acha que é um engano, responda", "Se você acha que é um engano, escreva para nós"},
		"nl":    {"Denkt u dat dit niet klopt?", "Klopt dat volgens u niet?"},
		"pl":    {"Jeśli coś się tu nie zgadza", "Jeśli coś się nie zgadza, napisz do nas"},
		"ja":    {"誤りと思われる場合は", "誤りと思われる場合は"},
		"ar":    {"إن كان في هذا خطأ في رأيك", "إن كان في ذلك خطأ في رأيك"},
	}
	customers := map[string]string{}
	for language := range says {
		customers[language] = h.customer("Chiara Bellini", language+"@bellini.example", "IT", "pm_card_visa")
		h.ask("customers/"+customers[language], url.Values{"preferred_locales[0]": {language}})
		h.fail(customers[language], "insufficient_funds")
	}
	h.walk(16 * day)
	for language, want := range says {
		mails := h.mailsTo(language + "@bellini.example")
		if len(mails) != 4 {
			t.Errorf("%s: %d mails", language, len(mails))
			continue
		}
		if text := strings.Join(strings.Fields(mails[3].Text), " "); !strings.Contains(text, want.mail) {
			t.Errorf("%s: the mail does not say %q:\n%s", language, want.mail, text)
		}
		s := &scene{house: h, customer: customers[language], language: language}
		if text := s.visit().text("main"); !strings.Contains(text, want.page) {
			t.Errorf("%s: the page does not say %q:\n%s", language, want.page, text)
		}
	}
}
