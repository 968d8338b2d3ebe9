package gateway

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
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

// readEvent reads field by field, so that one of another shape spoils only itself.
func readEvent(body []byte) (Event, error) {
	if !json.Valid(body) {
		return Event{}, fault.New(fault.Invalid, "The body is no JSON")
	}
	top := fields(body)
	e := Event{
		ID: text(top["id"]), Type: text(top["type"]), APIVersion: clip(text(top["api_version"])), Account: text(top["account"]),
	}
	lenient(top["livemode"], &e.Livemode)
	switch {
	case top == nil:
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
	kind := text(top["object"])
	if kind != "event" {
		e.Unreadable = "not a snapshot event but " + strconv.Quote(clip(kind)) + ": send snapshot events to this endpoint"
		return e, nil
	}
	var created int64
	err := json.Unmarshal(top["created"], &created)
	if err != nil {
		e.Unreadable = "created is no number"
		return e, nil
	}
	e.Created = created
	data := fields(top["data"])
	object := fields(data["object"])
	e.ObjectType, e.ObjectID = text(object["object"]), text(object["id"])
	if object == nil || e.ObjectType == "" {
		e.Unreadable = "it carries no object"
		return e, nil
	}
	if e.Type == "" {
		e.Unreadable = "it has no type"
		return e, nil
	}
	e.Customer = holder(object)
	if len(e.ObjectID) > longestWord || len(e.ObjectType) > longestWord {
		e.ObjectType, e.ObjectID, e.Unreadable = clip(e.ObjectType), clip(e.ObjectID), "its object's words are longer than Stripe's can be"
		return e, nil
	}
	if e.Customer == "" { // a detached payment method names its customer only in what changed
		e.Customer = holder(fields(data["previous_attributes"]))
	}
	if e.ObjectType == "customer" {
		e.Customer = e.ObjectID
	}
	if len(e.Customer) > longestWord {
		e.Customer, e.Unreadable = "", "its customer's id is longer than Stripe's can be"
	}
	return e, nil
}

// holder is the customer an object names, by id or in full.
func holder(object map[string]json.RawMessage) string {
	id := text(object["customer"])
	if id != "" {
		return id
	}
	return text(fields(object["customer"])["id"])
}

// longestWord is how long an id or a type of Stripe's can be (docs.stripe.com/upgrades: ids, up to 255 characters).
const longestWord = 255

// nameless is what an event without a usable id of its own is kept under: the same body is the same event.
func nameless(body []byte) string {
	sum := sha256.Sum256(body)
	return "unnamed_" + hex.EncodeToString(sum[:16])
}

// text reads a string, "" when it is none. A NUL is no letter of any word of Stripe's, and databases refuse it.
func text(raw json.RawMessage) string {
	var s string
	lenient(raw, &s)
	return strings.ReplaceAll(s, "\x00", "")
}

func fields(raw json.RawMessage) map[string]json.RawMessage {
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		return nil
	}
	var m map[string]json.RawMessage
	lenient(raw, &m)
	return m
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
