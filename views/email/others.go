package email

import (
	"strings"

	"sollecito/internal/billing"
	"sollecito/internal/l10n"
)

// Settled builds the one letter after everything is paid: thanks, what was received, what comes next.
func Settled(locale *l10n.Locale, facts SettledFacts) Letter {
	w := writer{locale, facts.Merchant}
	var paid []billing.Money
	for _, payment := range facts.Payments {
		paid = append(paid, payment.Paid)
	}
	paid = billing.Totals(paid)
	args := l10n.Args{"Merchant": facts.Merchant.Name, "Count": len(facts.Payments), "Amount": w.sums(paid)}

	letter := w.letter(facts.FirstName)
	letter.Subject = w.subject("mail.settled.subject", args)
	letter.Preheader = locale.IsolatedText("mail.settled.preheader", args)
	letter.Heading = w.text("mail.settled.heading")
	letter.Before = []Paragraph{w.spans("mail.settled.lead", args)}
	if facts.Restored {
		letter.Before = append(letter.Before, w.spans("mail.settled.restored", args))
	}
	for _, total := range paid {
		letter.Amounts = append(letter.Amounts, Amount{Money: w.money(total), What: w.text("mail.settled.received")})
	}
	letter.Facts = w.paymentRows(facts.Payments)
	if !facts.NextOn.IsZero() {
		next := l10n.Args{"Amount": w.money(facts.Next), "Day": locale.Day(facts.NextOn)}
		letter.After = append(letter.After, w.spans("mail.settled.next", next))
	}
	if facts.LinkURL != "" {
		letter.Button = &Button{Label: w.spans("mail.button.receipts"), URL: facts.LinkURL}
		letter.LinkLine = w.text("mail.link.or_open")
	}
	letter.After = append(letter.After, w.spans("mail.question"))
	return letter
}

// paymentRows tells how, when and for which invoice; several payments get a row each.
func (w writer) paymentRows(payments []Payment) []Fact {
	var rows []Fact
	if len(payments) == 1 {
		payment := payments[0]
		if payment.Card.Last4 != "" && !payment.ByOthers {
			rows = append(rows, w.cardFact(payment.Card))
		}
		if payment.Number != "" {
			rows = append(rows, Fact{w.term("mail.fact.invoice"), isolated(payment.Number)})
		}
		if payment.What != "" {
			rows = append(rows, Fact{w.term("mail.fact.what"), plain(line(payment.What, longestWhat))})
		}
		if !payment.PaidOn.IsZero() {
			rows = append(rows, Fact{w.term("mail.fact.paid_on"), plain(w.locale.Day(payment.PaidOn))})
		}
		return rows
	}
	for i, payment := range payments {
		if i == mostRows {
			return append(rows, Fact{plain(w.text("mail.more_invoices", l10n.Args{"Count": len(payments) - mostRows})), nil})
		}
		term := isolated(payment.Number)
		if !payment.PaidOn.IsZero() {
			term = append(term, l10n.Span{Text: w.locale.Comma() + w.locale.DayMonth(payment.PaidOn)})
		}
		rows = append(rows, Fact{term, isolated(string(w.money(payment.Paid)))})
	}
	return rows
}

// FreshLink builds the letter with a link somebody asked for on the page of a dead one.
func FreshLink(locale *l10n.Locale, facts FreshLinkFacts) Letter {
	w := writer{locale, facts.Merchant}
	args := l10n.Args{"Merchant": facts.Merchant.Name, "Day": locale.Day(facts.Until)}
	letter := w.letter(facts.FirstName)
	letter.Subject = w.subject("mail.fresh.subject", args)
	letter.Preheader = locale.IsolatedText("mail.fresh.preheader", args)
	letter.Heading = w.text("mail.fresh.heading")
	letter.Before = []Paragraph{w.spans("mail.fresh.lead", args)}
	if !facts.Until.IsZero() {
		letter.Before = append(letter.Before, w.spans("mail.fresh.until", args))
	}
	letter.Button = &Button{Label: w.spans("mail.button.open"), URL: facts.LinkURL}
	letter.LinkLine = w.text("mail.link.or_open")
	letter.After = []Paragraph{w.spans("mail.fresh.not_you")}
	return letter
}

