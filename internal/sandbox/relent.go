package sandbox

import (
	"fmt"
	"time"
)

// Relent lets the bank say yes from an instant on to the method on which FailRenewal made an invoice fail: the money
// will have come by then. The zero time is now. It refuses an unknown invoice.
func (s *Server) Relent(invoiceID string, from time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.memory.Invoices.get(invoiceID)
	if !ok {
		return fmt.Errorf("relent: no invoice %q", invoiceID)
	}
	forced, ok := s.memory.Forced[invoiceID]
	if !ok {
		return nil
	}
	if from.IsZero() {
		delete(s.memory.Forced, invoiceID)
		return nil
	}
	forced.Until = from.Unix()
	s.memory.Forced[invoiceID] = forced
	return nil
}
