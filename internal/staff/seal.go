package staff

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// sealer keeps what must be read again, the seeds of second factors, so that a copy of the database alone gives none
// away: AES-256-GCM under a key derived from the installation's own secret, bound to what it is for and to whom.
type sealer struct{ aead cipher.AEAD }

var errNoKey = errors.New("no session key was given, so no second factor can be read")

func newSealer(secret string) (*sealer, error) {
	if secret == "" {
		return &sealer{}, nil
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "sollecito staff second factor", 32)
	if err != nil {
		return nil, fmt.Errorf("derive the key of second factors: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("derive the key of second factors: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("derive the key of second factors: %w", err)
	}
	return &sealer{aead: aead}, nil
}

func (s *sealer) seal(purpose, memberID, text string) (string, error) {
	if s.aead == nil {
		return "", errNoKey
	}
	return base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(text), []byte(purpose+"\n"+memberID))), nil
}

func (s *sealer) open(purpose, memberID, sealed string) (string, error) {
	if s.aead == nil {
		return "", errNoKey
	}
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("open what was sealed: %w", err)
	}
	text, err := s.aead.Open(nil, nil, raw, []byte(purpose+"\n"+memberID))
	if err != nil {
		return "", fmt.Errorf("open what was sealed: %w", err)
	}
	return string(text), nil
}
