package email

import (
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/l10n"
)

// FinalFacts are what the letter is written from that tells what was done at the end of a campaign.
type FinalFacts struct {
	Merchant  Merchant
	FirstName string
	Act       string // cancel, pause or uncollectible
	On        time.Time
	Open      []billing.Money // what is still to be paid, by currency; for uncollectible what was. Empty when it was paid meanwhile
	LinkURL   string
}

// Final builds the letter that tells a customer what was done in the end, why, and how to contest it.
func Final(locale *l10n.Locale, facts FinalFacts) Letter {
	w := writer{locale, facts.Merchant}
	args := l10n.Args{"Merchant": facts.Merchant.Name, "Day": locale.Day(facts.On)}
	letter := w.letter(facts.FirstName)
	letter.Subject = w.subject("mail.final.subject_"+facts.Act, args)
	letter.Preheader = w.text("mail.final.preheader")
	letter.Heading = w.text("mail.final.heading_" + facts.Act)
	letter.Before = []Paragraph{w.spans("mail.final.lead_"+facts.Act, args)}
	for _, open := range facts.Open {
		letter.Amounts = append(letter.Amounts, Amount{Money: w.money(open), What: w.text("mail.final.what")})
	}
	if len(facts.Open) > 0 && facts.Act != "uncollectible" {
		letter.After = append(letter.After, w.spans("mail.final.still_open"))
	}
	letter.After = append(letter.After, w.spans("mail.final.contest"))
	letter.Button = &Button{Label: w.spans("mail.button.open"), URL: facts.LinkURL}
	letter.LinkLine = w.text("mail.link.or_open")
	return letter
}
