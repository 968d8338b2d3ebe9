package link

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// The two who prove themselves when `sollecito doctor` calls its portal at the public address.
const (
	ProofOfDoctor = "doctor"
	ProofOfPortal = "portal"
)

// Proof shows that its maker knows the installation's session key, without showing the key: who is one of the two
// above, nonce what was made up for this one call.
func Proof(key, who, nonce string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("sollecito proof\n" + who + "\n" + nonce))
	return hex.EncodeToString(mac.Sum(nil))
}

// Proves reports whether a proof is what Proof would make.
func Proves(proof, key, who, nonce string) bool {
	return key != "" && nonce != "" && hmac.Equal([]byte(proof), []byte(Proof(key, who, nonce)))
}
