package sandbox

import (
	"strconv"
	"strings"
	"time"
)

// farYear is an expiry year that lies ahead of both the operation's clock and the real one.
func (s *Server) farYear(op *operation) int64 {
	return int64(time.Unix(max(op.at, s.now().Unix()), 0).UTC().Year()) + 3
}

// readMethod makes a payment method from the parameters of its own call or of payment_method_data.
func (s *Server) readMethod(op *operation, p *params) (*method, *apiError) {
	m := method{Type: p.text("type"), Metadata: p.mergeMetadata(nil), Billing: readBilling(p, billingDetails{})}
	switch m.Type {
	case "card":
		refused := s.readCardInto(op, &m, p)
		if refused != nil {
			return nil, refused
		}
	case "sepa_debit":
		m.Number = strings.ToUpper(strings.ReplaceAll(p.text("sepa_debit.iban"), " ", ""))
		if len(m.Number) < 15 {
			return nil, invalidRequest("sepa_debit[iban]", "account_number_invalid", "The IBAN you provided is invalid.")
		}
	case "us_bank_account":
		m.Number, m.HolderType, m.AccountType = p.text("us_bank_account.account_number"), p.or("us_bank_account.account_holder_type", "individual"), p.or("us_bank_account.account_type", "checking")
		if len(m.Number) < 4 {
			return nil, invalidRequest("us_bank_account[account_number]", "account_number_invalid", "The account number is invalid.")
		}
		m.Typed = true
	case "":
		return nil, missingParam("type")
	default:
		return nil, invalidRequest("type", "", "The sandbox does not simulate payment methods of type "+m.Type+".")
	}
	return s.newMethod(op, m), nil
}

func readBilling(p *params, was billingDetails) billingDetails {
	p.set("billing_details.email", &was.Email)
	p.set("billing_details.name", &was.Name)
	p.set("billing_details.phone", &was.Phone)
	was.Address = readAddress(p, "billing_details.address", was.Address)
	return was
}

// readCardInto takes a token or a typed card and checks it as Stripe does before any bank is asked.
func (s *Server) readCardInto(op *operation, m *method, p *params) *apiError {
	token := p.text("card.token")
	if token != "" {
		card, ok := cardByName(token)
		if !ok {
			return missingIn("card[token]", "token", token)
		}
		m.Number, m.ExpMonth, m.ExpYear, m.CVC = card.Number, 12, s.farYear(op), "123"
		return nil
	}
	if !p.has("card.number") {
		return missingParam("card[number]")
	}
	m.Number = strings.Map(func(sign rune) rune {
		if sign == ' ' || sign == '-' {
			return -1
		}
		return sign
	}, p.text("card.number"))
	if !passesLuhn(m.Number) {
		return cardMistake("number", "incorrect_number")
	}
	card, published := cardByNumber(m.Number)
	if !published {
		return declineFor("test_mode_live_card").apiError()
	}
	m.ExpMonth, m.ExpYear, m.CVC = p.number("card.exp_month", 0), p.number("card.exp_year", 0), p.text("card.cvc")
	if m.ExpYear > 0 && m.ExpYear < 100 {
		m.ExpYear += 2000
	}
	today := s.now().UTC()
	if m.ExpMonth < 1 || m.ExpMonth > 12 {
		return cardMistake("exp_month", "invalid_expiry_month")
	}
	if m.ExpYear < int64(today.Year()) || m.ExpYear > int64(today.Year())+50 {
		return cardMistake("exp_year", "invalid_expiry_year")
	}
	if m.ExpYear == int64(today.Year()) && m.ExpMonth < int64(today.Month()) {
		return cardMistake("exp_month", "invalid_expiry_month")
	}
	_, err := strconv.Atoi(m.CVC)
	if m.CVC != "" && (err != nil || len(m.CVC) < 3 || len(m.CVC) > 4 || len(m.CVC) == 4 && card.Brand != "amex") {
		return cardMistake("cvc", "invalid_cvc")
	}
	return nil
}

// cardMistake is Stripe's answer to a mistyped card: a card_error without a bank's decline code.
func cardMistake(param, code string) *apiError {
	failed := declineFor(code).apiError()
	failed.DeclineCode, failed.Param = "", param
	return failed
}
