package checkout

import (
	"strconv"
	"strings"

	"sollecito/internal/billing"
)

// Expected is one invoice and what the customer was shown for it. A charge is made only when it still holds.
type Expected struct {
	Invoice string
	Amount  billing.Money
}

// String is an expectation as pages and metadata carry it: "in_123 2900 eur".
func (e Expected) String() string {
	return e.Invoice + " " + strconv.FormatInt(e.Amount.Minor, 10) + " " + e.Amount.Currency
}

// ParseExpected reads what String wrote; false when it is anything else.
func ParseExpected(text string) (Expected, bool) {
	parts := strings.Fields(text)
	if len(parts) != 3 {
		return Expected{}, false
	}
	minor, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return Expected{}, false
	}
	return Expected{Invoice: parts[0], Amount: billing.Money{Minor: minor, Currency: parts[2]}}, true
}

func expectedOf(metadata map[string]string) []Expected {
	var all []Expected
	for n := range mostInvoices {
		e, ok := ParseExpected(metadata["charge_"+strconv.Itoa(n)])
		if ok {
			all = append(all, e)
		}
	}
	return all
}
