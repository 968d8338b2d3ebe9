package sandbox

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

const idAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// randomSeed makes ids that nobody can foretell; a given seed makes the same ids in every run.
func randomSeed() string { return rand.Text() }

// token gives n characters drawn from the seed and a counter.
func (s *Server) token(n int) string {
	s.memory.Counter++
	out := make([]byte, 0, n)
	for block := uint64(0); len(out) < n; block++ {
		var input [16]byte
		binary.BigEndian.PutUint64(input[:8], s.memory.Counter)
		binary.BigEndian.PutUint64(input[8:], block)
		mac := hmac.New(sha256.New, []byte(s.memory.Seed))
		mac.Write(input[:])
		for _, b := range mac.Sum(nil) {
			if len(out) < n {
				out = append(out, idAlphabet[int(b)%len(idAlphabet)])
			}
		}
	}
	return string(out)
}

// longID is Stripe's newer form: the account's part, then the object's own.
func (s *Server) longID(prefix string) string { return prefix + "1" + s.token(23) }

func (s *Server) shortID(prefix string) string { return prefix + s.token(14) }

// prefixFor is a customer's own beginning of invoice numbers: eight capital letters and digits.
func (s *Server) prefixFor() string {
	const capitals = "0123456789ABCDEF"
	drawn := []byte(s.token(8))
	for i, b := range drawn {
		drawn[i] = capitals[int(b)%len(capitals)]
	}
	return string(drawn)
}
