package reading

import (
	"regexp"
	"slices"
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
		_, words, typed := strings.Cut(g["diagnostic-code"], ";")
		if !typed {
			words = g["diagnostic-code"]
		}
		o.Words = oneLine(words, mostWords)
		if o.Words == "" { // what Exim and OpenSMTPD know is in the text for people alone
			o.Words = wordsAfter(beforeOriginal(text), o.Recipients)
		}
		o.Code = codeOf(g["status"], o.Words)
		o.Action = actionOf(g["action"], o.Code)
		all = append(all, o)
	}
	return all
}

// codeOf answers the code of an outcome. The server's own answer, where it is repeated, says more than the status that was
// made of it, and much more than one of x.0.0, which says only that it failed.
func codeOf(status, words string) string {
	code, said := codeIn(status), codeIn(words)
	vague := code == "" || strings.HasSuffix(code, ".0.0")
	precise := strings.Count(said, ".") == 2 && !strings.HasSuffix(said, ".0.0")
	if said != "" && (vague || precise && said[0] == code[0]) {
		return said
	}
	return code
}

// actionOf answers what became of the mail; where it is not told, the code tells it.
func actionOf(action, code string) string {
	action = strings.ToLower(oneLine(action, 20))
	if action != "" || code == "" {
		return action
	}
	return map[byte]string{'2': "delivered", '4': "delayed", '5': "failed"}[code[0]]
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
		return []Outcome{{Action: action, Code: codeIn(text), Words: wordsAfter(text, named), Recipients: named}}
	}
	var all []Outcome
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		// The line an address leads is about it; one that mentions an address in passing is not.
		lead := strings.TrimLeft(line, " \t*<'\"-")
		at := addressPattern.FindStringIndex(lead)
		if at == nil || at[0] != 0 || len(all) == mostNamed {
			continue
		}
		about := paragraph(strings.Join(append([]string{lead[at[1]:]}, lines[i+1:]...), "\n"))
		all = append(all, Outcome{Action: action, Code: codeIn(about), Words: oneLine(about, mostWords), Recipients: []string{lead[:at[1]]}})
	}
	if len(all) == 1 && all[0].Code == "" {
		all[0].Code = codeIn(text) // in a paragraph of its own
	}
	if len(all) > 0 {
		return all
	}
	return inPassing(text, action)
}

// inPassing reads a report that names one address, in the middle of a sentence.
func inPassing(text, action string) []Outcome {
	named := addressPattern.FindAllString(text, mostNamed)
	slices.Sort(named)
	named = slices.Compact(named)
	if len(named) != 1 {
		return nil
	}
	_, after, _ := strings.Cut(text, named[0])
	return []Outcome{{Action: action, Code: codeIn(after), Words: oneLine(strings.TrimLeft(after, aroundAddress), mostWords), Recipients: named}}
}

// aroundAddress are what stands between an address and what is said of it.
const aroundAddress = ">:;.'\" \n\t"

// paragraph is the rest of the paragraph that is begun in text, or the next one when nothing is left of it. What ends with
// a colon goes on.
func paragraph(text string) string {
	said := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" {
			said += line + "\n"
			continue
		}
		said = strings.TrimLeft(said, aroundAddress)
		if said != "" && !strings.HasSuffix(said, ":\n") {
			break
		}
	}
	return strings.TrimLeft(said, aroundAddress)
}

// wordsAfter is what follows the first of the addresses that is found, its own paragraph.
func wordsAfter(text string, addresses []string) string {
	lower := strings.ToLower(text)
	if len(lower) != len(text) {
		lower = text // some letters change their length with their case
	}
	for _, address := range addresses {
		at := strings.Index(lower, strings.ToLower(address))
		if at < 0 {
			continue
		}
		words := oneLine(paragraph(text[at+len(address):]), mostWords)
		if words != "" {
			return words
		}
	}
	return oneLine(text, mostWords)
}

// beforeOriginal cuts the copy of the returned mail, whose addresses are not what the report is about.
func beforeOriginal(text string) string {
	lower := strings.ToLower(text)
	if len(lower) != len(text) {
		lower = text // some letters change their length with their case
	}
	for _, mark := range []string{"--- below this line is a copy", "------ this is a copy of", "----- original message", "--- original message", "original message headers:", "message headers follow", "unsent message follows", "message header follows",
		"the header of the original message", "below is a copy of the original message", "----- returned message", "diagnostic information for administrators:\n\noriginal"} {
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
