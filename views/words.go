package views

import (
	"context"
	"html"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"

	"sollecito/internal/billing"
	"sollecito/internal/l10n"
)

// anchor is a link that stands inside a sentence of the catalogue, so that translators decide where.
type anchor struct {
	href string
	text string
}

// say draws a sentence of the catalogue: amounts, numbers and addresses in <bdi>, what is marked as strong in
// <strong>, links where the sentence has them. Everything is escaped. It is written by hand because a template
// would let white space in between the pieces of a sentence.
func say(f Frame, key string, args ...l10n.Args) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		filled, anchors := f.fill(args)
		return writeSpans(w, f.Locale.Spans(key, filled), anchors)
	})
}

// sentence is say for what stands alone or first and may begin with a card or account, whose noun is written small inside a
// sentence: it begins with a capital. Amounts, names and addresses stay as they are.
func sentence(f Frame, key string, args ...l10n.Args) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		filled, anchors := f.fill(args)
		spans := f.Locale.Spans(key, filled)
		if !spans[0].Isolated {
			spans[0].Text = capital(spans[0].Text)
		}
		return writeSpans(w, spans, anchors)
	})
}

// saySaid draws a sentence a page struct brought along.
func saySaid(f Frame, said Said) templ.Component { return say(f, said.Key, said.Args) }

func writeSpans(w io.Writer, spans []l10n.Span, anchors map[string]anchor) error {
	var b strings.Builder
	for _, span := range spans {
		writeSpan(&b, span, anchors)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeSpan(b *strings.Builder, span l10n.Span, anchors map[string]anchor) {
	text := html.EscapeString(span.Text)
	if a, ok := anchors[span.Text]; ok && span.Isolated {
		b.WriteString(`<a href="` + html.EscapeString(string(templ.URL(a.href))) + `">` + html.EscapeString(a.text) + `</a>`)
		return
	}
	if span.Isolated {
		text = "<bdi>" + text + "</bdi>"
	}
	if span.Strong {
		text = "<strong>" + text + "</strong>"
	}
	b.WriteString(text)
}

// text is the sentence as plain text, for titles and attributes.
func (f Frame) text(key string, args ...l10n.Args) string {
	filled, _ := f.fill(args)
	return f.Locale.Text(key, filled)
}

// fill turns what page structs carry (money, instants, cards, links) into what the catalogue takes. A link goes in
// as an isolated mark no text can hold and comes back out in writeSpan.
func (f Frame) fill(args []l10n.Args) (l10n.Args, map[string]anchor) {
	filled := l10n.Args{"Merchant": f.apart(f.Merchant.Name)}
	for _, a := range args {
		maps.Copy(filled, a)
	}
	var anchors map[string]anchor
	for name, value := range filled {
		switch v := value.(type) {
		case billing.Money:
			filled[name] = f.money(v)
		case []billing.Money:
			filled[name] = f.sums(v)
		case time.Time:
			filled[name] = f.Locale.Day(v)
		case *CardOnFile:
			filled[name] = f.card(v)
		case CardOnFile:
			filled[name] = f.card(&v)
		case anchor:
			if anchors == nil {
				anchors = map[string]anchor{}
			}
			mark := "\x00" + name
			anchors[mark] = v
			filled[name] = l10n.Isolated(mark)
		}
	}
	return filled, anchors
}

func (f Frame) money(m billing.Money) l10n.Isolated { return f.Locale.Money(m.Minor, m.Currency) }

// sums lists amounts of different currencies beside each other; they are never added.
func (f Frame) sums(amounts []billing.Money) l10n.Isolated {
	texts := make([]string, len(amounts))
	for i, m := range amounts {
		texts[i] = string(f.money(m))
	}
	return l10n.Isolated(f.Locale.List(texts))
}

// breakable draws a sum that may be broken beside its currency, where its text is enlarged so far that it has no room on
// one line: half a number reads like a whole one.
func breakable(sum string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		at := besideCurrency(sum)
		if at < 0 {
			_, err := io.WriteString(w, html.EscapeString(sum))
			return err
		}
		_, err := io.WriteString(w, html.EscapeString(sum[:at])+"<wbr>"+html.EscapeString(sum[at:]))
		return err
	})
}

// besideCurrency is where the number of a sum or its currency begins after the space between the two, -1 where there is none.
// The spaces that part thousands have a digit on both sides.
func besideCurrency(sum string) int {
	var before rune
	for at, r := range sum {
		after, _ := utf8.DecodeRuneInString(sum[at+utf8.RuneLen(r):])
		if unicode.IsSpace(r) && unicode.IsDigit(before) != unicode.IsDigit(after) {
			return at + utf8.RuneLen(r)
		}
		before = r
	}
	return -1
}

// apart sets a name a stranger chose apart where its direction may not be the page's: between U+2068 and U+2069 it keeps
// its own, so that what stands at its ends ("Studio (monthly)", "4 × Team") is not drawn at the other end. It is plain text, and
// so also good for titles and inside sentences, and breaks over lines as the words around it do.
func (f Frame) apart(name string) string {
	if name == "" || f.Locale.Dir() == "ltr" && !strings.ContainsFunc(name, writtenLeftward) {
		return name
	}
	return "\u2068" + name + "\u2069"
}

func writtenLeftward(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko)
}

// names lists what strangers have named: "Studio plan and Team plan".
func (f Frame) names(all []string) string {
	set := make([]string, len(all))
	for i, name := range all {
		set[i] = f.apart(name)
	}
	return f.Locale.List(set)
}

