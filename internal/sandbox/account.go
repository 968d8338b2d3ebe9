package sandbox

const accountID = "acct_1SandboxAccount00"

func (s *Server) getAccount(_ *operation, _ *params) (object, error) {
	return object{
		"id": accountID, "object": "account", "business_type": nil, "charges_enabled": true, "country": "IT",
		"default_currency": "eur", "details_submitted": true, "email": "owner@sandbox.example", "payouts_enabled": true, "type": "standard",
		"business_profile": object{
			"annual_revenue": nil, "estimated_worker_count": nil, "mcc": nil, "name": s.merchant, "product_description": nil,
			"support_address": nil, "support_email": nil, "support_phone": nil, "support_url": nil, "url": nil,
		},
		"capabilities": object{"card_payments": "active", "sepa_debit_payments": "active", "transfers": "active"},
		"controller":   object{"type": "account"}, "metadata": object{}, "created": 1577836800,
		"settings": object{
			"bacs_debit_payments": object{"display_name": nil, "service_user_number": nil},
			"branding":            object{"icon": nil, "logo": nil, "primary_color": nil, "secondary_color": nil},
			"card_issuing":        object{"tos_acceptance": object{"date": nil, "ip": nil}},
			"card_payments": object{
				"decline_on":                  object{"avs_failure": false, "cvc_failure": false},
				"statement_descriptor_prefix": nil, "statement_descriptor_prefix_kana": nil, "statement_descriptor_prefix_kanji": nil,
			},
			"dashboard": object{"display_name": s.merchant, "timezone": "Europe/Rome"},
			"invoices":  object{"default_account_tax_ids": nil},
			"payments": object{
				"statement_descriptor": nil, "statement_descriptor_kana": nil, "statement_descriptor_kanji": nil,
				"statement_descriptor_prefix_kana": nil, "statement_descriptor_prefix_kanji": nil,
			},
			"sepa_debit_payments": object{},
		},
		"tos_acceptance": object{"date": nil, "ip": nil, "user_agent": nil},
	}, nil
}

// getBalance adds up everything booked, by currency.
func (s *Server) getBalance(_ *operation, _ *params) (object, error) {
	sums := map[string]int64{"eur": 0}
	s.memory.Transfers.each(func(_ string, t *transaction) { sums[t.Currency] += t.Amount - t.Fee })
	available, pending := []any{}, []any{}
	for _, currency := range sortedKeys(sums) {
		available = append(available, object{"amount": 0, "currency": currency, "source_types": object{"card": 0}})
		pending = append(pending, object{"amount": sums[currency], "currency": currency, "source_types": object{"card": sums[currency]}})
	}
	return object{"object": "balance", "available": available, "livemode": false, "pending": pending}, nil
}
