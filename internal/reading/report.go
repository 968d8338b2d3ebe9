package reading

import (
	"regexp"
	"strings"

	"github.com/emersion/go-message"
)

var (
	addressPattern = regexp.MustCompile(`[^\s<>"'(),;:\[\]]{1,64}@[^\s<>"'(),;:\[\]@]{1,190}`)
	enhanced       = regexp.MustCompile(`(?:^|[^\d.])([245]\.\d{1,3}\.\d{1,3})(?:[^\d.]|\.?$|\.\s)`)
	plainCode      = regexp.MustCompile(`(?:^|\s|')([45]\d\d)[ -]`)
)

// outcomesOf reads the groups of a delivery status (RFC 3464): those that name a recipient.
func outcomesOf(groups []group, text string) []Outcome {
	var all []Outcome
	for _, g := range groups {
		var o Outcome
		for _, field := range []string{"original-recipient", "final-recipient"} {
			_, address, typed := strings.Cut(g[field], ";")
			if !typed {
				address = g[field]
			}
			address = addressIn(address)
			if address != "" {
				o.Recipients = append(o.Recipients, address)
			}
		}
		if len(o.Recipients) == 0 || len(all) == mostNamed {
			continue
		}
		o.Action = strings.ToLower(oneLine(g["action"], 20))
		diagnostic := g["diagnostic-code"]
		_, words, typed := strings.Cut(diagnostic, ";")
		if !typed {
			words = diagnostic
		}
		o.Words = oneLine(words, mostWords)
		o.Code = codeIn(g["status"])
		// A status of x.0.0 says only that it failed; the server's own answer often says more.
		said := codeIn(o.Words)
		if said != "" && (o.Code == "" || strings.HasSuffix(o.Code, ".0.0")) {
			o.Code = said
		}
		if o.Words == "" {
			o.Words = oneLine(text, mostWords)
		}
		all = append(all, o)
	}
	return all
}

// codeIn answers the first enhanced status in words, else the first SMTP code.
func codeIn(words string) string {
	found := enhanced.FindStringSubmatch(words)
	if found != nil {
		return found[1]
	}
	found = plainCode.FindStringSubmatch(words + " ")
	if found != nil {
		return found[1]
	}
	return ""
}

// saysItCameBack recognises the bounces that are no delivery status: those of qmail and old Exim and Exchange.
func saysItCameBack(h message.Header, nobody bool) bool {
	if h.Get("X-Failed-Recipients") != "" {
		return true
	}
	from := strings.ToLower(addressIn(h.Get("From")))
	local, _, _ := strings.Cut(from, "@")
	daemon := local == "mailer-daemon" || local == "postmaster" || strings.HasPrefix(local, "microsoftexchange")
	subject := strings.ToLower(subjectOf(h))
	for _, phrase := range subjects {
		if strings.Contains(subject, phrase) {
			return daemon || nobody
		}
	}
	return daemon && nobody
}

var subjects = []string{
	"undeliver", "failure notice", "delivery failure", "delivery status notification", "mail delivery failed", "returned mail", "delivery has failed",
	"mail could not be delivered", "delayed", "delivery incomplete", "warning: message", "unzustellbar", "mancato recapito", "non remis", "no se puede entregar",
}

func subjectOf(h message.Header) string {
	text, err := h.Text("Subject")
	if err != nil {
		return h.Get("Subject")
	}
	return text
}

// ownWords reads a bounce that is written for people: up to where the returned mail begins, each address with the
// words that follow it.
func ownWords(h message.Header, text string) []Outcome {
	text = beforeOriginal(text)
	action := "failed"
	if holds(strings.ToLower(subjectOf(h)+"\n"+text), "delayed", "will be retried", "not yet been delivered", "still trying", "will keep trying", "this is a warning message only", "no action is required on your part") {
		action = "delayed"
	}
	var named []string
	for part := range strings.SplitSeq(h.Get("X-Failed-Recipients"), ",") {
		address := addressIn(part)
		if address != "" && len(named) < mostNamed {
			named = append(named, address)
		}
	}
	if len(named) > 0 {
		return []Outcome{{Action: action, Code: codeIn(text), Words: wordsAfter(text, named[0]), Recipients: named}}
	}
	var all []Outcome
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		// The line an address leads is about it; one that mentions an address in passing is not.
		lead := strings.TrimLeft(line, " \t*<'\"")
		at := addressPattern.FindStringIndex(lead)
		if at == nil || at[0] != 0 || len(all) == mostNamed {
			continue
		}
		about := lead[at[1]:]
		for _, next := range lines[i+1:] {
			if strings.TrimSpace(next) == "" && strings.TrimSpace(strings.Trim(about, ">:'\" ")) != "" {
				break
			}
			about += "\n" + next
		}
		words := oneLine(strings.TrimLeft(about, ">:'\" \n"), mostWords)
		all = append(all, Outcome{Action: action, Code: codeIn(about), Words: words, Recipients: []string{lead[:at[1]]}})
	}
	return all
}

// wordsAfter is what follows an address, its own paragraph.
func wordsAfter(text, address string) string {
	_, after, found := strings.Cut(text, address)
	if !found {
		return oneLine(text, mostWords)
	}
	after, _, _ = strings.Cut(strings.TrimLeft(after, ">:'\" \n"), "\n\n")
	return oneLine(after, mostWords)
}

// beforeOriginal cuts the copy of the returned mail, whose addresses are not what the report is about.
func beforeOriginal(text string) string {
	lower := strings.ToLower(text)
	if len(lower) != len(text) {
		lower = text // some letters change their length with their case
	}
	for _, mark := range []string{"--- below this line is a copy", "------ this is a copy of", "----- original message", "--- original message", "original message headers:", "diagnostic information for administrators:\n\noriginal"} {
		at := strings.Index(lower, mark)
		if at >= 0 {
			text, lower = text[:at], lower[:at]
		}
	}
	return text
}

// complaint reads a feedback report (RFC 5965).
func (m *Mail) complaint(p parts) {
	g := p.feedback[0]
	switch strings.ToLower(g["feedback-type"]) {
	case "abuse", "fraud", "opt-out", "opt-out-list", "complaint":
		m.Kind = Complaint
	default:
		m.Kind = Automatic // "not-spam", "virus", "auth-failure": nobody complained of us
		return
	}
	m.Originals = p.originals
	from := addressIn(g["original-mail-from"])
	if from != "" {
		m.Originals = append([]string{from}, m.Originals...)
	}
	rcpt := addressIn(g["original-rcpt-to"])
	if rcpt != "" {
		m.Outcomes = []Outcome{{Action: "complaint", Recipients: []string{rcpt}}}
	}
}

// isAutomatic recognises what no person wrote, by RFC 3834 and by what programs that don't know it say.
func isAutomatic(h message.Header) bool {
	submitted, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(h.Get("Auto-Submitted"))), ";")
	if submitted != "" && strings.TrimSpace(submitted) != "no" {
		return true
	}
	for _, name := range []string{"X-Autoreply", "X-Autorespond", "X-Autogenerated", "X-Auto-Response-Suppress", "List-Id", "List-Unsubscribe", "Feedback-Id"} {
		if h.Get(name) != "" {
			return true
		}
	}
	switch strings.ToLower(strings.TrimSpace(h.Get("Precedence"))) {
	case "bulk", "junk", "list", "auto_reply":
		return true
	}
	return strings.TrimSpace(h.Get("Return-Path")) == "<>"
}

func holds(text string, any ...string) bool {
	for _, a := range any {
		if strings.Contains(text, a) {
			return true
		}
	}
	return false
}
