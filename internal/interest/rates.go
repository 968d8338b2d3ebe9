package interest

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

//go:embed rates.yaml
var shipped []byte

// Percent is a yearly rate in hundredths of a per cent: 1050 is 10.50 %.
type Percent int64

// String writes it as "10.50 %".
func (p Percent) String() string { return fmt.Sprintf("%d.%02d %%", p/100, p%100) }

// Country is one country's law of late payment between businesses.
type Country struct {
	Code         string            `yaml:"code"` // ISO 3166 alpha-2
	Name         string            `yaml:"name"`
	Law          string            `yaml:"law"`
	Source       string            `yaml:"source"`
	AsOf         string            `yaml:"as_of"`          // the day up to which its rates were looked up, as 2025-07-01
	FixedAtStart bool              `yaml:"fixed_at_start"` // the rate of the half-year in which the interest starts holds to its end
	Compensation []Band            `yaml:"compensation"`   // from the smallest debt up
	Rates        map[string]string `yaml:"rates"`          // by the first day of the half-year, in per cent a year

	rates map[string]Percent
}

// Band is the fixed sum for debts below an amount; Below 0 is any amount. Amounts are minor units of Currency.
type Band struct {
	Below    int64  `yaml:"below"`
	Minor    int64  `yaml:"minor"`
	Currency string `yaml:"currency"`
}

// Rates are the laws and rates an installation knows, by country.
type Rates map[string]Country

// Shipped are those that come with the program.
func Shipped() Rates {
	all, err := parse(shipped)
	if err != nil {
		panic(fmt.Errorf("shipped rates: %w", err)) // a test reads them
	}
	return all
}

// With answers the rates with those of a merchant's document added, in the form of rates.yaml. A country that is known
// gets its half-years added, and theirs go before ours; a new one needs everything. The error names what to mend, one
// fault per line.
func (all Rates) With(document []byte) (Rates, error) {
	more, err := parse(document)
	if err != nil {
		return nil, err
	}
	merged := maps.Clone(all)
	for code, theirs := range more {
		ours, known := merged[code]
		if !known {
			if theirs.Law == "" || len(theirs.Compensation) == 0 {
				return nil, fmt.Errorf("%s is new: give it law and compensation", code)
			}
			merged[code] = theirs
			continue
		}
		rates := maps.Clone(ours.rates)
		maps.Copy(rates, theirs.rates)
		ours.rates = rates
		if theirs.Source != "" {
			ours.Source += "; " + theirs.Source
		}
		if theirs.AsOf != "" {
			ours.AsOf = theirs.AsOf
		}
		merged[code] = ours
	}
	return merged, nil
}

const mostDocument = 256 << 10

var (
	codeForm    = regexp.MustCompile(`^[A-Z]{2}$`)
	percentForm = regexp.MustCompile(`^[0-9]{1,2}(\.[0-9]{1,2})?$`)
)

func parse(document []byte) (Rates, error) {
	if len(document) > mostDocument {
		return nil, fmt.Errorf("it has more than %d bytes", mostDocument)
	}
	var written struct {
		Countries []Country `yaml:"countries"`
	}
	err := yaml.NewDecoder(bytes.NewReader(document), yaml.Strict()).Decode(&written)
	if err != nil {
		return nil, fmt.Errorf("it cannot be read: %s", yaml.FormatError(err, false, false))
	}
	all := Rates{}
	var faults []error
	for _, c := range written.Countries {
		if !codeForm.MatchString(c.Code) {
			faults = append(faults, fmt.Errorf("%q is no country; write two capital letters, as IT", c.Code))
			continue
		}
		_, twice := all[c.Code]
		if twice {
			faults = append(faults, fmt.Errorf("%s stands there twice", c.Code))
		}
		c.rates = map[string]Percent{}
		for _, day := range slices.Sorted(maps.Keys(c.Rates)) {
			at, err := time.Parse(time.DateOnly, day)
			if err != nil || !at.Equal(halfYear(at)) {
				faults = append(faults, fmt.Errorf("%s: %q is not the first day of a half-year, as 2026-01-01 or 2026-07-01", c.Code, day))
				continue
			}
			c.rates[day], err = readPercent(c.Rates[day])
			if err != nil {
				faults = append(faults, fmt.Errorf("%s, %s: %w", c.Code, day, err))
			}
		}
		for i, band := range c.Compensation {
			last := i == len(c.Compensation)-1
			if band.Minor < 0 || len(band.Currency) != 3 || last != (band.Below == 0) || i > 0 && !last && band.Below <= c.Compensation[i-1].Below {
				faults = append(faults, fmt.Errorf("%s: compensation goes from the smallest debt up, each with below but the last, all with minor and currency", c.Code))
				break
			}
		}
		all[c.Code] = c
	}
	return all, errors.Join(faults...)
}

func readPercent(text string) (Percent, error) {
	if !percentForm.MatchString(text) {
		return 0, fmt.Errorf("%q is no rate; write per cent a year with a point, as \"10.15\"", text)
	}
	whole, part, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
	return Percent(n), err
}

// halfYear is the first day of the half-year a day lies in.
func halfYear(day time.Time) time.Time {
	month := time.January
	if day.Month() >= time.July {
		month = time.July
	}
	return time.Date(day.Year(), month, 1, 0, 0, 0, 0, time.UTC)
}
