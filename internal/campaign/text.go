package campaign

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Text is a merchant's own letter for one step in one language. The subject is one line; the body is Markdown of which
// paragraphs, lists, **strong** and *emphasised* words are read and nothing else. Both may hold {{variables}}. The sum,
// the button, the table of facts, the date of a consequence and who to ask stand in every letter, whatever the text says.
type Text struct {
	Subject string `yaml:"subject"`
	Body    string `yaml:"body"`
}

// Variables are what a text may name. One that has no value in a letter, as the card of an invoice to be paid by hand,
// makes that letter use the shipped words, so that no sentence goes out with a hole in it.
var Variables = []string{
	"amount", "button", "card", "consequence.date", "customer.first_name", "customer.name", "due", "invoice", "merchant", "plan", "retry.date",
}

// varButton is where the button stands: alone in a paragraph of the body.
const varButton = "button"

// Told is a text that was read.
type Told struct {
	Subject []Piece
	Before  []Block // before the sum and the button
	After   []Block // after them
}

// Block is a paragraph, or one item of a list.
type Block struct {
	Mark   string // "•" or "1." of an item, "" of a paragraph
	Pieces []Piece
	line   int // in the body, from 0
}

// Piece is a stretch of words, or the place of a variable.
type Piece struct {
	Text     string
	Variable string
	Strong   bool
}

// Read cuts the text into its pieces. A text that Parse let pass can be read; another one is read as far as
// it goes.
func (t Text) Read() Told {
	told, _ := t.read()
	return told
}

// textFlaw is what is wrong with a text: in its subject, or at a line of its body, from 0.
type textFlaw struct {
	subject bool
	line    int
	says    string
}

func (t Text) read() (Told, []textFlaw) {
	var told Told
	var flaws []textFlaw
	var wrong []string
	told.Subject, wrong = pieces(strings.TrimSpace(t.Subject), false)
	for _, says := range wrong {
		flaws = append(flaws, textFlaw{subject: true, says: says})
	}
	blocks, flawed := blocksOf(t.Body)
	flaws = append(flaws, flawed...)
	seen := false
	for _, b := range blocks {
		switch {
		case b.isButton() && seen:
			flaws = append(flaws, textFlaw{line: b.line, says: "there is one button; {{button}} stands here a second time"})
		case b.isButton():
			seen = true
		case b.names(varButton):
			flaws = append(flaws, textFlaw{line: b.line, says: "{{button}} is not a word in a sentence; leave an empty line above and below it"})
		case seen:
			told.After = append(told.After, b)
		default:
			told.Before = append(told.Before, b)
		}
	}
	return told, flaws
}

// add puts a piece at the end; words that follow words of the same weight become one piece with them.
func (b *Block) add(p Piece) {
	last := len(b.Pieces) - 1
	if p.Variable == "" && last >= 0 && b.Pieces[last].Variable == "" && b.Pieces[last].Strong == p.Strong {
		b.Pieces[last].Text += p.Text
		return
	}
	b.Pieces = append(b.Pieces, p)
}

func (b Block) isButton() bool {
	return b.Mark == "" && len(b.Pieces) == 1 && b.Pieces[0].Variable == varButton
}

func (b Block) names(variable string) bool { return naming(b.Pieces, variable) }

func naming(all []Piece, variable string) bool {
	return slices.ContainsFunc(all, func(p Piece) bool { return p.Variable == variable })
}

// Names reports whether the text names a variable.
func (t Told) Names(variable string) bool {
	names := func(b Block) bool { return b.names(variable) }
	return naming(t.Subject, variable) || slices.ContainsFunc(t.Before, names) || slices.ContainsFunc(t.After, names)
}

// reader knows paragraphs, lists and emphasis. Whatever else Markdown has, HTML above all, is plain words to it.
func reader() parser.Parser {
	return parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewListParser(), 300), util.Prioritized(parser.NewListItemParser(), 400), util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(util.Prioritized(parser.NewEmphasisParser(), 500)),
	)
}

// blocksOf cuts a body into its blocks and answers what is wrong with it.
func blocksOf(body string) ([]Block, []textFlaw) {
	r := blockReader{source: []byte(body)}
	r.read(reader().Parse(text.NewReader(r.source)), "")
	return r.blocks, r.flaws
}

// blockReader goes through a parsed body from its beginning to its end.
type blockReader struct {
	source []byte
	blocks []Block
	flaws  []textFlaw
}

// read takes in a document, a list or a paragraph; mark is that of the list's item it stands in.
func (r *blockReader) read(n ast.Node, mark string) {
	switch n := n.(type) {
	case *ast.Document:
		for child := n.FirstChild(); child != nil; child = child.NextSibling() {
			r.read(child, "")
		}
	case *ast.List:
		r.readList(n)
	default:
		p := paragraphReader{blockReader: r, block: Block{Mark: mark, line: lineOf(n, r.source)}}
		p.line = p.block.line
		p.read(n, false)
		p.flush(false)
		if len(p.block.Pieces) > 0 {
			r.blocks = append(r.blocks, p.block)
		}
	}
}

