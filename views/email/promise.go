package email

import "sollecito/internal/l10n"

// Promise builds the letter that confirms the day a customer set: what happens then, and that reminders rest.
func Promise(locale *l10n.Locale, facts PromiseFacts) Letter {
	w := writer{locale, facts.Merchant}
	args := l10n.Args{"Merchant": facts.Merchant.Name, "Amount": w.sums(facts.Amounts), "Day": locale.Day(facts.On), "Date": locale.DayMonth(facts.On)}
	way := "self"
	if facts.Charge {
		way = "charge"
	}
	letter := w.letter(facts.FirstName)
	letter.Subject = w.subject("mail.promise.subject_"+way, args)
	letter.Preheader = locale.IsolatedText("mail.promise.preheader", args)
	letter.Heading = w.text("mail.promise.heading_"+way, args)
	letter.Before = []Paragraph{w.spans("mail.promise.lead_"+way, args)}
	for _, amount := range facts.Amounts {
		letter.Amounts = append(letter.Amounts, Amount{Money: w.money(amount), What: w.text("mail.promise.on_"+way, args)})
	}
	if facts.Charge && facts.Card.Last4 != "" {
		letter.Facts = append(letter.Facts, w.cardFact(facts.Card))
	}
	for i, invoice := range facts.Invoices {
		if i == mostRows {
			break
		}
		if invoice.Number != "" {
			letter.Facts = append(letter.Facts, Fact{w.term("mail.fact.invoice"), isolated(invoice.Number)})
		}
	}
	if !facts.Retry.IsZero() {
		letter.After = append(letter.After, w.spans("mail.promise.retry", l10n.Args{"Day": locale.Day(facts.Retry)}))
	}
	if facts.Charge {
		letter.After = append(letter.After, w.spans("mail.promise.declined"))
	}
	letter.Button = &Button{Label: w.spans("mail.promise.button"), URL: facts.LinkURL}
	letter.LinkLine = w.text("mail.link.or_open")
	letter.After = append(letter.After, w.spans("mail.question"))
	return letter
}