// brandNames are the names of card networks as they write themselves; what is not here is shown with a capital.
var brandNames = map[string]string{
	"amex": "American Express", "diners": "Diners Club", "eftpos_au": "eftpos", "jcb": "JCB",
	"mastercard": "Mastercard", "unionpay": "UnionPay", "visa": "Visa", "cartes_bancaires": "Cartes Bancaires",
}

// brand is how the reader knows the card or account: the network, or the bank.
func (f Frame) brand(c *CardOnFile) string {
	name, known := brandNames[strings.ToLower(c.Brand)]
	if known {
		return name
	}
	if c.Brand == "" && isCard(c) {
		return f.text("card.card")
	}
	if c.Brand == "" {
		return f.text("card.account")
	}
	return capital(c.Brand)
}

// isCard reports whether the way to pay is a card; everything else is told as a bank account.
func isCard(c *CardOnFile) bool { return c.Type == "" || c.Type == "card" }

// card is a card or account in words, as they stand inside a sentence: "Visa ending 4242", "bank account ending 3000".
func (f Frame) card(c *CardOnFile) string {
	if c == nil {
		return f.text("card.card")
	}
	if c.Last4 == "" {
		return f.brand(c)
	}
	said := f.ending(c)
	return f.text(said.Key, said.Args)
}

// ending names a card or account by its last digits. An account whose bank we do not know has words of its own: a
// network or a bank is a name, "bank account" is a noun with its grammar.
func (f Frame) ending(c *CardOnFile) Said {
	if c.Brand == "" && !isCard(c) {
		return Said{Key: "card.account_ending", Args: l10n.Args{"Last4": l10n.Isolated(c.Last4)}}
	}
	return Said{Key: "card.ending", Args: l10n.Args{"Brand": f.brand(c), "Last4": l10n.Isolated(c.Last4)}}
}

// expiry is a card's last month as it is printed on it: "08/27". Empty for what does not expire.
func expiry(c *CardOnFile) string {
	if c.ExpMonth < 1 || c.ExpMonth > 12 || c.ExpYear < 1 {
		return ""
	}
	month := strconv.FormatInt(c.ExpMonth, 10)
	if len(month) < 2 {
		month = "0" + month
	}
	year := "0" + strconv.FormatInt(c.ExpYear, 10)
	return month + "/" + year[len(year)-2:]
}

// period is the time an invoice pays for: "3 November to 2 December 2025". Empty when it has none.
func (f Frame) period(i Invoice) string {
	if i.From.IsZero() || i.To.IsZero() {
		return ""
	}
	from, to := f.Locale.DayYear(i.From), f.Locale.DayYear(i.To)
	if i.From.Year() == i.To.Year() { // said once
		if f.Locale.YearLeads() {
			to = f.Locale.DayMonth(i.To)
		} else {
			from = f.Locale.DayMonth(i.From)
		}
	}
	return f.text("common.period", l10n.Args{"From": from, "To": to})
}

// month is the month an invoice is called by, as it stands inside a sentence.
func (f Frame) month(i Invoice) string {
	if i.Since.IsZero() {
		return f.Locale.Month(i.From)
	}
	return f.Locale.Month(i.Since)
}

// invoiceName is what one invoice among several is called: its month, or what tells it from the others when two
// share a month.
func (f Frame) invoiceName(i Invoice, among []Invoice) string {
	month := f.month(i)
	for _, other := range among {
		if other.ID != i.ID && f.month(other) == month && i.What != "" {
			return f.apart(i.What)
		}
	}
	return capital(month)
}

// number is a small number in words where the language has them ready ("three"), in figures otherwise.
func (f Frame) number(n int) string {
	if n < 1 || n > 9 {
		return string(f.Locale.Number(int64(n)))
	}
	return f.text("number.n" + strconv.Itoa(n))
}

// several are the arguments of a sentence about several things: Count chooses the plural, Number is the word.
func (f Frame) several(n int) l10n.Args {
	return l10n.Args{"Count": n, "Number": f.number(n), "CapitalNumber": capital(f.number(n))}
}

// capital makes the first letter a capital, for words that stand alone.
func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

// when is an entry's time in words; today is said to be today, beside its date.
func (f Frame) when(e Entry) string {
	day := f.Locale.Day(e.When)
	if e.HasClock {
		day = f.Locale.DayClock(e.When)
	}
	if e.Kind == Now {
		return f.text("common.today", l10n.Args{"Day": day})
	}
	return capital(day)
}

// spokenAt is when a message was written: "today, 09:05", "yesterday, 16:20", otherwise the day and the time.
func (f Frame) spokenAt(at, now time.Time) string {
	clock := l10n.Args{"Clock": f.Locale.Clock(at)}
	switch {
	case sameDay(at, now):
		return f.text("common.today_at", clock)
	case sameDay(at, now.AddDate(0, 0, -1)):
		return f.text("common.yesterday_at", clock)
	}
	return f.Locale.DayClock(at)
}

func upper(s string) string { return strings.ToUpper(s) }

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Date()
	by, bm, bd := b.Date()
	return ay == by && am == bm && ad == bd
}

// paragraphs cuts what somebody wrote at its blank lines.
func paragraphs(text string) []string {
	var cut []string
	for _, p := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		p = strings.TrimSpace(p)
		if p != "" {
			cut = append(cut, p)
		}
	}
	return cut
}

// totalsOf is what several invoices come to, one amount per currency.
func totalsOf(invoices []Invoice) []billing.Money {
	amounts := make([]billing.Money, len(invoices))
	for i, invoice := range invoices {
		amounts[i] = invoice.Remaining
	}
	return billing.Totals(amounts)
}

// faultAt is the sentence for one field of a form, nil when nothing is wrong with it.
func faultAt(faults []Fault, field string) *Said {
	for _, fault := range faults {
		if fault.Field == field {
			return &fault.Said
		}
	}
	return nil
}
