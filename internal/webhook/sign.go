package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	secretPrefix = "whsec_"
	secretBytes  = 32 // the specification asks for 24 to 64
)

func newSecret() string {
	raw := make([]byte, secretBytes)
	rand.Read(raw) // never fails: the runtime ends the program when the system has no randomness
	return secretPrefix + base64.StdEncoding.EncodeToString(raw)
}

// Headers are what a message is signed with.
type Headers struct {
	ID        string // webhook-id: the same at every try, for whoever must not act twice
	Timestamp string // webhook-timestamp: unix seconds of this try
	Signature string // webhook-signature: one for each secret, with spaces between
}

// sign signs the body with every secret, the newest first.
func sign(id string, at time.Time, body string, secrets []string) (Headers, error) {
	h := Headers{ID: id, Timestamp: strconv.FormatInt(at.Unix(), 10)}
	var all []string
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
		if err != nil {
			return Headers{}, fmt.Errorf("read a signing secret: %w", err)
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(h.ID + "." + h.Timestamp + "." + body))
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	h.Signature = strings.Join(all, " ")
	return h, nil
}
