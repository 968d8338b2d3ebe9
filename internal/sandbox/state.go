package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// table keeps records by id and remembers the order they came in.
type table[T any] struct {
	Rows  map[string]*T `json:"rows"`
	Order []string      `json:"order"`
}

func (t *table[T]) get(id string) (*T, bool) {
	row, ok := t.Rows[id]
	return row, ok
}

func (t *table[T]) add(id string, row *T) *T {
	if t.Rows == nil {
		t.Rows = map[string]*T{}
	}
	_, known := t.Rows[id]
	if !known {
		t.Order = append(t.Order, id)
	}
	t.Rows[id] = row
	return row
}

func (t *table[T]) remove(id string) {
	delete(t.Rows, id)
	t.Order = slices.DeleteFunc(t.Order, func(other string) bool { return other == id })
}

// each walks the records in the order they came in.
func (t *table[T]) each(visit func(id string, row *T)) {
	for _, id := range t.Order {
		visit(id, t.Rows[id])
	}
}

// forcedDecline makes every attempt on one invoice with one payment method decline.
type forcedDecline struct {
	Method, Code string
	Until        int64 // from then on the bank says yes again; 0 is never
}

// memory is everything the stand-in knows; Save writes it and Load brings it back.
type memory struct {
	Seed       string
	Counter    uint64
	Secret     string
	Customers  table[customer]
	Methods    table[method]
	Products   table[product]
	Prices     table[price]
	Subs       table[subscription]
	Items      table[invoiceItem]
	Invoices   table[invoice]
	Intents    table[intent]
	Setups     table[setup]
	Attempts   table[setupAttempt]
	Mandates   table[mandate]
	Charges    table[charge]
	Refunds    table[refund]
	Disputes   table[dispute]
	Credits    table[creditNote]
	Transfers  table[transaction]
	Clocks     table[testClock]
	Endpoints  table[endpoint]
	Portals    table[portalSession]
	Checkouts  table[checkoutSession]
	Events     table[storedEvent]
	Deliveries []*delivery
	Idempotent map[string]*storedAnswer
	Forced     map[string]forcedDecline
	Delivering DeliveryMode
}

// Save writes the whole state as JSON: objects, ids, idempotent answers, events, receivers, deliveries under way.
func (s *Server) Save(w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := json.NewEncoder(w).Encode(&s.memory)
	if err != nil {
		return fmt.Errorf("save the sandbox: %w", err)
	}
	return nil
}

// Load replaces the whole state by one that Save wrote. Options such as the clock stay as they are; the seed and the
// signing secret come with the state. On an error nothing is changed.
func (s *Server) Load(r io.Reader) error {
	var loaded memory
	err := json.NewDecoder(r).Decode(&loaded)
	if err != nil {
		return fmt.Errorf("load the sandbox: %w", err)
	}
	if loaded.Secret == "" {
		return fmt.Errorf("load the sandbox: this is not a saved sandbox")
	}
	if loaded.Idempotent == nil {
		loaded.Idempotent = map[string]*storedAnswer{}
	}
	if loaded.Forced == nil {
		loaded.Forced = map[string]forcedDecline{}
	}
	for _, pending := range loaded.Deliveries {
		pending.inFlight = false
	}
	s.mu.Lock()
	s.memory = loaded
	s.mu.Unlock()
	s.wake()
	return nil
}
