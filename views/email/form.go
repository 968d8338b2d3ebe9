package email

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"github.com/a-h/templ"
)

// Form is the page of all letters of one build, drawn once, with places for what each of them says itself: to draw the
// page anew for each of many letters would cost more than anything else about them. Letter.HTML draws the same page.
type Form struct {
	Markup []string // HTML around the places: one piece more than there are places
	places []int    // the letter's text that stands in each
}

// Build says how the page of a letter is built, but for what it says. It is comparable: equal ones have one Form.
type Build struct {
	merchant Merchant
	language string
	outline  string
}

// Build answers how the letter's page is built, and what stands in the places of its form, as HTML.
func (l Letter) Build() (Build, Words) {
	own := texts(&l)
	return Build{l.Merchant, l.tag(), string(own.outline)}, own.words()
}

// Words are what a letter says itself, as HTML, in an order that its Build fixes.
type Words []string

// Form draws the form of the letters that are built like this one.
func (l Letter) Form(ctx context.Context) (Form, error) {
	blank := l.clone()
	for i, t := range texts(&blank).all {
		*t.text = mark(i)
	}
	page, err := blank.HTML(ctx)
	if err != nil {
		return Form{}, err
	}
	var f Form
	from := 0
	for _, at := range marks.FindAllStringSubmatchIndex(page, -1) {
		i, err := strconv.Atoi(page[at[2]:at[3]])
		if err != nil {
			return Form{}, fmt.Errorf("draw a form: %w", err)
		}
		f.Markup, f.places = append(f.Markup, page[from:at[0]]), append(f.places, i)
		from = at[1]
	}
	f.Markup = append(f.Markup, page[from:])
	return f, nil
}

// Fill answers what stands in the places of the form for a letter of its build.
func (f Form) Fill(words Words) []string {
	all := make([]string, len(f.places))
	for i, place := range f.places {
		all[i] = words[place]
	}
	return all
}

// A mark stands for a text in the page of a blank letter. It is of characters nobody writes, and drawing leaves it as it is.
func mark(i int) string { return "\uE000" + strconv.Itoa(i) + "\uE001" }

var marks = regexp.MustCompile(`\x{E000}(\d{1,4})\x{E001}`)

// ownTexts are the texts of a letter that are not the same in all letters of its build. Its outline tells what there is
// besides: how many paragraphs, which of their spans are strong.
type ownTexts struct {
	all     []ownText
	outline []byte
}

type ownText struct {
	text *string
	as   func(string) string // HTML
}

func texts(l *Letter) *ownTexts {
	o := &ownTexts{all: make([]ownText, 0, 64), outline: make([]byte, 0, 128)}
	for _, text := range []*string{&l.Subject, &l.Preheader, &l.Heading, &l.LinkLine, &l.Why} {
		o.line(text)
	}
	o.add(&l.Greeting, escapeLines)
	o.add(&l.SignOff, escapeLines)
	o.paragraphs('b', l.Before)
	o.quote(l.Message)
	for i := range l.Amounts {
		o.outline = append(o.outline, 'a')
		o.line((*string)(&l.Amounts[i].Money))
		o.line(&l.Amounts[i].What)
		o.line(&l.Amounts[i].Period)
	}
	o.button(l.Button)
	for i := range l.Facts {
		o.outline = append(o.outline, 'f')
		o.paragraph(l.Facts[i].Term)
		o.paragraph(l.Facts[i].Value)
	}
	o.paragraphs('c', l.After)
	o.quote(l.Quote)
	for i := range l.Quiet {
		o.button(&l.Quiet[i])
	}
	return o
}

func (o *ownTexts) add(text *string, as func(string) string) {
	if *text == "" { // its absence may be seen in the markup
		o.outline = append(o.outline, '0')
		return
	}
	o.outline = append(o.outline, '1')
	o.all = append(o.all, ownText{text, as})
}

func (o *ownTexts) line(text *string) { o.add(text, templ.EscapeString[string]) }

func (o *ownTexts) paragraphs(kind byte, all []Paragraph) {
	for _, p := range all {
		o.outline = append(o.outline, kind)
		o.paragraph(p)
	}
}

func (o *ownTexts) paragraph(p Paragraph) {
	o.outline = append(o.outline, 'p')
	for i := range p {
		weight := byte('s')
		if p[i].Isolated {
			weight++
		}
		if p[i].Strong {
			weight += 2
		}
		o.outline = append(o.outline, weight)
		o.add(&p[i].Text, escapeLines)
	}
}

func (o *ownTexts) quote(q *Quote) {
	if q == nil {
		o.outline = append(o.outline, '-')
		return
	}
	o.outline = append(o.outline, 'q')
	o.line(&q.Who)
	o.add(&q.Text, escapeLines)
}

func (o *ownTexts) button(b *Button) {
	if b == nil {
		o.outline = append(o.outline, '-')
		return
	}
	o.outline = append(o.outline, 'l')
	o.paragraph(b.Label)
	o.add(&b.URL, func(url string) string { return templ.EscapeString(templ.URL(url)) })
}

func (o *ownTexts) words() Words {
	all := make(Words, len(o.all))
	for i, t := range o.all {
		all[i] = t.as(*t.text)
	}
	return all
}

// clone answers a letter whose texts can be changed without changing this one's.
func (l Letter) clone() Letter {
	l.Before, l.After = cloned(l.Before), cloned(l.After)
	l.Amounts = append([]Amount(nil), l.Amounts...)
	l.Facts = append([]Fact(nil), l.Facts...)
	for i, fact := range l.Facts {
		l.Facts[i] = Fact{cloned([]Paragraph{fact.Term})[0], cloned([]Paragraph{fact.Value})[0]}
	}
	l.Quiet = append([]Button(nil), l.Quiet...)
	for i, way := range l.Quiet {
		l.Quiet[i].Label = cloned([]Paragraph{way.Label})[0]
	}
	for _, q := range []**Quote{&l.Message, &l.Quote} {
		if *q != nil {
			copied := **q
			*q = &copied
		}
	}
	if l.Button != nil {
		l.Button = &Button{cloned([]Paragraph{l.Button.Label})[0], l.Button.URL}
	}
	return l
}

func cloned(all []Paragraph) []Paragraph {
	out := make([]Paragraph, len(all))
	for i, p := range all {
		out[i] = append(Paragraph(nil), p...)
	}
	return out
}
