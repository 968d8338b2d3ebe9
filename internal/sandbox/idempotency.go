package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// keyLifetime is how long Stripe keeps an idempotent result at least; after it the key is new again.
const keyLifetime = 24 * time.Hour

// storedAnswer is the first answer to an idempotency key, declines and server faults included.
type storedAnswer struct {
	Fingerprint, RequestID string
	Status                 int
	Body                   []byte
	At                     int64 // real time
}

// onceFor runs a call once per idempotency key. The same key with the same call gets the stored answer; with another
// call, or while the first is still being answered, a refusal. Refusals made before execution are not stored.
func (s *Server) onceFor(key string, r *http.Request, raw, requestID string, header map[string]string, run func() answer) answer {
	header["Idempotency-Key"] = key
	if len(key) > 255 {
		failed := &apiError{Status: http.StatusBadRequest, Type: "idempotency_error", Message: "Idempotency keys can be at most 255 characters long."}
		return refusal(failed, requestID, header)
	}
	print := fingerprint(r, raw)

	s.mu.Lock()
	if s.underWay[key] {
		s.mu.Unlock()
		failed := &apiError{
			Status: http.StatusConflict, Type: "idempotency_error", Code: "idempotency_key_in_use",
			Message: "There is currently another in-progress request using this Stripe-Idempotency-Key (that probably means you submitted twice, and the other request is still going through): " + key + ". If you are seeing this error often, please contact us at https://support.stripe.com/.",
		}
		return refusal(failed, requestID, header)
	}
	stored, ok := s.memory.Idempotent[key]
	if ok && time.Since(time.Unix(stored.At, 0)) > keyLifetime {
		delete(s.memory.Idempotent, key)
		ok = false
	}
	if ok {
		s.mu.Unlock()
		if stored.Fingerprint != print {
			failed := &apiError{
				Status: http.StatusBadRequest, Type: "idempotency_error",
				Message: "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '" + key + "' if you meant to execute a different request.",
			}
			return refusal(failed, requestID, header)
		}
		header["Idempotent-Replayed"] = "true"
		header["Original-Request"] = stored.RequestID
		return answer{status: stored.Status, body: stored.Body, header: header}
	}
	s.underWay[key] = true
	s.mu.Unlock()

	// Also on a panic the key must not stay in use.
	defer func() {
		s.mu.Lock()
		delete(s.underWay, key)
		s.mu.Unlock()
	}()
	given := run()
	header["Original-Request"] = requestID
	if !given.unstored {
		s.mu.Lock()
		s.memory.Idempotent[key] = &storedAnswer{
			Fingerprint: print, RequestID: requestID, Status: given.status, Body: given.body, At: time.Now().Unix(),
		}
		s.mu.Unlock()
	}
	return given
}

// fingerprint is the same for two calls with the same parameters, in whatever order they are written.
func fingerprint(r *http.Request, raw string) string {
	pairs := slices.DeleteFunc(strings.Split(raw, "&"), func(pair string) bool { return pair == "" })
	slices.Sort(pairs)
	sum := sha256.Sum256([]byte(r.Method + " " + r.URL.Path + "\n" + strings.Join(pairs, "&")))
	return hex.EncodeToString(sum[:])
}

// sortedKeys gives a map's keys in order, so that what is drawn from maps does not depend on chance.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
