package stepup

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode"
)

// Purpose is an act a code may be asked for.
type Purpose string

// The acts.
const (
	RemoveMethod Purpose = "remove_method" // takes a payment method off; its subject is the method's id
	ReadPapers   Purpose = "read_papers"   // opens invoices as PDF and older receipts, for the rest of the session; no subject
)

// Limits of a code, in real time (ASVS 5.0, 6.5.1, 6.5.5 and 6.6.3).
const (
	Digits    = 6
	Life      = 10 * time.Minute // from the writing of its letter
	MostTries = 5                // wrong ones, after which it is void
	MostAsked = 3                // per customer and hour
	waitsMost = 30 * time.Minute // for its letter to be written
)

// Need is what a code proves: this customer, in this session, for this act on this thing. Session is a hash.
type Need struct {
	CustomerID string
	Session    string
	Purpose    Purpose
	Subject    string
}

// Verdict is what became of typing a code.
type Verdict string

const (
	Right Verdict = "right" // it proves what was needed, and is used up
	Wrong Verdict = "wrong" // another try is left
	Void  Verdict = "void"  // there is none to try: too old, used, tried too often, never asked for here
)

// newDigits makes a code of Digits random digits.
func newDigits() (string, error) {
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(Digits), nil)
	n, err := rand.Int(rand.Reader, most)
	if err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	return fmt.Sprintf("%0*d", Digits, n), nil
}

// hash is what is stored of a code. So few digits are guessed in a moment by whoever has a plain hash, so it is keyed,
// and bound to the asking.
func hash(key, id, digits string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("sollecito code\n" + id + "\n" + digits))
	return hex.EncodeToString(mac.Sum(nil))
}

// zeros are the first digits of the scripts our readers type in: Latin, Arabic, Persian, and the wide ones of Japanese
// keyboards.
var zeros = []rune{'0', '\u0660', '\u06f0', '\uff10'}

// clean reads a code as people type or paste it: with spaces, a dash or marks of direction, in the digits of their own
// script. What holds anything else is no code, "".
func clean(typed string) string {
	if len(typed) > 100 {
		return ""
	}
	var b strings.Builder
next:
	for _, r := range typed {
		for _, zero := range zeros {
			if r >= zero && r <= zero+9 {
				b.WriteByte(byte('0' + r - zero))
				continue next
			}
		}
		if r != '-' && !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) {
			return ""
		}
	}
	if b.Len() != Digits {
		return ""
	}
	return b.String()
}
