package campaign

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Flaw is one thing that is wrong with a campaign's document: the line it stands on, from 1, and how to mend it.
type Flaw struct {
	Line int
	Text string
}

// Flaws is the error of a document that cannot be applied: everything that is wrong with it, in the order of lines.
type Flaws []Flaw

func (f Flaws) Error() string {
	var lines []string
	for _, flaw := range f {
		lines = append(lines, fmt.Sprintf("line %d: %s", flaw.Line, flaw.Text))
	}
	return strings.Join(lines, "\n")
}

// Bounds of a document: far above what a campaign needs, so that a wrong file is refused and not worked through.
const (
	mostDocument = 64 << 10
	mostSteps    = 40
	mostDays     = 365
	mostDepth    = 12
)

// Parse reads a campaign's YAML document. Whatever is wrong with it is a Flaws.
func Parse(text []byte) (Campaign, error) {
	d, err := readDocument(text)
	if err != nil {
		return Campaign{}, err
	}
	d.check()
	if len(d.flaws) > 0 {
		slices.SortStableFunc(d.flaws, func(a, b Flaw) int { return cmp.Compare(a.Line, b.Line) })
		return Campaign{}, d.flaws
	}
	return *d.Campaign, nil
}

// Document writes the campaign as the YAML that Parse reads.
func (c Campaign) Document() ([]byte, error) {
	text, err := yaml.MarshalWithOptions(c, yaml.Indent(2), yaml.IndentSequence(true), yaml.UseSingleQuote(false))
	if err != nil {
		return nil, fmt.Errorf("write campaign %s: %w", c.Name, err)
	}
	return text, nil
}
