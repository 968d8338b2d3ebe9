package link

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"
)

// NewToken makes a token of 32 random bytes as 43 URL-safe characters.
func NewToken() string {
	var raw [32]byte
	rand.Read(raw[:]) // never fails: the runtime ends the program when the system has no randomness
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// Hash is what is stored of a token.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

const day = 24 * time.Hour

// Expiry answers until when a link works: 30 days from the due date or the issue, whichever is later, at most
// 120 days from the issue. due is the latest due date among the open invoices (for an automatic charge its
// first failed attempt); with nothing open, the issue.
func Expiry(issued, due time.Time) time.Time {
	base := issued
	if due.After(issued) {
		base = due
	}
	rule, limit := base.Add(30*day), issued.Add(120*day)
	if rule.Before(limit) {
		return rule
	}
	return limit
}
