package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sollecito/internal/fault"
)

// Key is what is known of one key. Instants are unix seconds of the real clock, 0 for never.
type Key struct {
	ID        string
	Name      string // what it is for, in the words of who made it
	Beginning string // its first characters
	MadeBy    string // a member of staff's id, as EndedBy
	MadeAt    int64
	UsedAt    int64 // to the minute
	EndedBy   string
	EndedAt   int64
}

// Prefix is what every key begins with, so that whoever finds one in a log or a repository knows it for a secret of ours.
const Prefix = "sol_"

const (
	shown       = len(Prefix) + 6
	longestName = 60
	usedEvery   = time.Minute
)

// newSecret makes a key: the prefix and 256 random bits in letters and digits alone, which a double click marks as a whole.
func newSecret() string {
	var raw [32]byte
	rand.Read(raw[:]) // never fails: the runtime ends the program when the system has no randomness
	return Prefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:]))
}

// hashOf is what is stored of a key. It is random enough that a plain hash suffices.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// cleanName is a name as it is kept, fault.Invalid for one by which nobody would know the key again.
func cleanName(name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	switch {
	case name == "":
		return "", fault.New(fault.Invalid, "Say what the key is for")
	case utf8.RuneCountInString(name) > longestName:
		return "", fault.New(fault.Invalid, "A name has at most %d characters", longestName)
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", fault.New(fault.Invalid, "The name holds characters that cannot be seen")
	}
	return name, nil
}
