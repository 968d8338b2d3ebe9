package webhook

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"sollecito/internal/fault"
)

// Endpoint is where the merchant's app, or their customer records, want to be told of events. Staff make it; it is disabled by
// them, or by an answer that says that nobody wants anything there any more. One that fails is tried on. Instants are unix
// seconds.
type Endpoint struct {
	ID           string
	Address      string
	Events       []Type
	CreatedAt    int64
	DisabledAt   int64  // 0 while it is told
	DisabledWhy  string // Disabled…, "" while it is told
	FailingSince int64  // the first failure after the last success, 0 for none
	OldUntil     int64  // real time until which the secret before this one signs too; 0 for none

	secret, oldSecret string // sealed
}

// Why an endpoint is disabled.
const (
	DisabledByStaff = "staff"
	DisabledAsGone  = "gone" // it answered 410
)

// Dead reports whether nothing has been taken for so long that a person should know.
func (e Endpoint) Dead(now time.Time) bool {
	return e.DisabledAt == 0 && e.FailingSince > 0 && now.Unix()-e.FailingSince >= int64(deadAfter.Seconds())
}

const (
	deadAfter = 3 * 24 * time.Hour
	overlap   = 24 * time.Hour // in which an old secret signs beside the new one
)

// Origin is where the endpoint is: scheme, host and port, without what follows, in which a token may stand.
func (e Endpoint) Origin() string {
	u, err := url.Parse(e.Address)
	if err != nil {
		return "" // none that was checked
	}
	return u.Scheme + "://" + u.Host
}

// wants reports whether the endpoint is told of such events.
func (e Endpoint) wants(t Type) bool { return slices.Contains(e.Events, t) }

// chosen answers the types an endpoint is to be told, in the order in which they are offered, or fault.Invalid.
func chosen(wanted []string) ([]Type, error) {
	var types []Type
	for _, t := range Types() {
		if slices.Contains(wanted, string(t)) {
			types = append(types, t)
		}
	}
	if len(types) == 0 {
		return nil, fault.New(fault.Invalid, "Choose at least one kind of event")
	}
	for _, w := range wanted {
		if !slices.Contains(types, Type(w)) {
			return nil, fault.New(fault.Invalid, "Choose among the kinds of events in the list")
		}
	}
	return types, nil
}

func joined(types []Type) string {
	words := make([]string, len(types))
	for i, t := range types {
		words[i] = string(t)
	}
	return strings.Join(words, ",")
}

func split(words string) []Type {
	var types []Type
	for word := range strings.SplitSeq(words, ",") {
		if word != "" {
			types = append(types, Type(word))
		}
	}
	return types
}
