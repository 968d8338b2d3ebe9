package interest

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"golang.org/x/text/language"
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
	line  int // of the document it stands in
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
// gets its half-years added, and theirs go before ours; a new one needs everything. The error names what to mend and
// where, one fault per line.
func (all Rates) With(document []byte) (Rates, error) {
	more, err := parse(document)
	if err != nil {
		return nil, err
	}
	merged := maps.Clone(all)
	var faults []error
	for _, code := range slices.Sorted(maps.Keys(more)) {
		theirs := more[code]
		ours, known := merged[code]
		if !known {
			if theirs.Name == "" || theirs.Law == "" || theirs.Source == "" || theirs.AsOf == "" || len(theirs.Compensation) == 0 {
				faults = append(faults, fmt.Errorf("line %d: %s is new: give it name, law, source, as_of and compensation", theirs.line, code))
			}
			merged[code] = theirs
			continue
		}
		if theirs.Law != "" || theirs.Name != "" || theirs.FixedAtStart || len(theirs.Compensation) > 0 {
			faults = append(faults, fmt.Errorf("line %d: the law of %s is known here; give only rates, source and as_of", theirs.line, code))
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
	err = errors.Join(faults...)
	if err != nil {
		return nil, err
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
		return nil, unreadable(err)
	}
	file, err := parser.ParseBytes(document, 0)
	if err != nil {
		return nil, unreadable(err)
	}
	all := Rates{}
	var faults []error
	fault := func(line int, format string, args ...any) {
		faults = append(faults, fmt.Errorf("line %d: %s", line, fmt.Sprintf(format, args...)))
	}
	for i, c := range written.Countries {
		at := (&yaml.PathBuilder{}).Root().Child("countries").Index(uint(i))
		c.line = lineOf(file, at.Build(), 1)
		if !codeForm.MatchString(c.Code) {
			fault(c.line, "%q is no country; write two capital letters, as IT", c.Code)
			continue
		}
		region, err := language.ParseRegion(c.Code)
		if err == nil && region.Canonicalize().String() != c.Code {
			fault(c.line, "no customer has the country %s; write %s", c.Code, region.Canonicalize())
			continue
		}
		_, twice := all[c.Code]
		if twice {
			fault(c.line, "%s stands there twice; keep one", c.Code)
		}
		if c.AsOf != "" {
			_, err := time.Parse(time.DateOnly, c.AsOf)
			if err != nil {
				fault(c.line, "%s: as_of is a day, as 2026-01-01; got %q", c.Code, c.AsOf)
			}
		}
		c.rates = map[string]Percent{}
		for _, day := range slices.Sorted(maps.Keys(c.Rates)) {
			line := lineOf(file, (&yaml.PathBuilder{}).Root().Child("countries").Index(uint(i)).Child("rates").Child(day).Build(), c.line)
			first, err := time.Parse(time.DateOnly, day)
			if err != nil || !first.Equal(halfYear(first)) {
				fault(line, "%s: %q is not the first day of a half-year, as 2026-01-01 or 2026-07-01", c.Code, day)
				continue
			}
			c.rates[day], err = readPercent(c.Rates[day])
			if err != nil {
				fault(line, "%s, %s: %v", c.Code, day, err)
			}
		}
		for i, band := range c.Compensation {
			c.Compensation[i].Currency = strings.ToLower(band.Currency) // as Stripe writes it
			last := i == len(c.Compensation)-1
			if band.Minor < 0 || len(band.Currency) != 3 || last != (band.Below == 0) || i > 0 && !last && band.Below <= c.Compensation[i-1].Below {
				fault(c.line, "%s: compensation goes from the smallest debt up, each with below but the last, all with minor and currency", c.Code)
				break
			}
		}
		all[c.Code] = c
	}
	return all, errors.Join(faults...)
}

// lineOf is the line of what stands at a path, or else when nothing does.
func lineOf(file *ast.File, path *yaml.Path, otherwise int) int {
	node, err := path.FilterFile(file)
	if err != nil || node == nil || node.GetToken() == nil || node.GetToken().Position == nil {
		return otherwise
	}
	return node.GetToken().Position.Line
}

// unreadable is the YAML library's first complaint with its line.
func unreadable(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("line 1: it is empty; docs/late-interest.md shows the form")
	}
	var said yaml.Error
	if !errors.As(err, &said) {
		return fmt.Errorf("line 1: it cannot be read: %w", err)
	}
	line := 1
	if t := said.GetToken(); t != nil && t.Position != nil {
		line = t.Position.Line
	}
	return fmt.Errorf("line %d: it cannot be read: %s; docs/late-interest.md shows the form", line, said.GetMessage())
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
