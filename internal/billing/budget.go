package billing

import (
	"slices"
	"strconv"
	"time"
)

// Try is a charge somebody means to make: who, on which invoice, with which card, when (unix seconds).
type Try struct {
	By      Initiator
	Invoice Invoice
	Method  Method
	Renewed int64 // when new details of the card came after it was known, 0 when none did
	At      int64
}

// Verdict says whether a charge may be made. If not, Why is the rule that forbids it longest, and After is when that ends
// as far as is known now (unix seconds), 0 for never with this card. Full names a window that has no room for one more try,
// whatever forbids it longer; "" for none. Counts says how full the card's windows are.
type Verdict struct {
	Allowed bool
	Why     Denial
	After   int64
	Full    Denial
	Counts  []Count
	Card    string // whose windows these are, see Method.CardKey
	Network string
}

// Denial is the rule that forbids a charge, in a word that pages turn into a sentence.
type Denial string

const (
	DenialHard    Denial = "hard"    // the bank said a no that stays one with this card
	DenialNetwork Denial = "network" // the network's count of tries is used up
	DenialPace    Denial = "pace"    // enough tries nobody was asked about in two weeks
	DenialGap     Denial = "gap"     // the last of those is too young
	DenialAdvice  Denial = "advice"  // the bank, or the reason it gave, wants more time
	DenialUnknown Denial = "unknown" // declined three times for a reason nobody knows
	DenialDebit   Denial = "debit"   // a bank debit was presented as often as may be
	DenialOften   Denial = "often"   // the customer tried this card often enough
)

// Window bounds how many tries may lie within a time that rolls along.
type Window struct {
	Most   int
	Within time.Duration
}

// Count is how many tries lie in a Window now.
type Count struct {
	Window
	Used int
}

const day = 24 * time.Hour

// Budget is how often one card may be tried for one amount. Ours are the limits, by network, of charges nobody pressed for;
// in them every try counts, whoever made it. Rules are the networks' own limits, which also bind a customer's press.
//
// Visa: 20 tries in 30 days (15 before 2025), the customer's counted apart. Mastercard: 10 in 24 hours and 35 in 30 days
// for one card, merchant and amount; each try beyond costs a fee (developers.tabapay.com/docs/excessive-retry-rules,
// developer.paypal.com/braintree: network updates, Mastercard F23). For other networks no number is published.
type Budget struct {
	Ours, Rules  map[string][]Window
	Other        []Window      // networks that are in neither
	Pace         Window        // automatic tries, Stripe's own advice for its retries
	Gap          time.Duration // least time between two automatic tries of one invoice
	Unknown      int           // declines for an unknown reason, after which nobody tries by himself
	Presentments int           // of one bank debit: the first and two more (SEPA)
	Presses      Window        // a customer's tries of one invoice with one card
}

// DefaultBudget is what every installation keeps to.
func DefaultBudget() Budget {
	return Budget{
		Ours:  map[string][]Window{"visa": {{15, 30 * day}}, "mastercard": {{10, day}, {35, 30 * day}}},
		Rules: map[string][]Window{"visa": {{20, 30 * day}}, "mastercard": {{10, day}, {35, 30 * day}}},
		Other: []Window{{15, 30 * day}}, Pace: Window{8, 14 * day}, Gap: day, Unknown: 3, Presentments: 3, Presses: Window{5, 30 * day},
	}
}

// Judge decides about a try from the earlier ones on the same card, oldest first. It looks at nothing else.
func (b Budget) Judge(t Try, past []Attempt) Verdict {
	v := Verdict{Allowed: true, Card: t.Method.CardKey(), Network: t.Method.Network()}
	same := func(a Attempt) bool { return a.Amount == t.Invoice.Remaining() }
	windows := b.windows(t)
	for _, w := range windows {
		v.Counts = append(v.Counts, Count{w, used(w, times(past, same), t.At)})
		v.fill(DenialNetwork, w.free(times(past, same), t.At), t.At)
	}
	mine := func(a Attempt) bool { return a.InvoiceID == t.Invoice.ID }
	if !t.By.Automatic() {
		pressed := times(past, func(a Attempt) bool { return mine(a) && !a.By.Automatic() && a.MethodID == t.Method.ID })
		v.hold(DenialOften, b.Presses.free(pressed, t.At), t.At)
		if blockedBy(t, past) == ClassDead {
			v.never(DenialHard)
		}
		return v
	}
	v.fill(DenialPace, b.Pace.free(times(past, func(a Attempt) bool { return same(a) && a.By.Automatic() }), t.At), t.At)
	alone := times(past, func(a Attempt) bool { return mine(a) && a.By.Automatic() })
	if len(alone) > 0 && t.By != ByNewCard {
		v.hold(DenialGap, alone[len(alone)-1]+int64(b.Gap/time.Second), t.At)
	}
	v.hold(DenialAdvice, adviceUntil(t, past), t.At)
	unknown := times(past, func(a Attempt) bool {
		return mine(a) && a.MethodID == t.Method.ID && a.Status == AttemptDeclined && !a.Decline.Known()
	})
	switch {
	case t.Method.Type != "card" && t.Method.Type != "" && len(alone) >= b.Presentments:
		v.never(DenialDebit)
	case len(unknown) >= b.Unknown:
		v.never(DenialUnknown)
	}
	if blockedBy(t, past) != ClassNone {
		v.never(DenialHard)
	}
	return v
}

// windows are the bounds of a try's card: the networks' own for a customer, tighter ones for what comes by itself.
func (b Budget) windows(t Try) []Window {
	if t.Method.Type != "card" && t.Method.Type != "" {
		return nil
	}
	from := b.Ours
	if !t.By.Automatic() {
		from = b.Rules
	}
	windows, known := from[t.Method.Network()]
	if !known {
		return b.Other
	}
	return windows
}

