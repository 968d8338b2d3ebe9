package email

import (
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/l10n"
)

// mostRows bounds the invoices listed one by one; a mail stays small whatever a customer owes.
const mostRows = 12

// Reminder builds the letter of one step of a campaign. It says nothing the facts do not hold: without
// NextAttempt there is no word of another try, and a StepNotice without a Consequence to announce reads like
// StepSecond.
func Reminder(locale *l10n.Locale, facts ReminderFacts) Letter {
	if facts.Step == StepNotice && facts.Consequence == nil {
		facts.Step = StepSecond
	}
	if facts.Consequence == nil {
		facts.Consequence = &Consequence{}
	}
	r := reminder{writer: writer{locale, facts.Merchant}, ReminderFacts: facts}
	for _, invoice := range facts.Invoices {
		r.totals = append(r.totals, invoice.Remaining)
	}
	r.totals = billing.Totals(r.totals)
	r.args = r.arguments()

	letter := r.letter(facts.FirstName)
	letter.Subject = r.subject("mail."+string(facts.Step)+"."+r.subjectWord(), r.args)
	letter.Preheader = r.locale.IsolatedText("mail.preheader."+r.preheaderWord(), r.args)
	letter.Heading = r.text(r.headingKey(), r.args)
	letter.Before = r.before()
	letter.Amounts = r.amounts()
	letter.Button = &Button{Label: r.spans("mail.button."+r.buttonWord(), r.args), URL: facts.LinkURL}
	letter.LinkLine = r.text("mail.link.other_ways")
	letter.Facts = r.facts()
	letter.After = r.after()
	if facts.Own == nil {
		return letter
	}
	own, whole := r.own(letter)
	if !whole {
		return letter
	}
	return own
}

// reminder is a reminder being written.
type reminder struct {
	writer
	ReminderFacts
	totals []billing.Money
	args   l10n.Args // of its messages
}

func (r reminder) several() bool { return len(r.Invoices) > 1 }

// announces reports whether the letter may name the day of a consequence that is still ahead.
func (r reminder) announces() bool {
	return r.Step != StepRestricted && !r.Consequence.At.IsZero()
}

func (r reminder) arguments() l10n.Args {
	args := l10n.Args{"Merchant": r.merchant.Name, "Count": len(r.Invoices), "Amount": r.sums(r.totals)}
	if !r.Consequence.At.IsZero() {
		args["Day"], args["Date"] = r.locale.Day(r.Consequence.At), r.locale.DayMonth(r.Consequence.At)
	}
	return args
}

// subjectWord chooses among the subjects of a step. Consequences have their own words; a first letter says what
// there is to do; between them one calm sentence serves every reason.
func (r reminder) subjectWord() string {
	if r.Step == StepNotice || r.Step == StepRestricted {
		return "subject_" + r.level()
	}
	switch r.Class {
	case billing.ClassOverdue:
		return "subject_overdue"
	case billing.ClassNoMethod, billing.ClassAuthentication, billing.ClassExpired:
		if r.Step == StepFirst && !r.several() {
			return "subject_" + string(r.Class)
		}
	}
	return "subject"
}

// level is the word for the consequence: limited unless access is to stop altogether.
func (r reminder) level() string {
	switch r.Consequence.Level {
	case "suspended", "cancel", "pause", "uncollectible":
		return r.Consequence.Level
	}
	return "restricted"
}

// final reports whether what is ahead is done to the subscription or the invoice: it says nothing of access, and its
// date is the earliest, since a person may decide.
func (r reminder) final() bool {
	return slices.Contains([]string{"cancel", "pause", "uncollectible"}, r.Consequence.Level)
}

func (r reminder) preheaderWord() string {
	switch {
	case r.Step == StepRestricted || r.Limited:
		return "restart"
	case r.Step == StepNotice:
		return "before"
	case r.Class == billing.ClassOverdue && r.announces() && !r.final():
		return "invoice_until"
	case r.Class == billing.ClassOverdue:
		return "invoice"
	case r.announces() && !r.final():
		return "until"
	}
	return "open"
}

func (r reminder) headingKey() string {
	switch {
	case r.Step == StepNotice || r.Step == StepRestricted:
		return "mail." + string(r.Step) + ".heading_" + r.level()
	case r.several():
		return "mail.heading_several"
	case r.Step == StepFirst && (r.Class == billing.ClassOverdue || r.Class == billing.ClassNoMethod || r.Class == billing.ClassAuthentication || r.Class == billing.ClassExpired):
		return "mail.first.heading_" + string(r.Class)
	}
	return "mail." + string(r.Step) + ".heading"
}

// before says how things stand, then why.
func (r reminder) before() []Paragraph {
	why := r.spans("mail.reason."+r.reasonWord(), r.args)
	if r.Broken != nil && r.Step != StepNotice && r.Step != StepRestricted {
		return []Paragraph{r.broken(), why}
	}
	if r.Broken != nil {
		return []Paragraph{r.lead(), r.broken(), why}
	}
	switch r.Step {
	case StepSecond:
		return []Paragraph{r.spans("mail.second.lead", r.args), why}
	case StepNotice, StepRestricted:
		return []Paragraph{r.lead(), why}
	}
	return []Paragraph{why}
}

