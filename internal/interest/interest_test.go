package interest_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/internal/interest"
)

func on(day string) time.Time {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return at
}

// Worked out by hand from the published rates.
func TestGoldenClaims(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, country, currency string
		minor                   int64
		due, until              string
		lines                   string // days at rate = interest
		interest, fixed         int64
	}{
		{"within one half-year", "IT", "eur", 100000, "2024-01-31", "2024-03-01", "30 at 12.50 % = 1027", 1027, 4000}, // 1000 × .125 × 30/365 = 10.274; 29 February counts
		{"one day", "IT", "eur", 100000, "2024-02-28", "2024-02-29", "1 at 12.50 % = 34", 34, 4000},                   // 0.3425
		{"over the half-year", "DE", "eur", 250000, "2024-06-20", "2024-07-10", "10 at 12.62 % = 864; 10 at 12.37 % = 847", 1711, 4000},
		{"over three half-years", "ES", "eur", 1000000, "2022-12-31", "2024-01-31", "181 at 10.50 % = 52068; 184 at 12.00 % = 60493; 31 at 12.50 % = 10616", 123177, 4000},
		{"France asks for ten points", "FR", "eur", 36500, "2025-06-30", "2025-07-10", "10 at 12.15 % = 122", 122, 4000}, // 121.5 is rounded up
		{"the United Kingdom keeps the first rate", "GB", "gbp", 99999, "2024-06-20", "2024-07-20", "30 at 13.25 % = 1089", 1089, 4000},
		{"its second band", "GB", "gbp", 100000, "2024-12-31", "2025-07-31", "212 at 12.75 % = 7405", 7405, 7000},
		{"its third band", "GB", "gbp", 1000000, "2025-07-01", "2025-07-02", "1 at 12.25 % = 336", 336, 10000},
		{"Ireland keeps the first rate", "IE", "eur", 100000, "2025-06-20", "2025-07-20", "30 at 11.15 % = 916", 916, 4000}, // 916.44 cents
		{"Ireland's first band ends with 1,000 euro", "IE", "eur", 100000, "2025-01-01", "2025-01-02", "1 at 11.15 % = 31", 31, 4000},
		{"and its second begins above", "IE", "eur", 100001, "2025-01-01", "2025-01-02", "1 at 11.15 % = 31", 31, 7000},
		{"another currency beside the fixed sum", "IT", "jpy", 50000, "2025-06-30", "2025-12-31", "184 at 10.15 % = 2558", 2558, 4000},
	} {
		claim, err := interest.Shipped().Claim(c.country, interest.Debt{Minor: c.minor, Currency: c.currency, Due: on(c.due), Until: on(c.until)})
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		var lines []string
		for _, l := range claim.Lines {
			lines = append(lines, strings.TrimSpace(strings.Join([]string{itoa(l.Days), "at", l.Rate.String(), "=", itoa(l.Minor)}, " ")))
		}
		if got := strings.Join(lines, "; "); got != c.lines || claim.Interest != c.interest || claim.Fixed.Minor != c.fixed {
			t.Errorf("%s: %s; interest %d, fixed %d", c.what, got, claim.Interest, claim.Fixed.Minor)
		}
	}
}

// What is not known is refused with its reason, never guessed.
func TestWhatIsNotKnownIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		country, currency string
		minor             int64
		due, until, says  string
	}{
		{"IT", "eur", 100, "2025-12-30", "2026-01-02", "half-year from 1 January 2026"},
		{"IT", "eur", 100, "2021-12-30", "2022-01-02", "half-year from 1 July 2021"},
		{"NL", "eur", 100, "2025-01-01", "2025-01-02", "There is no rate for NL. Known are DE, ES, FR, GB, IE, IT"},
		{"", "eur", 100, "2025-01-01", "2025-01-02", "country is not known"},
		{"IT", "eur", 100, "2025-01-01", "2025-01-01", "not late"},
		{"IT", "eur", 0, "2025-01-01", "2025-01-02", "nothing to ask"},
		{"GB", "eur", 100, "2025-01-01", "2025-01-02", "in another currency"},
	} {
		_, err := interest.Shipped().Claim(c.country, interest.Debt{Minor: c.minor, Currency: c.currency, Due: on(c.due), Until: on(c.until)})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), c.says) {
			t.Errorf("%s to %s: %v, want %q", c.due, c.until, err, c.says)
		}
	}
}