// fill is hold for a window.
func (v *Verdict) fill(why Denial, until, now int64) {
	if until > now && v.Full == "" {
		v.Full = why
	}
	v.hold(why, until, now)
}

func (v *Verdict) hold(why Denial, until, now int64) {
	if until <= now || !v.Allowed && v.After == 0 {
		return
	}
	if v.Allowed || until > v.After {
		v.Why, v.After = why, until
	}
	v.Allowed = false
}

func (v *Verdict) never(why Denial) { v.Allowed, v.Why, v.After = false, why, 0 }

// times answers when the tries were made that count against a card: those a bank declined, and those whose end is not
// known. What was paid, or never reached the bank, counts for nothing.
func times(past []Attempt, which func(Attempt) bool) []int64 {
	var all []int64
	for _, a := range past {
		counts := a.Status == AttemptDeclined || a.Status == AttemptStarted || a.Status == AttemptProcessing
		if counts && which(a) {
			all = append(all, a.StartedAt)
		}
	}
	slices.Sort(all)
	return all
}

// used answers how many of the times lie in the window that ends now.
func used(w Window, at []int64, now int64) int {
	n := 0
	for _, t := range at {
		if t > now-int64(w.Within/time.Second) {
			n++
		}
	}
	return n
}

// free answers when the window has room for one more, 0 when it has now.
func (w Window) free(at []int64, now int64) int64 {
	if w.Most == 0 || used(w, at, now) < w.Most {
		return 0
	}
	return at[len(at)-w.Most] + int64(w.Within/time.Second)
}

// blockedBy answers the class of the decline after which the method is not to be tried by itself any more, ClassNone when
// there is none: until its bank sends new details or a payment with it succeeds. What only concerns one payment, such as
// the bank's wish for approval, blocks no other. A card left anew was checked by its bank then, and is a new method.
func blockedBy(t Try, past []Attempt) Class {
	blocked := ClassNone
	for _, a := range past {
		own := a.InvoiceID == t.Invoice.ID
		switch {
		case a.StartedAt < t.Renewed || a.MethodID != t.Method.ID:
		case a.Status == AttemptPaid:
			blocked = ClassNone
		case a.Status == AttemptAction && own:
			blocked = ClassAuthentication
		case a.Status == AttemptDeclined:
			class := a.Decline.Class()
			if blocked != ClassDead && !class.Retryable() && (class != ClassAuthentication || own) || blocked == ClassNone && class == ClassOurs && own {
				blocked = class
			}
		}
	}
	class := t.Invoice.Class()
	if blocked == ClassNone && t.Invoice.MethodID == t.Method.ID && t.Renewed <= t.Invoice.FailedAt &&
		(!class.Retryable() && class != ClassNoMethod || class == ClassOurs) {
		blocked = class
	}
	return blocked
}

// mastercardWaits are what the merchant advice codes of code 51 say to wait.
var mastercardWaits = map[string]time.Duration{
	"24": time.Hour, "25": day, "26": 2 * day, "27": 4 * day, "28": 6 * day, "29": 8 * day, "30": 10 * day, "02": 3 * day,
}

// classWaits are how long a bank's reason wants at least; balances change in days, networks in hours. Who set the day of a
// charge knows better when there will be money: they are charged on that day, unless the network itself says to wait.
var classWaits = map[Class]time.Duration{ClassMoney: 2 * day, ClassTransient: time.Hour, ClassGeneric: day}

// adviceUntil answers until when the last decline of the method for the amount asks to wait.
func adviceUntil(t Try, past []Attempt) int64 {
	until := int64(0)
	for _, a := range past {
		if a.Status != AttemptDeclined || a.MethodID != t.Method.ID || a.Amount != t.Invoice.Remaining() || a.StartedAt < t.Renewed {
			continue
		}
		wait, told := mastercardWaits[a.Decline.NetworkAdviceCode]
		if !told && t.By != ByPromise {
			wait = classWaits[a.Decline.Class()]
		}
		until = a.StartedAt + int64(wait/time.Second)
	}
	return until
}

// Known reports whether the processor's word for the decline is one we have a rule for.
func (d Decline) Known() bool {
	_, known := classOf[d.word()]
	return known || d.AdviceCode != "" || mastercardWaits[d.NetworkAdviceCode] > 0
}

// CardKey names the card behind the method: its fingerprint is the same for every method made of one card.
func (m Method) CardKey() string {
	if m.Fingerprint != "" {
		return m.Fingerprint
	}
	return m.ID
}

// Network is the card's network as the rules count, "" for what is no card.
func (m Method) Network() string {
	if m.Type != "card" {
		return ""
	}
	return m.Brand
}

// Words says for staff why a charge is not made.
func (d Denial) Words() string {
	switch d {
	case DenialHard:
		return "The bank's answer to this card stays a no: only another card, new details of it, or the customer can help."
	case DenialNetwork:
		return "The card's network allows no more tries for this amount just now."
	case DenialPace:
		return "Enough automatic tries were made in two weeks."
	case DenialGap:
		return "The last automatic try is less than a day old."
	case DenialAdvice:
		return "The bank asked to wait, or its reason needs time."
	case DenialUnknown:
		return "The card was declined three times for a reason nobody knows. Look at it in Stripe."
	case DenialDebit:
		return "The bank debit was presented as often as it may be."
	case DenialOften:
		return "The customer tried this card for it " + strconv.Itoa(DefaultBudget().Presses.Most) + " times."
	}
	return ""
}
