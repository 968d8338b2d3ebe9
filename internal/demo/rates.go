package demo

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sollecito/internal/interest"
)

// stageRates is a file of rates of late interest for the half-years that can be played: made up, and saying so, since the
// real ones are for whoever runs Sollecito to look up. Those that come along stay as they are.
func stageRates(now time.Time) string {
	const years = 5
	var rates []string
	for year := now.Year() - 1; year < now.Year()+years; year++ {
		if year <= 2025 { // those come along
			continue
		}
		rates = append(rates, fmt.Sprintf("\"%d-01-01\": \"10.15\", \"%d-07-01\": \"10.15\"", year, year))
	}
	given := "rates: {" + strings.Join(rates, ", ") + "}"
	var text strings.Builder
	text.WriteString("countries:\n")
	for _, code := range slices.Sorted(maps.Keys(interest.Shipped())) {
		fmt.Fprintf(&text, "  - {code: %s, source: \"from 2026 on made up for this stage\", %s}\n", code, given)
	}
	fmt.Fprintf(&text, "  - {code: FI, name: Finland, law: \"made up for this stage: 40 EUR\", source: \"made up for this stage\", as_of: %s, compensation: [{minor: 4000, currency: eur}], %s}\n",
		now.Format(time.DateOnly), given)
	return text.String()
}