// A merchant's own file adds half-years and countries, and what is wrong with it is told.
func TestAMerchantsOwnRates(t *testing.T) {
	t.Parallel()
	rates, err := interest.Shipped().With([]byte(`countries:
  - code: IT
    source: "Gazzetta Ufficiale"
    rates: {"2026-01-01": "10.15"}
  - code: CH
    name: Switzerland
    law: "OR 104: 5 per cent"
    source: "Obligationenrecht"
    as_of: "2026-01-01"
    compensation: [{minor: 1000, currency: CHF}]
    rates: {"2026-01-01": "5"}
`))
	if err != nil {
		t.Fatal(err)
	}
	claim, err := rates.Claim("IT", interest.Debt{Minor: 100000, Currency: "eur", Due: on("2025-12-30"), Until: on("2026-01-02")})
	if err != nil || len(claim.Lines) != 2 || !strings.Contains(claim.Country.Source, "Gazzetta") {
		t.Errorf("%+v, %v", claim, err)
	}
	claim, err = rates.Claim("CH", interest.Debt{Minor: 100000, Currency: "chf", Due: on("2026-01-01"), Until: on("2026-03-15")})
	if err != nil || claim.Interest != 1000 || claim.Fixed != (interest.Band{Minor: 1000, Currency: "chf"}) {
		t.Errorf("%+v, %v", claim, err)
	}
	_, err = interest.Shipped().Claim("IT", interest.Debt{Minor: 100000, Currency: "eur", Due: on("2025-12-30"), Until: on("2026-01-02")})
	if err == nil {
		t.Error("the shipped rates were changed")
	}
	for document, says := range map[string]string{
		"":                           "it is empty",
		"countries: [{code: UK}]":    "no customer has the country UK; write GB",
		"countries: [{code: Italy}]": "two capital letters",
		"countries: [{code: IT, rates: {\"2026-02-01\": \"10\"}}]":            "first day of a half-year",
		"countries: [{code: IT, rates: {\"2026-01-01\": \"10,15\"}}]":         "is no rate",
		"countries: [{code: IT, rates: {\"2026-01-01\": \"-1\"}}]":            "is no rate",
		"countries: [{code: CH, rates: {\"2026-01-01\": \"5\"}}]":             "line 1: CH is new: give it name, law, source, as_of and compensation",
		"countries:\n  - code: IT\n    rates:\n      \"2026-01-01\": \"ten\"": "line 4: IT, 2026-01-01",
		"countries:\n  - code: IT\n    law: \"mine\"":                         "line 2: the law of IT is known here",
		"countries:\n  - code: IT\n    as_of: \"soon\"":                       "as_of is a day",
		"countries: [{code: IT}, {code: IT}]":                                 "twice",
		"countries: [{code: IT, compensation: [{minor: 1, currency: euro}]}]": "compensation goes",
		"rate: 5": "cannot be read",
	} {
		_, err := interest.Shipped().With([]byte(document))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", document, err, says)
		}
	}
}

// The stretches of a claim follow each other without gap or overlap and add up to the days of delay; each rounds to
// within half a unit of what the formula says.
func TestLinesCoverTheDelay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		country := rapid.SampledFrom([]string{"DE", "ES", "FR", "IT", "GB"}).Draw(t, "country")
		due := on("2022-01-01").AddDate(0, 0, rapid.IntRange(0, 700).Draw(t, "due"))
		late := rapid.Int64Range(1, 700).Draw(t, "days")
		minor := rapid.Int64Range(1, 1_000_000_000_000).Draw(t, "minor")
		currency := "eur"
		if country == "GB" {
			currency = "gbp"
		}
		claim, err := interest.Shipped().Claim(country, interest.Debt{Minor: minor, Currency: currency, Due: due, Until: due.AddDate(0, 0, int(late))})
		if err != nil {
			t.Fatal(err)
		}
		next, days, sum := due.AddDate(0, 0, 1), int64(0), int64(0)
		for _, l := range claim.Lines {
			if !l.From.Equal(next) {
				t.Fatalf("a stretch begins %s, want %s", l.From, next)
			}
			exact := float64(minor) * float64(l.Rate) / 10000 * float64(l.Days) / 365
			if off := float64(l.Minor) - exact; off > 0.51 || off < -0.51 {
				t.Fatalf("%d is %f off", l.Minor, off)
			}
			next, days, sum = l.To.AddDate(0, 0, 1), days+l.Days, sum+l.Minor
		}
		if days != late || sum != claim.Interest {
			t.Fatalf("%d days of %d, sum %d of %d", days, late, sum, claim.Interest)
		}
	})
}

func FuzzRates(f *testing.F) {
	f.Add([]byte("countries: [{code: IT, rates: {\"2026-01-01\": \"10.15\"}}]"))
	f.Fuzz(func(t *testing.T, document []byte) {
		rates, err := interest.Shipped().With(document)
		if err == nil && len(rates) < len(interest.Shipped()) {
			t.Fatal("a country is lost")
		}
	})
}
func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// Whom the shipped campaign for business cards knows as a business is one here too, unless the other mark says otherwise.
func TestWhoIsABusiness(t *testing.T) {
	t.Parallel()
	now := on("2025-03-01")
	for _, c := range []struct {
		metadata map[string]string
		says     string
	}{
		{map[string]string{"sollecito_customer_type": "business"}, ""},
		{map[string]string{"sollecito_customer": "Business"}, ""},
		{map[string]string{"sollecito_customer": "business", "sollecito_customer_type": "consumer"}, "sollecito_customer_type=consumer"},
		{map[string]string{"sollecito_customer": "school"}, "sollecito_customer=school"},
		{nil, "Nothing says that they are a business"},
	} {
		who := billing.Customer{ID: "cus_1", Country: "IT", Metadata: c.metadata}
		owed := billing.Invoice{ID: "in_1", CustomerID: "cus_1", Status: "open", Currency: "eur", AmountDue: 100, AmountRemaining: 100, CollectionMethod: "send_invoice", DueAt: on("2025-01-31").Unix()}
		_, err := interest.Shipped().Propose(who, owed, now)
		if (err == nil) != (c.says == "") || !strings.Contains(fault.MessageOf(err), c.says) {
			t.Errorf("%v: %v", c.metadata, err)
		}
	}
}
