package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// Sealer keeps what must be read again so that a copy of the database alone gives none of it away: AES-256-GCM under a key
// derived from the installation's own secret, bound to what it is for and to whom.
type Sealer struct{ aead cipher.AEAD }

// ErrNoKey is that an installation without a session key can neither seal nor open anything.
var ErrNoKey = errors.New("no session key was given, so nothing that was sealed under it can be read")

// New makes the Sealer of one kind of secrets, which what names among all; another kind's is no use to it.
func New(secret, what string) (*Sealer, error) {
	if secret == "" {
		return &Sealer{}, nil
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "sollecito "+what, 32)
	if err != nil {
		return nil, fmt.Errorf("derive the key of each %s: %w", what, err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("derive the key of each %s: %w", what, err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("derive the key of each %s: %w", what, err)
	}
	return &Sealer{aead: aead}, nil
}

// Seal answers the text sealed for a purpose and for the one with the id.
func (s *Sealer) Seal(purpose, id, text string) (string, error) {
	if s.aead == nil {
		return "", ErrNoKey
	}
	return base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(text), []byte(purpose+"\n"+id))), nil
}

// Open answers what was sealed for the same purpose and the same id. It fails where that was under another key.
func (s *Sealer) Open(purpose, id, sealed string) (string, error) {
	if s.aead == nil {
		return "", ErrNoKey
	}
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("open what was sealed: %w", err)
	}
	text, err := s.aead.Open(nil, nil, raw, []byte(purpose+"\n"+id))
	if err != nil {
		return "", fmt.Errorf("open what was sealed: %w", err)
	}
	return string(text), nil
}
