package email

import "sollecito/internal/l10n"

// Precaution builds the one letter before a renewal that is going to fail: the card expires before it, or there is
// nothing to charge. Nothing is owed; it names no consequence.
func Precaution(locale *l10n.Locale, facts PrecautionFacts) Letter {
	w := writer{locale, facts.Merchant}
	key := "no_method"
	switch {
	case facts.Card != (Card{}) && facts.Expired:
		key = "expired"
	case facts.Card != (Card{}):
		key = "expiring"
	}
	args := l10n.Args{
		"Merchant": facts.Merchant.Name, "Day": locale.Day(facts.On), "Amount": w.money(facts.Amount),
		"Last4": l10n.Isolated(facts.Card.Last4),
	}
	letter := w.letter(facts.FirstName)
	letter.Subject = w.subject("mail.ahead.subject_"+key, args)
	letter.Preheader = locale.IsolatedText("mail.ahead.preheader", args)
	letter.Heading = w.text("mail.ahead.heading_"+key, args)
	letter.Before = []Paragraph{w.spans("mail.ahead.lead_"+key, args), w.spans("mail.ahead.nothing_owed")}
	letter.Button = &Button{Label: w.spans("mail.ahead.button"), URL: facts.LinkURL}
	letter.LinkLine = w.text("mail.link.or_open")
	if facts.Card.Last4 != "" {
		letter.Facts = append(letter.Facts, Fact{w.term("mail.fact.card"), w.card(facts.Card)})
	}
	if facts.What != "" {
		letter.Facts = append(letter.Facts, Fact{w.term("mail.fact.what"), plain(line(facts.What, longestWhat))})
	}
	letter.Facts = append(letter.Facts,
		Fact{w.term("mail.ahead.renews"), plain(locale.Day(facts.On))},
		Fact{w.term("mail.ahead.amount"), isolated(string(w.money(facts.Amount)))},
	)
	if facts.Card != (Card{}) {
		letter.After = append(letter.After, w.spans("mail.ahead.already"))
	}
	letter.After = append(letter.After, w.spans("mail.question"))
	return letter
}
