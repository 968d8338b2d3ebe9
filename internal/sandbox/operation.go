package sandbox

import (
	"encoding/json"
	"reflect"
	"strings"
)

// object is a rendered Stripe object.
type object = map[string]any

// operation is one change of the stand-in's world: a call, or one thing that time asked for. It carries the instant
// it happens at, which is not always now, and gathers the events that tell of it.
type operation struct {
	server *Server
	// at is when this happens, by the clock of the customer it concerns.
	at      int64
	request requestOrigin
	marks   []mark
	before  map[string]object
	created map[string]bool
}

// requestOrigin is the call that caused an event; empty for what time caused.
type requestOrigin struct {
	ID, Key string
}

// mark is one event to tell of; an empty kind is an update that is told of only if something differs.
type mark struct {
	kind, id string
}

func (s *Server) operationAt(at int64, request requestOrigin) *operation {
	return &operation{server: s, at: at, request: request, before: map[string]object{}, created: map[string]bool{}}
}

// follow makes the operation happen by the clock of this customer.
func (op *operation) follow(clock string) {
	op.at = op.server.timeOf(clock)
}

// touch must be called before an object is changed; flush then tells what differs as "….updated".
func (op *operation) touch(id string) {
	if id == "" || op.created[id] {
		return
	}
	_, done := op.before[id]
	if done {
		return
	}
	shot, ok := op.server.objectByID(id)
	if !ok {
		return
	}
	op.before[id] = deepCopy(shot)
	op.marks = append(op.marks, mark{id: id})
}

// emit tells of an event once the operation's changes are made.
func (op *operation) emit(kind, id string) {
	op.marks = append(op.marks, mark{kind: kind, id: id})
}

// make tells of a new object.
func (op *operation) make(kind, id string) {
	op.created[id] = true
	op.emit(kind, id)
}

// updatedEvents are the kinds of objects whose changes Stripe tells of.
var updatedEvents = map[string]string{
	"customer": "customer.updated", "subscription": "customer.subscription.updated", "invoice": "invoice.updated",
	"payment_method": "payment_method.updated", "product": "product.updated", "price": "price.updated",
	"charge": "charge.updated", "dispute": "charge.dispute.updated", "credit_note": "credit_note.updated",
}

// flush stores the events of what happened since the last flush, each with its object as it stands now.
func (op *operation) flush() {
	marks, before := op.marks, op.before
	op.marks, op.before, op.created = nil, map[string]object{}, map[string]bool{}
	for _, m := range marks {
		now, ok := op.server.objectByID(m.id)
		if !ok {
			continue
		}
		if m.kind != "" {
			op.server.storeEvent(op, m.kind, now, nil)
			continue
		}
		kind := updatedEvents[now["object"].(string)]
		previous := difference(before[m.id], deepCopy(now))
		if kind == "" || len(previous) == 0 {
			continue
		}
		op.server.storeEvent(op, kind, now, previous)
	}
}

// difference gives the earlier values of what changed: nested objects only in their changed part, lists whole.
func difference(before, after object) object {
	changed := object{}
	for name, old := range before {
		current, still := after[name]
		if still && reflect.DeepEqual(old, current) {
			continue
		}
		oldFields, oldIsObject := old.(object)
		newFields, newIsObject := current.(object)
		if oldIsObject && newIsObject && name != "metadata" {
			changed[name] = difference(oldFields, newFields)
			continue
		}
		changed[name] = old
	}
	for name := range after {
		_, was := before[name]
		if !was {
			changed[name] = nil
		}
	}
	return changed
}

// deepCopy brings an object into the plain form that JSON gives, so that two of them can be compared.
func deepCopy(o object) object {
	text, err := json.Marshal(o)
	if err != nil {
		return o
	}
	var copied object
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	err = decoder.Decode(&copied)
	if err != nil {
		return o
	}
	return copied
}