// lead says what is going to be taken away, or was. To whom something was taken away before it does not say that paying
// leaves everything as it is.
func (r reminder) lead() Paragraph {
	if r.Step == StepNotice && r.Limited {
		return r.spans("mail.consequence_"+r.level(), r.args)
	}
	return r.spans("mail."+string(r.Step)+".lead_"+r.level(), r.args)
}

// broken tells of the day that came to nothing, without blame.
func (r reminder) broken() Paragraph {
	key := "mail.promise.broken_self"
	switch {
	case r.Broken.Tried:
		key = "mail.promise.broken_charge"
	case r.Broken.Charge:
		key = "mail.promise.broken_untried"
	}
	return r.spans(key, l10n.Args{"Day": r.locale.Day(r.Broken.On)})
}

// reasonWord is the key of the sentence that says why. A card that will never work again gets the same words as
// one declined without a reason: whoever holds a stolen card learns nothing.
func (r reminder) reasonWord() string {
	if r.several() {
		return "several"
	}
	switch r.Class {
	case billing.ClassDead, billing.ClassNone:
		return string(billing.ClassGeneric)
	}
	return string(r.Class)
}

// buttonWord names the deed the page behind the button leads to.
func (r reminder) buttonWord() string {
	if len(r.totals) != 1 {
		return "see"
	}
	switch r.Class {
	case billing.ClassExpired, billing.ClassFixCard, billing.ClassDead, billing.ClassConsent, billing.ClassNoMethod:
		return "card"
	case billing.ClassAuthentication:
		if !r.several() {
			return "approve"
		}
	}
	return "pay"
}

// amounts are one sum per currency, with what it is for.
func (r reminder) amounts() []Amount {
	if !r.several() && len(r.Invoices) == 1 {
		invoice := r.Invoices[0]
		return []Amount{{Money: r.money(invoice.Remaining), What: line(invoice.What, longestWhat), Period: r.period(invoice.From, invoice.To)}}
	}
	var amounts []Amount
	for _, total := range r.totals {
		count := 0
		for _, invoice := range r.Invoices {
			if invoice.Remaining.Currency == total.Currency {
				count++
			}
		}
		amounts = append(amounts, Amount{Money: r.money(total), What: r.text("mail.invoices", l10n.Args{"Count": count})})
	}
	return amounts
}

func (r reminder) facts() []Fact {
	var facts []Fact
	if r.Card.Last4 != "" {
		facts = append(facts, r.cardFact(r.Card))
	}
	if r.several() {
		facts = append(facts, r.invoiceRows()...)
	} else if len(r.Invoices) == 1 && r.Invoices[0].Number != "" {
		facts = append(facts, Fact{r.term("mail.fact.invoice"), isolated(r.Invoices[0].Number)})
	}
	if !r.NextAttempt.IsZero() {
		facts = append(facts, Fact{r.term("mail.fact.next_attempt"), plain(r.locale.Day(r.NextAttempt))})
	}
	if r.announces() && r.final() {
		facts = append(facts, Fact{r.term("mail.fact.not_before"), plain(r.locale.Day(r.Consequence.At))})
	} else if r.announces() && !r.Limited {
		facts = append(facts, Fact{r.term("mail.fact.works_until"), plain(r.locale.Day(r.Consequence.At))})
	}
	return facts
}

// invoiceRows lists the invoices one by one, the rest of a long list as one row.
func (r reminder) invoiceRows() []Fact {
	var rows []Fact
	for i, invoice := range r.Invoices {
		if i == mostRows {
			more := r.text("mail.more_invoices", l10n.Args{"Count": len(r.Invoices) - mostRows})
			return append(rows, Fact{plain(more), nil})
		}
		term := isolated(invoice.Number)
		what := line(invoice.What, longestWhat)
		switch {
		case invoice.Number == "":
			term = plain(what)
		case what != "":
			term = append(term, l10n.Span{Text: r.locale.Comma() + what})
		}
		rows = append(rows, Fact{term, isolated(string(r.money(invoice.Remaining)))})
	}
	return rows
}

// after says the consequence where it was not said before, and how to reach a person.
func (r reminder) after() []Paragraph {
	var after []Paragraph
	if r.announces() && r.Step != StepNotice {
		after = append(after, r.spans("mail.consequence_"+r.level(), r.args))
	}
	return append(after, r.reach()...)
}

// reach is how to reach a person, and where something was taken away, now or before, how to contest it.
func (r reminder) reach() []Paragraph {
	contest := r.spans("mail.restricted.contest")
	switch {
	case r.Step == StepRestricted:
		return []Paragraph{contest}
	case r.Suspended:
		return []Paragraph{r.spans("banner.suspended.title"), contest}
	case r.Limited:
		return []Paragraph{r.spans("banner.restricted.title"), contest}
	}
	return []Paragraph{r.spans("mail.question")}
}

// period is "3 November to 2 December", the zero Period of an invoice is "".
func (r reminder) period(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	return r.text("mail.period", l10n.Args{"From": r.locale.DayMonth(from), "To": r.locale.DayMonth(to)})
}
