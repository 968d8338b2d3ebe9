package inbound

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/mail"
	"strings"
)

// Way is what an address is for.
type Way string

const (
	Bounce    Way = "bounce"    // the envelope's sender of one mail: where reports of it go
	Reply     Way = "reply"     // its Reply-To
	Complaint Way = "complaint" // where mail services send what their readers report; the report itself must name a mail of ours
)

// complaints stands where a token does in the one address that needs none.
const complaints = "complaints"

// Tag is what a token says once it has been checked.
type Tag struct {
	Way      Way
	NoticeID string // "" for Complaint
}

// Addresses makes and recognises the addresses of one installation. The zero value makes none.
type Addresses struct {
	before, after string // around the token, "mail+" and "@in.example.com"
	key           []byte
}

const (
	place     = "{token}"
	noticeTag = "ntc_"
	macBytes  = 10 // 80 bits: a guess at a time over SMTP never gets there
	idLength  = 26
	tokenSize = 1 + idLength + 16
)

var letters = base32.HexEncoding.WithPadding(base32.NoPadding)

// NewAddresses makes them from a pattern such as mail+{token}@in.example.com and a secret, of which a key of its own is
// derived. An empty pattern makes none.
func NewAddresses(pattern, secret string) (Addresses, error) {
	if pattern == "" {
		return Addresses{}, nil
	}
	pattern = strings.ToLower(strings.TrimSpace(pattern))
	before, after, ok := strings.Cut(pattern, place)
	if !ok || strings.Contains(after, place) || !strings.HasPrefix(after, "@") {
		return Addresses{}, errors.New("must read like mail+{token}@in.example.com, with {token} just before the @")
	}
	whole := before + strings.Repeat("a", tokenSize) + after
	parsed, err := mail.ParseAddress(whole)
	if err != nil || parsed.Address != whole {
		return Addresses{}, errors.New("must be an address when {token} is put in, as mail+{token}@in.example.com")
	}
	const longestLocal = 64 // RFC 5321, 4.5.3.1.1
	if len(before)+tokenSize > longestLocal {
		return Addresses{}, fmt.Errorf("has %d characters before {token}; at most %d fit", len(before), longestLocal-tokenSize)
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "sollecito inbound addresses 1", sha256.Size)
	if err != nil {
		return Addresses{}, err
	}
	return Addresses{before: before, after: after, key: key}, nil
}

// On reports whether there are any.
func (a Addresses) On() bool { return a.after != "" }

// Domain is where they live.
func (a Addresses) Domain() string { return strings.TrimPrefix(a.after, "@") }

// For answers the address of a way for a notice; "" when there are none.
func (a Addresses) For(way Way, notice string) string {
	id, ok := strings.CutPrefix(notice, noticeTag)
	if !a.On() || !ok || len(id) != idLength {
		return ""
	}
	return a.before + string(way[0]) + id + a.mac(way, id) + a.after
}

// Hidden is an address with something else in the token's place, for copies that are kept.
func (a Addresses) Hidden(instead string) string { return a.before + instead + a.after }

// Complaints is the address to register with mail services for what their readers report.
func (a Addresses) Complaints() string { return a.before + complaints + a.after }

// Check answers what an address is for, and false for one that we never made. Some servers change its case; that
// changes nothing.
func (a Addresses) Check(address string) (Tag, bool) {
	token, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(address)), a.before)
	if !ok || !a.On() {
		return Tag{}, false
	}
	token, ok = strings.CutSuffix(token, a.after)
	if ok && token == complaints {
		return Tag{Way: Complaint}, true
	}
	if !ok || len(token) != tokenSize {
		return Tag{}, false
	}
	way := map[byte]Way{'b': Bounce, 'r': Reply}[token[0]]
	id, mac := token[1:1+idLength], token[1+idLength:]
	if way == "" || !hmac.Equal([]byte(mac), []byte(a.mac(way, id))) {
		return Tag{}, false
	}
	return Tag{Way: way, NoticeID: noticeTag + id}, true
}

func (a Addresses) mac(way Way, id string) string {
	m := hmac.New(sha256.New, a.key)
	m.Write([]byte(string(way) + " " + id))
	return strings.ToLower(letters.EncodeToString(m.Sum(nil)[:macBytes]))
}
