package sandbox

func (s *Server) drawMethod(m *method) object {
	o := object{
		"id": m.ID, "object": "payment_method", "billing_details": m.Billing.draw(), "created": m.Created,
		"customer": textOrNull(m.Customer), "livemode": false, "metadata": textMap(m.Metadata), "type": m.Type,
	}
	o[m.Type] = m.drawKind()
	return o
}

func (m *method) last4() string { return m.Number[max(0, len(m.Number)-4):] }

func (m *method) drawKind() object {
	switch m.Type {
	case "sepa_debit":
		return object{
			"bank_code": bankCode(m.Number), "branch_code": "", "country": m.Number[:2], "fingerprint": m.Fingerprint,
			"generated_from": object{"charge": nil, "setup_attempt": nil}, "last4": m.last4(),
		}
	case "us_bank_account":
		return object{
			"account_holder_type": m.HolderType, "account_type": m.AccountType, "bank_name": "STRIPE TEST BANK",
			"financial_connections_account": nil, "fingerprint": m.Fingerprint, "last4": m.last4(),
			"networks":       object{"preferred": "ach", "supported": []any{"ach"}},
			"routing_number": "110000000", "status_details": object{},
		}
	case "link":
		return object{"email": textOrNull(m.Billing.Email)}
	}
	card, _ := cardByNumber(m.Number)
	return object{
		"brand": card.Brand, "checks": m.drawChecks(card), "country": card.Country, "display_brand": nil,
		"exp_month": m.ExpMonth, "exp_year": m.ExpYear, "fingerprint": m.Fingerprint, "funding": card.Funding,
		"generated_from": nil, "last4": m.last4(),
		"networks":             object{"available": []any{card.Brand}, "preferred": nil},
		"three_d_secure_usage": object{"supported": card.Brand != "amex"}, "wallet": nil,
	}
}

func (m *method) drawChecks(card testCard) object {
	checks := object{"address_line1_check": nil, "address_postal_code_check": nil, "cvc_check": nil}
	if m.CVC != "" {
		checks["cvc_check"] = "pass"
		if m.Customer == "" {
			checks["cvc_check"] = "unchecked"
		}
		if card.CVCFails {
			checks["cvc_check"] = "fail"
		}
	}
	if m.Billing.Address != nil {
		if m.Billing.Address.Line1 != "" {
			checks["address_line1_check"] = "pass"
		}
		if m.Billing.Address.PostalCode != "" {
			checks["address_postal_code_check"] = "pass"
		}
	}
	return checks
}

func bankCode(iban string) string {
	if len(iban) < 9 {
		return ""
	}
	return iban[4:9]
}
