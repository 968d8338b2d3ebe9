package views

import (
	"sollecito/internal/billing"
	"sollecito/internal/l10n"
)

// MethodsPage lists every way to pay a customer has on file and what each is used for. GET /pay/methods.
type MethodsPage struct {
	Frame
	Methods  []Held
	Removed  *CardOnFile // has just been taken off
	Removing *CardOnFile // is being taken off as soon as the processor answers
	Mailed   bool        // a confirmation goes to MaskedEmail
}

// Held is a way to pay with what it is used for.
type Held struct {
	CardOnFile
	Default bool     // charged where nothing else is said
	Serves  []string // the subscriptions it pays for
	Soon    bool     // expires this month or next
}

// RemoveMethodPage shows what follows from taking a way to pay off, or what stands in the way. GET
// /pay/methods/{id}/remove. It asks for a code first (POST /pay/methods/{id}/code); with the code, POST
// /pay/methods/{id}/remove with the fields code and successor does it.
type RemoveMethodPage struct {
	Frame
	Method    Held
	Obstacle  billing.Obstacle
	Others    []Held          // what could take its place; empty when it serves nothing
	Successor string          // the id of the one that was chosen
	Open      []billing.Money // what stays owed
	Code      CodeEntry
}

// CodeEntry is where a page that asks for a code stands.
type CodeEntry struct {
	Asked  bool // a code is on its way, or was wrong
	Nobody bool // there is no address to send one to
	Typed  string
	Faults []Fault // at field code, or others of the page
}

// uses says what a way to pay is used for.
func (f Frame) uses(h Held) string {
	switch {
	case len(h.Serves) > 0:
		return f.text("methods.serves", l10n.Args{"Subscriptions": f.names(h.Serves)})
	case h.Default:
		return f.text("methods.default")
	}
	return f.text("methods.serves_nothing")
}

// endsIn says until when a card can be charged; "" for what does not expire.
func (f Frame) endsIn(h Held) string {
	until := expiry(&h.CardOnFile)
	if until == "" {
		return ""
	}
	key := "card.expires"
	switch {
	case h.Expired:
		key = "card.expired"
	case h.Soon:
		key = "methods.expires_soon"
	}
	return f.text(key, l10n.Args{"Expiry": l10n.Isolated(until)})
}
