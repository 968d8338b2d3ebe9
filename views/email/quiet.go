package email

// WithCheck answers a letter with a link to the page that tells how to know a mail of ours.
func (l Letter) WithCheck(address string) Letter {
	w := writer{l.Locale, l.Merchant}
	l.Quiet = append(l.Quiet, Button{Label: w.spans("mail.check"), URL: address})
	return l
}

// WithChoices answers a letter that we send by our own will with a link to the choices its reader has about such.
func (l Letter) WithChoices(address string) Letter {
	w := writer{l.Locale, l.Merchant}
	l.Quiet = append(l.Quiet, Button{Label: w.spans("mail.choices"), URL: address})
	return l
}

// WithStop answers a letter with the notice that its reader may stop reminders, and the way: what somebody who collects
// for others owes.
func (l Letter) WithStop(address string) Letter {
	w := writer{l.Locale, l.Merchant}
	l.After = append(l.After, w.spans("mail.stop_notice"))
	l.Quiet = append(l.Quiet, Button{Label: w.spans("mail.stop"), URL: address})
	return l
}
