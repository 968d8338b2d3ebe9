package sandbox

import "fmt"

// Relent lets the bank say yes again to the method on which FailRenewal made an invoice fail: the money has come. It
// refuses an unknown invoice.
func (s *Server) Relent(invoiceID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.memory.Invoices.get(invoiceID)
	if !ok {
		return fmt.Errorf("relent: no invoice %q", invoiceID)
	}
	delete(s.memory.Forced, invoiceID)
	return nil
}
