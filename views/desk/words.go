package desk

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sollecito/internal/billing"
)

// whyWords are the reasons of a failed charge as colleagues read them, short enough for a table's cell.
func whyWords(class billing.Class) string {
	switch class {
	case billing.ClassNone:
		return ""
	case billing.ClassDead:
		return "Card will not work again"
	case billing.ClassConsent:
		return "Consent withdrawn"
	case billing.ClassAuthentication:
		return "Bank approval"
	case billing.ClassExpired:
		return "Card expired"
	case billing.ClassFixCard:
		return "Card data wrong"
	case billing.ClassRenewed:
		return "Card renewed since"
	case billing.ClassMoney:
		return "Not enough money"
	case billing.ClassTransient:
		return "Network trouble"
	case billing.ClassOurs:
		return "A mistake on our side"
	case billing.ClassNoMethod:
		return "No payment method"
	case billing.ClassOverdue:
		return "Past its due date"
	}
	return "Bank gave no reason"
}

// accessWord is a level of access in a sentence.
func accessWord(level string) string {
	switch level {
	case "":
		return "as it is"
	case "grace":
		return "full, in grace"
	}
	return level
}

// pauseWord is a kind of pause as colleagues read it.
func pauseWord(kind string) string {
	switch kind {
	case "staff":
		return "paused by a colleague"
	case "conversation":
		return "waits for our answer"
	case "dispute":
		return "disputed at the bank"
	case "lost":
		return "rests for a dispute that was lost"
	case "processing":
		return "a bank debit is under way"
	case "verification":
		return "small deposits are on their way to a new bank account"
	case "claim":
		return "says it has been paid"
	case "promise":
		return "a date was promised"
	case "consent":
		return "consent withdrawn at the bank"
	case "imported":
		return "found at the first import"
	}
	return kind
}

func pauseWords(kinds []string) string {
	words := make([]string, len(kinds))
	for i, kind := range kinds {
		words[i] = pauseWord(kind)
	}
	return strings.Join(words, ", ")
}

// tone and word are a case's pill.
func (s State) tone() Tone {
	switch s.Status {
	case "open":
		return Wait
	case "recovered":
		return Good
	}
	return Plain
}

func (s State) word() string {
	switch s.Status {
	case "":
		return "No case"
	case "open":
		return fmt.Sprintf("Open, day %d", s.Day)
	case "paused":
		return fmt.Sprintf("Paused, day %d", s.Day)
	}
	return sentence(s.Status)
}

// icon is the picture beside a case in the list; the pill says the same in words.
func (s State) icon() string {
	switch s.Status {
	case "paused":
		return "pause"
	case "recovered":
		return "check"
	case "exhausted", "canceled":
		return "flag"
	}
	return "clock"
}

// noticeTone colours the state of a message.
func noticeTone(state string) Tone {
	switch state {
	case "sent":
		return Good
	case "uncertain":
		return Wait
	case "failed":
		return Bad
	case "queued", "sending":
		return Accent
	}
	return Plain
}

// icon is the picture of a kind of entry.
func (k Kind) icon() string {
	switch k {
	case KindMail:
		return "mail"
	case KindBanner:
		return "bell"
	case KindCharge, KindCard:
		return "card"
	case KindPaid, KindClose:
		return "check"
	case KindRetry:
		return "retry"
	case KindAccess:
		return "wall"
	case KindPause:
		return "pause"
	case KindResume:
		return "play"
	case KindSkip:
		return "skip"
	case KindPromise:
		return "cal"
	case KindFlag, KindOpen:
		return "flag"
	case KindVisit:
		return "eye"
	case KindTalk:
		return "chat"
	case KindNote:
		return "note"
	}
	return "info"
}

func flashIcon(tone Tone) string {
	switch tone {
	case Good:
		return "check"
	case Wait:
		return "clock"
	}
	return "info"
}

// sentence begins with a capital letter.
func sentence(words string) string {
	r, size := utf8.DecodeRuneInString(words)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + words[size:]
}

func called(name, email, id string) string { return cmp.Or(name, email, id) }

func (s Staff) called() string {
	name := cmp.Or(s.Name, s.Email)
	if s.Role == "" {
		return name
	}
	return name + ", " + s.Role
}

func (i Invoice) called() string { return cmp.Or(i.Number, i.ID) }

func enrolRole(role string) string {
	if role == "" {
		return ""
	}
	return " with the role " + role
}

func zoneFrom(from string) string {
	if from == "" {
		return ""
	}
	return ", " + from
}

// spell is a waiting time as a person counts it, rounded up.
func spell(wait time.Duration) string {
	if wait > time.Minute {
		return count(int((wait+time.Minute-1)/time.Minute), "minute")
	}
	return count(int((wait+time.Second-1)/time.Second), "second")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func splitLines(text string) []string {
	return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
}
