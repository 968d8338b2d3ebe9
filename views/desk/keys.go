package desk

import (
	"net/url"
	"time"
)

// KeysPage lists the keys with which the merchant's own programs ask, and lets an administrator make one and end one. Its
// forms are POST /admin/keys with name, and POST /admin/keys/{id}/end.
type KeysPage struct {
	Frame
	Keys   []APIKey
	Name   string // what was typed before, kept
	Faults []Fault
	Made   *MadeKey
	Ending *APIKey // whether this one is to end is asked; nil for none
}

// APIKey is a key as its list shows it. Instants are zero for never.
type APIKey struct {
	ID        string
	Name      string
	Beginning string // its first characters
	MadeBy    string
	MadeAt    time.Time
	UsedAt    time.Time
	EndedBy   string
	EndedAt   time.Time
}

// MadeKey is a key just made. It is shown once.
type MadeKey struct {
	Name   string
	Secret string
}

func (p KeysPage) title() string { return faulty("API keys", len(p.Faults) > 0) }

func keyURL(id string) string { return "/admin/keys/" + url.PathEscape(id) }
