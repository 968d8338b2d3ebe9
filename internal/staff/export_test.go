package staff

import (
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// HashAsBefore is a password as an earlier release with weaker parameters would have kept it.
func HashAsBefore(password string) string {
	salt := []byte("an old salt here")
	sum := argon2.IDKey([]byte(password), salt, 1, 8192, 1, 32)
	return fmt.Sprintf("$argon2id$v=19$m=8192,t=1,p=1$%s$%s", base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}
