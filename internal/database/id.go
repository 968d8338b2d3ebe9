package database

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// NewID makes an id that says what it is: "case_" and 26 letters and digits. They begin with the microsecond of
// making, so that ids sort in the order they were made, and end in 70 random bits. An id is no secret.
func NewID(prefix string) string {
	var raw [18]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(time.Now().UnixMicro())<<5) // 55 bits in 11 characters
	rand.Read(raw[7:])                                                     // never fails: the runtime ends the program when the system has no randomness
	return prefix + "_" + strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:]))[:26]
}