func (r *blockReader) readList(list *ast.List) {
	number := list.Start
	for item := list.FirstChild(); item != nil; item = item.NextSibling() {
		mark := "•"
		if list.IsOrdered() {
			mark = strconv.Itoa(number) + "."
			number++
		}
		for child := item.FirstChild(); child != nil; child = child.NextSibling() {
			if _, nested := child.(*ast.List); nested {
				r.flaws = append(r.flaws, textFlaw{line: lineOf(child, r.source), says: "a list within a list is not read; write one list"})
			}
			r.read(child, mark)
		}
	}
}

// paragraphReader gathers the words of one block until their weight or their line changes.
type paragraphReader struct {
	*blockReader
	block Block
	words strings.Builder
	line  int // of the body, from 0, on which the last words stand
}

func (p *paragraphReader) read(n ast.Node, strong bool) {
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		switch child := child.(type) {
		case *ast.Text:
			p.line = bytes.Count(p.source[:child.Segment.Start], []byte("\n"))
			p.words.Write(util.UnescapePunctuations(child.Segment.Value(p.source)))
			switch {
			case child.HardLineBreak():
				p.words.WriteByte('\n')
				p.flush(strong)
			case child.SoftLineBreak():
				p.words.WriteByte(' ')
				p.flush(strong)
			}
		case *ast.String:
			p.words.Write(child.Value)
		case *ast.Emphasis:
			p.flush(strong)
			p.read(child, true)
			p.flush(true)
		}
	}
}

// flush puts the words gathered so far into the block.
func (p *paragraphReader) flush(strong bool) {
	found, wrong := pieces(p.words.String(), strong)
	p.words.Reset()
	for _, piece := range found {
		p.block.add(piece)
	}
	for _, says := range wrong {
		p.flaws = append(p.flaws, textFlaw{line: p.line, says: says})
	}
}

// lineOf answers the line of the source a block begins on, from 0.
func lineOf(n ast.Node, source []byte) int {
	for n != nil && (n.Type() == ast.TypeInline || n.Lines().Len() == 0) {
		n = n.FirstChild()
	}
	if n == nil {
		return 0
	}
	return bytes.Count(source[:n.Lines().At(0).Start], []byte("\n"))
}

// bareVariable is a word between single braces, as other programs write their variables.
var bareVariable = regexp.MustCompile(`\{ *([a-z_.]+) *\}`)

// pieces cuts words at their variables and answers what is wrong with those.
func pieces(words string, strong bool) (all []Piece, wrong []string) {
	add := func(text string) {
		if text != "" {
			all = append(all, Piece{Text: text, Strong: strong})
		}
	}
	for words != "" {
		before, rest, opened := strings.Cut(words, "{{")
		add(before)
		for _, bare := range bareVariable.FindAllStringSubmatch(before, -1) {
			if slices.Contains(Variables, bare[1]) {
				wrong = append(wrong, "{"+bare[1]+"} is not read; a variable is written {{"+bare[1]+"}}")
			}
		}
		if !opened {
			break
		}
		name, after, closed := strings.Cut(rest, "}}")
		if !closed {
			wrong = append(wrong, "{{ is not closed; a variable is written {{amount}}")
			add(rest)
			break
		}
		name = strings.TrimSpace(name)
		if slices.Contains(Variables, name) {
			all = append(all, Piece{Variable: name, Strong: strong})
		} else {
			wrong = append(wrong, "there is no variable {{"+name+"}}"+nearest(name, Variables)+"; there are "+strings.Join(Variables, ", "))
		}
		words = after
	}
	return all, wrong
}

// nearest answers " (is … meant?)" with the word most like the one that was written, "" when none is like it: one that has
// no letter of it is not.
func nearest(written string, all []string) string {
	letters := utf8.RuneCountInString(written)
	best, least := "", min(1+max(2, letters/2), letters)
	for _, word := range all {
		d := distance(written, word)
		if d < least {
			best, least = word, d
		}
	}
	if best == "" {
		return ""
	}
	return " (is " + best + " meant?)"
}

// distance is how many letters must be put in, left out or replaced to make b of a.
func distance(a, b string) int {
	if len(a) > 60 {
		return len(a)
	}
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for k := range row {
		row[k] = k
	}
	for i, r := range from {
		above := row[0]
		row[0] = i + 1
		for k, s := range to {
			cost := above
			if r != s {
				cost++
			}
			above = row[k+1]
			row[k+1] = min(cost, row[k]+1, row[k+1]+1)
		}
	}
	return row[len(to)]
}

// foreign finds what leads out of a letter, or is Markdown and HTML that is not read.
var foreign = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://|\bwww\.|\bmailto:|\]\s*\(|\b[a-z0-9-]+\.(com|net|org|io|de|it|fr|eu|example|shop|link|app)\b`)

var marked = regexp.MustCompile("(?m)<[A-Za-z/!]|^ {0,3}#{1,6} |^ {0,3}(```|~~~|>|---+\\s*$)")