// Reply builds the letter with staff's answer to a customer's message.
func Reply(locale *l10n.Locale, facts ReplyFacts) Letter {
	w := writer{locale, facts.Merchant}
	args := l10n.Args{"Merchant": facts.Merchant.Name, "Name": line(facts.Staff, longestName)}
	letter := w.letter(facts.FirstName)
	letter.Subject = w.subject("mail.reply.subject", args)
	letter.Preheader = cut(line(facts.Text, longestWhat), 90)
	letter.Heading = w.text("mail.reply.heading")
	letter.Before = paragraphs(facts.Text)
	letter.Button = &Button{Label: w.spans("mail.button.conversation"), URL: facts.LinkURL}
	letter.LinkLine = w.text("mail.link.or_open")
	if len(facts.NotKept) > 0 {
		letter.After = append(letter.After, w.spans("support.not_kept", l10n.Args{"Names": w.names(facts.NotKept), "Address": l10n.Isolated(facts.Merchant.SupportEmail)}))
	}
	if facts.Resting {
		letter.After = append(letter.After, w.spans("mail.reply.resting"))
	}
	letter.After = append(letter.After, w.spans("mail.question"))
	if facts.Staff != "" {
		letter.SignOff = w.text("mail.sign_off", args)
	}
	question := lines(facts.Question)
	if question != "" {
		who := w.text("mail.reply.you_wrote", l10n.Args{"Day": locale.Day(facts.AskedOn)})
		letter.Quote = &Quote{Who: who, Text: question}
	}
	return letter
}

// StaffMessage builds the letter that tells the merchant's support address that a customer wrote. It goes to
// colleagues, so it says who and what is owed.
func StaffMessage(locale *l10n.Locale, facts StaffMessageFacts) Letter {
	w := writer{locale, facts.Merchant}
	name := unlinked(facts.CustomerName)
	if name == "" {
		name = unlinked(facts.CustomerEmail)
	}
	args := l10n.Args{"Merchant": facts.Merchant.Name, "Name": name}
	letter := w.letter("")
	letter.Subject = w.subject("mail.staff.subject", args)
	letter.Preheader = cut(line(facts.Text, longestWhat), 90)
	letter.Heading = w.text("mail.staff.heading", args)
	letter.Button = &Button{Label: w.spans("mail.button.answer"), URL: facts.AdminURL}
	letter.LinkLine = w.text("mail.link.or_open")
	letter.Facts = []Fact{{w.term("mail.fact.email"), isolated(facts.CustomerEmail)}}
	if len(facts.Owes) > 0 {
		letter.Facts = append(letter.Facts, Fact{w.term("mail.fact.owes"), isolated(string(w.sums(facts.Owes)))})
	}
	if len(facts.NotKept) > 0 {
		letter.Facts = append(letter.Facts, Fact{w.term("mail.fact.not_kept"), isolated(string(w.names(facts.NotKept)))})
	}
	letter.After = []Paragraph{w.spans("mail.staff.how"), w.spans("mail.staff.resting")}
	letter.Message = &Quote{Who: w.text("mail.staff.wrote", l10n.Args{"Name": name, "When": locale.DayClock(facts.At)}), Text: lines(facts.Text)}
	letter.SignOff = "Sollecito"
	letter.Why = w.text("mail.staff.why", args)
	return letter
}

// StaffAlert tells a member of staff what happened to their account, so that they notice when it was not them.
func StaffAlert(locale *l10n.Locale, facts StaffAlertFacts) Letter {
	w := writer{locale, facts.Merchant}
	args := l10n.Args{"Merchant": facts.Merchant.Name}
	key := "mail.account." + facts.What
	first, _, _ := strings.Cut(strings.TrimSpace(facts.Name), " ")
	letter := w.letter(first)
	letter.Subject = w.subject(key, args)
	letter.Heading = w.text(key, args)
	letter.Preheader = locale.DayClock(facts.At)
	letter.Facts = []Fact{{w.term("mail.account.when"), isolated(locale.DayClock(facts.At))}}
	if facts.IP != "" {
		letter.Facts = append(letter.Facts, Fact{w.term("mail.account.from"), isolated(facts.IP)})
	}
	if facts.Browser != "" {
		letter.Facts = append(letter.Facts, Fact{w.term("mail.account.browser"), isolated(facts.Browser)})
	}
	letter.After = []Paragraph{w.spans("mail.account.yours"), w.spans("mail.account.not_yours")}
	letter.Button = &Button{Label: w.spans("mail.account.open"), URL: facts.AccountURL}
	letter.LinkLine = w.text("mail.link.or_open")
	letter.SignOff = "Sollecito"
	letter.Why = w.text("mail.account.why", args)
	return letter
}

// paragraphs cuts written text at its empty lines; the line breaks within a paragraph stay.
func paragraphs(text string) []Paragraph {
	var cut []Paragraph
	for block := range strings.SplitSeq(lines(text), "\n\n") {
		block = strings.Trim(block, "\n")
		if block != "" {
			cut = append(cut, plain(block))
		}
	}
	return cut
}
