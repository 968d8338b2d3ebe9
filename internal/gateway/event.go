package gateway

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sollecito/internal/fault"
)

// tolerance is how far a signature's instant may lie from ours, both ways.
const tolerance = 300 * time.Second

// Event is what we keep of an event: enough to know what to read again. Its snapshot is old when it arrives
// and may be of another version, so that nothing else of it is believed.
type Event struct {
	ID         string
	Type       string
	ObjectType string // Stripe's "object" word, "" when unreadable
	ObjectID   string
	Customer   string // as the snapshot names it, "" when only another object tells (see CustomerOf)
	APIVersion string // "" for events that carry none
	Account    string // the connected account it belongs to, "" for our own
	Livemode   bool
	Created    int64  // unix seconds, 0 when unreadable
	Unreadable string // why it cannot be acted on and is to be parked, "" when it can
}

// VerifyEvent checks that the body came from Stripe and reads it. header is Stripe-Signature; every v1 value in
// it is tried with every secret, so that secrets can roll; an instant more than 300 seconds away from now, past
// or future, is refused. A well-signed event we cannot act on answers with Unreadable, so that it can be parked
// instead of being sent again for days. Error: fault.Invalid for a bad signature, instant, or a body that is no JSON.
func VerifyEvent(body []byte, header string, secrets []string, now time.Time) (Event, error) {
	if header == "" {
		return Event{}, fault.New(fault.Invalid, "There is no Stripe-Signature header: only Stripe may post here")
	}
	stamp, signatures := splitSignature(header)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return Event{}, fault.New(fault.Invalid, "The signature has no instant")
	}
	if !signed(body, stamp, signatures, secrets) {
		return Event{}, fault.New(fault.Invalid, "The signature does not match")
	}
	if seconds < now.Add(-tolerance).Unix() || seconds > now.Add(tolerance).Unix() {
		return Event{}, fault.New(fault.Invalid, "The signature is too old, or from the future: check this machine's clock")
	}
	return readEvent(body)
}

func splitSignature(header string) (stamp string, signatures [][]byte) {
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			stamp = value
		case "v1":
			signature, err := hex.DecodeString(value)
			if err == nil {
				signatures = append(signatures, signature)
			}
		}
	}
	return stamp, signatures
}

func signed(body []byte, stamp string, signatures [][]byte, secrets []string) bool {
	match := false
	for _, secret := range secrets {
		if secret == "" {
			continue // anybody can sign with nothing
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(stamp + "."))
		mac.Write(body)
		expected := mac.Sum(nil)
		for _, signature := range signatures {
			if hmac.Equal(signature, expected) {
				match = true
			}
		}
	}
	return match
}

// rawEvent is what we look at in an event's body.
type rawEvent struct {
	ID         string          `json:"id"`
	Object     string          `json:"object"`
	Type       string          `json:"type"`
	APIVersion string          `json:"api_version"`
	Account    string          `json:"account"`
	Livemode   bool            `json:"livemode"`
	Created    json.RawMessage `json:"created"`
	Data       struct {
		Object   eventObject `json:"object"`
		Previous eventObject `json:"previous_attributes"`
	} `json:"data"`
}

// eventObject is what we look at in the object an event is about, and in what changed of it.
type eventObject struct {
	ID       string          `json:"id"`
	Object   string          `json:"object"`
	Customer json.RawMessage `json:"customer"`
}

// readEvent reads the body in one go. A field of another shape spoils only itself: the decoder goes on after it.
func readEvent(body []byte) (Event, error) {
	var raw rawEvent
	err := json.Unmarshal(body, &raw)
	var shape *json.UnmarshalTypeError
	if err != nil && !errors.As(err, &shape) {
		return Event{}, fault.New(fault.Invalid, "The body is no JSON")
	}
	e := Event{ID: word(raw.ID), Type: word(raw.Type), APIVersion: clip(word(raw.APIVersion)), Account: word(raw.Account), Livemode: raw.Livemode}
	switch {
	case !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")):
		e.Unreadable = "it is no JSON object"
	case e.ID == "":
		e.Unreadable = "it has no id"
	case len(e.ID) > longestWord:
		e.Unreadable = "its id is longer than Stripe's can be"
	}
	if e.Unreadable != "" {
		return Event{ID: nameless(body), Type: clip(e.Type), APIVersion: e.APIVersion, Livemode: e.Livemode, Unreadable: e.Unreadable}, nil
	}
	if len(e.Type) > longestWord || len(e.Account) > longestWord {
		e.Type, e.Account, e.Unreadable = clip(e.Type), clip(e.Account), "its words are longer than Stripe's can be"
		return e, nil
	}
	if word(raw.Object) != "event" {
		e.Unreadable = "not a snapshot event but " + strconv.Quote(clip(word(raw.Object))) + ": send snapshot events to this endpoint"
		return e, nil
	}
	err = json.Unmarshal(raw.Created, &e.Created)
	if err != nil {
		e.Created, e.Unreadable = 0, "created is no number"
		return e, nil
	}
	object := raw.Data.Object
	e.ObjectType, e.ObjectID = word(object.Object), word(object.ID)
	if e.ObjectType == "" {
		e.ObjectID, e.Unreadable = clip(e.ObjectID), "it carries no object"
		return e, nil
	}
	if e.Type == "" {
		e.Unreadable = "it has no type"
		return e, nil
	}
	e.Customer = holder(object.Customer)
	if len(e.ObjectID) > longestWord || len(e.ObjectType) > longestWord {
		e.ObjectType, e.ObjectID, e.Unreadable = clip(e.ObjectType), clip(e.ObjectID), "its object's words are longer than Stripe's can be"
		return e, nil
	}
	if e.Customer == "" { // a detached payment method names its customer only in what changed
		e.Customer = holder(raw.Data.Previous.Customer)
	}
	if e.ObjectType == "customer" {
		e.Customer = e.ObjectID
	}
	if len(e.Customer) > longestWord {
		e.Customer, e.Unreadable = "", "its customer's id is longer than Stripe's can be"
	}
	return e, nil
}

// holder is the customer a field names, by id or in full.
func holder(raw json.RawMessage) string {
	var id string
	lenient(raw, &id)
	if id != "" {
		return word(id)
	}
	var full struct {
		ID string `json:"id"`
	}
	lenient(raw, &full)
	return word(full.ID)
}

// longestWord is how long an id or a type of Stripe's can be (docs.stripe.com/upgrades: ids, up to 255 characters).
const longestWord = 255

// nameless is what an event without a usable id of its own is kept under: the same body is the same event.
func nameless(body []byte) string {
	sum := sha256.Sum256(body)
	return "unnamed_" + hex.EncodeToString(sum[:16])
}

// word is a foreign word without control characters: Stripe's have none, databases refuse NUL, and a terminal obeys the
// others, where `events list` shows one event a line.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

// clip keeps a foreign word short enough to show.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	s = s[:most]
	for !utf8.ValidString(s) { // cut inside a letter
		s = s[:len(s)-1]
	}
	return s
}
