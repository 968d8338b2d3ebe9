package reading

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// How mail programs introduce what they quote, in the languages our customers' programs speak.
var introductions = map[string]string{
	"gmail en":       "On Mon, Nov 2, 2026 at 10:00 AM Lumen Studio <billing@lumen.example> wrote:\n> Pay here",
	"gmail en, long": "On Mon, Nov 2, 2026 at 10:00 AM Lumen Studio <\nmail+r-ntc_1-q2w3e4r5t6y7@in.lumen.example> wrote:\n\n> Pay here\n> Thanks",
	"gmail it":       "Il giorno lun 2 nov 2026 alle ore 10:00 Lumen Studio <billing@lumen.example> ha scritto:\n\n> Paghi qui",
	"gmail de":       "Am Mo., 2. Nov. 2026 um 10:00 Uhr schrieb Lumen Studio <billing@lumen.example>:\n\n> Hier zahlen",
	"gmail fr":       "Le lun. 2 nov. 2026 à 10:00, Lumen Studio <billing@lumen.example> a écrit :\n\n> Payer ici",
	"gmail es":       "El lun, 2 nov 2026 a las 10:00, Lumen Studio (<billing@lumen.example>) escribió:\n\n> Pague aquí",
	"gmail pt":       "Em seg., 2 de nov. de 2026 às 10:00, Lumen Studio <billing@lumen.example> escreveu:\n\n> Pague aqui",
	"gmail nl":       "Op ma 2 nov 2026 om 10:00 schreef Lumen Studio <billing@lumen.example>:\n\n> Betaal hier",
	"gmail pl":       "pon., 2 lis 2026 o 10:00 Lumen Studio <billing@lumen.example> napisał(a):\n\n> Zapłać tutaj",
	"gmail ja":       "2026年11月2日(月) 10:00 Lumen Studio <billing@lumen.example>:\n\n> お支払いはこちら",
	"gmail ar":       "في الاثنين، 2 نوفمبر 2026 في 10:00 ص تمت كتابة ما يلي بواسطة Lumen Studio <billing@lumen.example>:\n\n> ادفع هنا",
	"apple en":       "> On 2 Nov 2026, at 10:00, Lumen Studio <billing@lumen.example> wrote:\n> \n> Pay here",
	"apple it":       "Il giorno 2 nov 2026, alle ore 10:00, Lumen Studio <billing@lumen.example> ha scritto:\n> Paghi qui",
	"apple de":       "Am 02.11.2026 um 10:00 schrieb Lumen Studio <billing@lumen.example>:\n\n> Hier zahlen",
	"apple ja":       "2026/11/02 10:00、Lumen Studio <billing@lumen.example>のメール：\n\n> お支払いはこちら",
	"thunderbird de": "Am 02.11.26 um 10:00 schrieb Lumen Studio:\n> Hier zahlen",
	"outlook en":     "________________________________\nFrom: Lumen Studio <billing@lumen.example>\nSent: Monday, November 2, 2026 10:00\nTo: Anneke <anneke@waal.example>\nSubject: Your payment\n\nPay here",
	"outlook en old": "-----Original Message-----\nFrom: Lumen Studio\nSent: Monday\nTo: Anneke\nSubject: Your payment\n\nPay here",
	"outlook it":     "Da: Lumen Studio <billing@lumen.example>\nInviato: lunedì 2 novembre 2026 10:00\nA: Anneke <anneke@waal.example>\nOggetto: Il Suo pagamento\n\nPaghi qui",
	"outlook de":     "Von: Lumen Studio <billing@lumen.example>\nGesendet: Montag, 2. November 2026 10:00\nAn: Anneke\nBetreff: Ihre Zahlung\n\nHier zahlen",
	"outlook fr":     "De : Lumen Studio <billing@lumen.example>\nEnvoyé : lundi 2 novembre 2026 10:00\nÀ : Anneke\nObjet : Votre paiement\n\nPayer ici",
	"outlook pt":     "De: Lumen Studio <billing@lumen.example>\nEnviada em: segunda-feira, 2 de novembro\nPara: Anneke\nAssunto: Seu pagamento\n\nPague aqui",
	"outlook pl":     "Od: Lumen Studio <billing@lumen.example>\nWysłano: poniedziałek\nDo: Anneke\nTemat: Płatność\n\nZapłać tutaj",
	"outlook ja":     "差出人: Lumen Studio <billing@lumen.example>\n送信日時: 2026年11月2日 10:00\n宛先: Anneke\n件名: お支払い\n\nこちらからお支払いください",
	"signature":      "-- \nAnneke de Vries\n+31 20 555 0101",
}

func TestHistoriesAreCut(t *testing.T) {
	t.Parallel()
	const said = "My new card comes on Friday.\n\nIs that: fine? From: me, to: you."
	for name, history := range introductions {
		if got := cutQuotes(said + "\n\n" + history + "\n"); got != said {
			t.Errorf("%s leaves %q", name, got)
		}
		if got := cutQuotes(history); got == "" {
			t.Errorf("%s alone leaves nothing", name)
		}
	}
}

// What people write themselves is never cut, however like a header it looks.
func TestWhatIsNoHistoryStays(t *testing.T) {
	t.Parallel()
	for name, said := range map[string]string{
		"a list":           "From: Amsterdam\nTo: Milan\nthat is where I travel",
		"a colon":          "On Friday I get these:\n- a card\n- a phone",
		"a question":       "You wrote:\n\"pay here\"\nbut where?",
		"between":          "> Which card?\n\nThe new one.\n\n> And when?\n\nFriday.",
		"a line":           "____\nthanks",
		"numbers":          "12:30 <3 love it:\nyes",
		"an address":       "write to me <anneke@waal.example> or call 10:00",
		"a dash":           "--\nno signature, no blank behind it",
		"only a quote":     "> all of it",
		"a divider, alone": "________________________________\nI signed here",
	} {
		if got := cutQuotes(said); got != said {
			t.Errorf("%s: %q became %q", name, said, got)
		}
	}
}

// Whatever comes: something is left when something was written, it is a part of what came, and what stands before a
// known history is kept whole.
func FuzzCutQuotes(f *testing.F) {
	for _, history := range introductions {
		f.Add("Thanks!\n\n" + history)
	}
	f.Add("-- \n-- \n> \n>")
	f.Add("From:\nSent:\nTo:\nSubject:\n")
	f.Fuzz(func(t *testing.T, text string) {
		text = clean(text)
		got := cutQuotes(text)
		if strings.TrimSpace(text) != "" && got == "" || !strings.Contains(text, got) || !utf8.ValidString(got) {
			t.Errorf("%q became %q", text, got)
		}
		if again := cutQuotes(got); again == "" && got != "" {
			t.Errorf("%q cut twice is nothing", text)
		}
	})
}
