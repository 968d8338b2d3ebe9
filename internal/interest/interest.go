package interest

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"sollecito/internal/fault"
)

// Debt is one sum a business owes another. Due is its due date and Until the last day interest is asked for, both as
// calendar days whatever their clock says; interest runs from the day after Due.
type Debt struct {
	Name     string // as its invoice is called
	Minor    int64
	Currency string // lower case
	Due      time.Time
	Until    time.Time
}

// Line is a stretch of days at one rate: principal × rate × days / 365, rounded half up to the minor unit.
type Line struct {
	From, To time.Time // both counted
	Days     int64
	Rate     Percent
	Minor    int64
}

// Claim is what the law of a country lets one ask for one late debt. The fixed sum has a currency of its own and is
// never added to sums of another.
type Claim struct {
	Debt
	Country  Country
	Lines    []Line
	Interest int64 // minor units of the debt's currency, the sum of the lines
	Fixed    Band
}

// mostMinor keeps what is worked out far within what can be written down.
const mostMinor = 1_000_000_000_000

// Claim works out one debt by the law of a country. A year has 365 days in every formula, and 29 February is a day like
// any other. Errors are fault.Invalid with a sentence for staff: a country or half-year without a rate, a debt that is
// not late, or one whose fixed sum depends on an amount in another currency.
func (all Rates) Claim(code string, d Debt) (Claim, error) {
	c, known := all[code]
	due, until := day(d.Due), day(d.Until)
	switch {
	case code == "":
		return Claim{}, fault.New(fault.Invalid, "Their country is not known.")
	case !known:
		return Claim{}, fault.New(fault.Invalid, "There is no rate for %s. Known are %s; SOLLECITO_INTEREST_RATES adds others.", code, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	case d.Minor <= 0 || d.Minor > mostMinor:
		return Claim{}, fault.New(fault.Invalid, "There is nothing to ask interest for.")
	case !until.After(due):
		return Claim{}, fault.New(fault.Invalid, "It is not late yet.")
	}
	claim := Claim{Debt: d, Country: c}
	start := due.AddDate(0, 0, 1)
	for from := start; !from.After(until); {
		next := halfYear(from).AddDate(0, 6, 0)
		of := halfYear(from)
		if c.FixedAtStart {
			of, next = halfYear(start), until.AddDate(0, 0, 1)
		}
		rate, known := c.rates[of.Format(time.DateOnly)]
		if !known {
			return Claim{}, fault.New(fault.Invalid, "The rate of %s for the half-year from %s is not known here. Look it up and add it with SOLLECITO_INTEREST_RATES.", c.Name, of.Format("2 January 2006"))
		}
		to := next.AddDate(0, 0, -1)
		if to.After(until) {
			to = until
		}
		days := int64(to.Sub(from)/(24*time.Hour)) + 1
		line := Line{From: from, To: to, Days: days, Rate: rate, Minor: share(d.Minor, rate, days)}
		claim.Lines = append(claim.Lines, line)
		claim.Interest += line.Minor
		from = to.AddDate(0, 0, 1)
	}
	for _, band := range c.Compensation {
		if len(c.Compensation) > 1 && band.Currency != d.Currency {
			return Claim{}, fault.New(fault.Invalid, "The fixed sum of %s goes by the debt in %s, and this one is in another currency.", c.Name, strings.ToUpper(band.Currency))
		}
		if band.Below == 0 || d.Minor < band.Below {
			claim.Fixed = band
			break
		}
	}
	return claim, nil
}

// share is minor × rate × days / 365, rounded half up.
func share(minor int64, rate Percent, days int64) int64 {
	above := big.NewInt(minor)
	above.Mul(above, big.NewInt(int64(rate)))
	above.Mul(above, big.NewInt(2*days))
	below := big.NewInt(365 * 100 * 100)
	above.Add(above, below)
	return above.Div(above, below.Mul(below, big.NewInt(2))).Int64()
}

// day is the calendar day of an instant as midnight UTC, so that days can be counted.
func day(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// Formulas are the claim line by line, as people read and check it. money writes an amount.
func (c Claim) Formulas(money func(minor int64, currency string) string) []string {
	const layout = "2 January 2006"
	var all []string
	for _, l := range c.Lines {
		all = append(all, fmt.Sprintf("%s to %s: %s × %s × %d days / 365 = %s",
			l.From.Format(layout), l.To.Format(layout), money(c.Minor, c.Currency), l.Rate, l.Days, money(l.Minor, c.Currency)))
	}
	return all
}
