package database

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"sync/atomic"
	"time"
)

// NewID makes an id that says what it is: "case_" and 26 letters and digits. They begin with the microsecond of
// making, or the one after the last id's, so that the ids of one program sort in the order they were made, and end in 70
// random bits. An id is no secret.
func NewID(prefix string) string {
	var raw [18]byte
	rand.Read(raw[7:]) // never fails: the runtime ends the program when the system has no randomness
	chance := raw[7] & 0x1f
	binary.BigEndian.PutUint64(raw[:8], uint64(nextMicro())<<5) // in the first 59 bits
	raw[7] |= chance
	return prefix + "_" + strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:]))[:26]
}

// lastMicro is what the last id began with.
var lastMicro atomic.Int64

func nextMicro() int64 {
	for {
		last := lastMicro.Load()
		next := max(time.Now().UnixMicro(), last+1)
		if lastMicro.CompareAndSwap(last, next) {
			return next
		}
	}
}
