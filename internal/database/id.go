package database

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
)

// NewID makes an id that says what it is: "case_" and 26 random letters and digits (130 bits).
func NewID(prefix string) string {
	var raw [17]byte
	rand.Read(raw[:]) // never fails: the runtime ends the program when the system has no randomness
	return prefix + "_" + strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:]))[:26]
}
