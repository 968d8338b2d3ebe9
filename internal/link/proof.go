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

// Proves reports whether proof is what Proof would make.
func Proves(proof, key, who, nonce string) bool {
	return key != "" && nonce != "" && hmac.Equal([]byte(proof), []byte(Proof(key, who, nonce)))
}

// The headers of a doctor's call to /healthz.
const (
	DoctorNonce = "Sollecito-Doctor-Nonce"
	DoctorProof = "Sollecito-Doctor-Proof"
)

// Arrival is how a doctor's call arrived, as the portal answers it.
type Arrival struct {
	Proof     string `json:"proof"`     // the portal's
	Client    string `json:"client"`    // whom the portal takes the caller for
	Peer      string `json:"peer"`      // whose connection it was
	Forwarded string `json:"forwarded"` // X-Forwarded-For as it came
}
