package email

import (
	"time"

	"sollecito/internal/l10n"
)

// GenuineFacts are what the letter to somebody who doubts a mail is written from.
type GenuineFacts struct {
	Merchant  Merchant
	FirstName string
	Mails     []Mailed // what was sent lately, the newest first
}

// Mailed is one mail that was sent. At is in the reader's zone.
type Mailed struct {
	At      time.Time
	Subject string
}

// Genuine builds the letter that lists what was sent lately, so that its reader can tell a mail in our name that was not
// ours. It holds no link: it must not teach to press one.
func Genuine(locale *l10n.Locale, facts GenuineFacts) Letter {
	w := writer{locale, facts.Merchant}
	args := l10n.Args{"Merchant": facts.Merchant.Name, "Address": l10n.Isolated(facts.Merchant.SupportEmail)}
	letter := w.letter(facts.FirstName)
	letter.Subject = w.subject("mail.genuine.subject", args)
	letter.Preheader = locale.IsolatedText("mail.genuine.preheader", args)
	letter.Heading = w.text("mail.genuine.heading")
	lead := "mail.genuine.lead"
	if len(facts.Mails) == 0 {
		lead = "mail.genuine.none"
	}
	letter.Before = []Paragraph{w.spans(lead, args)}
	for _, m := range facts.Mails {
		letter.Facts = append(letter.Facts, Fact{plain(locale.DayMonth(m.At)), isolated(line(m.Subject, longestSubject))})
	}
	letter.After = []Paragraph{w.spans("mail.genuine.others", args)}
	return letter
}
