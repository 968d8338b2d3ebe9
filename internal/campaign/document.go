package campaign

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
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
	root, err := yaml.ValueToNode(c, yaml.Indent(2), yaml.IndentSequence(true), yaml.UseSingleQuote(false))
	if err != nil {
		return nil, fmt.Errorf("write campaign %s: %w", c.Name, err)
	}
	ast.Walk(quoting{}, root)
	return []byte(root.String() + "\n"), nil
}

// quoting puts those texts between double quotes that the library leaves bare and would not read again as they are.
type quoting struct{}

// Visit implements ast.Visitor.
func (q quoting) Visit(n ast.Node) ast.Visitor {
	text, is := n.(*ast.StringNode)
	if is && !strings.HasPrefix(text.Value, `"`) && !plain(text.Value) {
		text.Value = strconv.Quote(text.Value)
	}
	return q
}

// plain reports whether a text without quotes is read as it stands.
func plain(text string) bool {
	odd := func(r rune) bool { return unicode.IsControl(r) && r != '\n' }
	if strings.ContainsFunc(text, odd) || strings.TrimSpace(text) == "" {
		return false
	}
	if strings.Contains(text, "\n") {
		return inBlock(text)
	}
	var read struct{ Text any }
	err := yaml.Unmarshal([]byte("text: "+text), &read)
	return err == nil && read.Text == text
}

// inBlock reports whether a text of several lines is read as it stands when it is written as a block, as the library does:
// one whose first line is empty or indented, and one that ends in blanks, may not be.
func inBlock(text string) bool {
	written, err := yaml.MarshalWithOptions([]map[string]string{{"text": text}}, yaml.Indent(2), yaml.IndentSequence(true))
	if err != nil {
		return false
	}
	var read []map[string]string
	err = yaml.Unmarshal(written, &read)
	return err == nil && len(read) == 1 && read[0]["text"] == text
}
