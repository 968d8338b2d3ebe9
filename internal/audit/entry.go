package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// Entry is one deed. Actor is a member of staff's id, or the word for who acted instead: "command", "customer",
// "program", "nobody" (not signed in), "" for the program too; Role is the role they had. Action is a dotted word such as "staff.signed_in", Object the id of
// what it was done to, Detail a few plain words. IP and Request are those of the request, "" when there was
// none. Seq is given by Append, 1 for the first and without gaps. At is kept to the second.
type Entry struct {
	Actor   string
	Role    string
	Action  string
	Object  string
	Detail  string
	IP      string
	Request string
	At      time.Time
	Seq     int64
}

// plain is the entry as every database keeps it: without NUL and as valid UTF-8. What is hashed must be what is read
// again, and an object's id may come from an address that somebody typed.
func (e Entry) plain() Entry {
	for _, text := range []*string{&e.Actor, &e.Role, &e.Action, &e.Object, &e.Detail, &e.IP, &e.Request} {
		*text = strings.ToValidUTF8(strings.ReplaceAll(*text, "\x00", ""), "\uFFFD")
	}
	return e
}

// chained is the hash of an entry that follows the one with the hash before: SHA-256, in hexadecimal, over a
// JSON array, which unlike plain joining cannot be shifted between fields.
func (e Entry) chained(before string) (string, error) {
	text, err := json.Marshal([]any{before, e.Seq, e.At.Unix(), e.Actor, e.Role, e.Action, e.Object, e.Detail, e.IP, e.Request})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
