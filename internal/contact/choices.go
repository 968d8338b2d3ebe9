package contact

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"sollecito/internal/fault"
)

// Choices are what a customer decided about our reminders. They decide on their page, by the one press of a mail
// program or by a word in a reply; staff write down what they were told. Every version is kept with its time, source
// and words, and the newest stands. The zero Choices leave all to the contact policy.
type Choices struct {
	CustomerID string
	Version    int64 // counted from 1; 0 for somebody who never chose
	At         int64 // unix seconds
	NoMail     bool  // no reminders by mail
	NoApp      bool  // none in the merchant's app
	Hours      Hours // of their day; zero for any hour the policy allows
	Source     Source
	Words      string // what they said or pressed, as far as it is known
	Actor      string // the member of staff who wrote it down, "" for the customer
}

// Source is the way a choice came to us.
type Source string

const (
	FromPage     Source = "page"      // on their page
	FromOneClick Source = "one_click" // by the stop button of a mail or of its program (RFC 8058)
	FromReply    Source = "reply"     // by a word in a reply
	FromStaff    Source = "staff"     // told to a member of staff
)

// Same reports whether the other choices say the same, whoever made them and when.
func (c Choices) Same(o Choices) bool {
	return c.NoMail == o.NoMail && c.NoApp == o.NoApp && c.Hours == o.Hours
}

// Check reports fault.Invalid when the hours are none that the policy could ever keep: they must lie within its own.
func (c Choices) Check(p Policy) error {
	if c.Hours == (Hours{}) {
		return nil
	}
	if c.Hours.From >= c.Hours.To || c.Hours.within(Hours{p.From, p.To}) != c.Hours {
		return fault.New(fault.Invalid, "Choose hours from %d to %d, the first before the last.", p.From, p.To)
	}
	return nil
}

// The reasons of notices that are left out because their customer chose so.
const (
	NoMailWanted = "The customer asked for no reminders by mail."
	NoAppWanted  = "The customer asked for no reminders in the app."
)

// AsksToStop reports whether a reply says in its first line that no more reminders are wanted: a word or a few that
// mean nothing else, in the languages our mails are written in and their neighbours. What is said in other words is
// for the staff who read it.
func AsksToStop(reply string) bool {
	line := ""
	for l := range strings.Lines(reply) {
		// Whoever writes Japanese may type the word they were told in wide letters.
		line = strings.Join(strings.FieldsFunc(strings.ToLower(norm.NFKC.String(l)), func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' && r != '’' }), " ")
		if line != "" {
			break
		}
	}
	const mostWords = 6
	if len(strings.Fields(line)) > mostWords {
		return false
	}
	line = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(line, "please "), " please"), "per favore "), " grazie")
	line = plain(line)
	return slices.ContainsFunc(stopWords, func(known string) bool { return plain(known) == line }) ||
		strings.Contains(line, "unsubscribe") || strings.Contains(line, "opt out")
}

// plain makes one spelling of the several that a line may have: an e-mail, an email and a mail are the same, whatever their
// ending. Only whole words count, or the end of "more" would go with the mails after it.
func plain(line string) string {
	var words []string
	for w := range strings.FieldsSeq(strings.ReplaceAll(line, "’", "'")) {
		if last := len(words) - 1; last >= 0 && strings.HasPrefix(w, "mail") && (words[last] == "e" || words[last] == "d'e") {
			words[last] = strings.TrimSuffix(words[last], "e") + w
			continue
		}
		front := ""
		if strings.HasPrefix(w, "d'") {
			front, w = "d'", w[len("d'"):]
		}
		if strings.HasPrefix(w, "email") {
			w = w[len("e"):]
		}
		words = append(words, front+w)
	}
	return strings.Join(words, " ")
}

// stopWords leave out those that may mean the subscription: cancel, end, terminate.
var stopWords = []string{
	"stop", "stopp", "stoppen", "optout", "quit", "revoke", "remove me", "stop it", "stop this", "stop emails", "stop the emails", "stop mails", "stop reminders",
	"stop the reminders", "stop emailing me", "stop mailing me", "stop writing to me", "stop sending me emails", "stop sending emails", "no more emails",
	"no more mails", "no more reminders", "do not email me", "don't email me", "do not contact me", "don't contact me",
	"basta", "basta email", "basta promemoria", "fermate i promemoria", "fermi i promemoria", "cancellatemi", "disiscrivimi", "disiscrivetemi", "non scrivetemi più", "smettete",
	"abmelden", "aufhören", "keine mails mehr", "keine weiteren mails", "keine erinnerungen mehr", "arrêtez", "plus de mails", "plus d'mails", "plus de rappels", "arrêt", "arrêter", "désinscription", "désabonnement", "baja", "darme de baja", "afmelden", "uitschrijven", "wypisz mnie", "przestań", "proszę przestać", "descadastrar",
	"pare", "parar", "chega", "chega de lembretes", "no más correos", "no más recordatorios", "geen mails meer", "geen herinneringen meer",
	"停止", "停止してください", "停止希望", "配信停止", "配信停止してください", "配信停止希望", "メール停止", "ストップ", "やめてください", "توقف", "توقفوا", "إيقاف", "أوقفوا الرسائل", "أوقفوا التذكيرات", "لا مزيد من الرسائل",
}
