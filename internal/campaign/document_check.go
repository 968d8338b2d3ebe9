package campaign

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"golang.org/x/text/currency"
	"golang.org/x/text/language"

	"sollecito/internal/billing"
	"sollecito/internal/outbox"
)

// document is a campaign being checked against what it may hold.
type document struct {
	*Campaign
	file  *ast.File
	flaws Flaws
}

// flaw notes what is wrong at a path, as $.steps[2].day.
func (d *document) flaw(path, format string, args ...any) {
	d.flaws = append(d.flaws, Flaw{d.line(path), fmt.Sprintf(format, args...)})
}

// line answers where a path stands, or the nearest one above it that does.
func (d *document) line(path string) int {
	for path != "$" && path != "" {
		n := d.find(path)
		if n != nil && n.GetToken() != nil && n.GetToken().Position != nil {
			return n.GetToken().Position.Line
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 1
}

// find answers what stands at a path, nil when nothing does.
func (d *document) find(path string) ast.Node {
	p, err := yaml.PathString(path)
	if err != nil {
		return nil
	}
	n, err := p.FilterFile(d.file)
	if err != nil {
		return nil
	}
	return n
}

var (
	nameForm     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	countryForm  = regexp.MustCompile(`^[A-Z]{2}$`)
	currencyForm = regexp.MustCompile(`^[A-Za-z]{3}$`)
	metadataForm = regexp.MustCompile(`^sollecito_[a-z0-9_]{1,30}$`)
	methodForm   = regexp.MustCompile(`^[a-z0-9_]+$`)
)

// greeceInTax is how the European Union writes Greece before tax numbers; Stripe and ISO 3166 write GR.
const greeceInTax = "EL"

// check finds what is wrong with the document and adds it to its flaws.
func (d *document) check() {
	d.plainly("", d.file.Docs[0].Body)
	d.numbers(d.file.Docs[0].Body, reflect.TypeFor[Campaign]())
	d.kinds(reflect.TypeFor[Campaign](), d.file.Docs[0].Body)
	if !nameForm.MatchString(d.Name) {
		d.flaw("$.name", "name must be small letters, digits and dashes, as consumer-cards")
	}
	if blank(d.Title) || utf8.RuneCountInString(d.Title) > 80 {
		d.flaw("$.title", "title must say in at most 80 letters what staff read, as Consumer cards")
	} else if lineFlaw(d.Title) != "" {
		d.flaw("$.title", "title is one line of words; %s", lineFlaw(d.Title))
	}
	if d.Holdout < 0 || d.Holdout > 50 {
		d.flaw("$.holdout", "holdout is a share from 0 to 50 per cent")
	}
	d.segment("$.for", d.For)
	if d.Retries != nil {
		d.retries("$.retries", *d.Retries)
	}
	switch {
	case len(d.Steps) == 0:
		d.flaw("$.steps", "a campaign has at least one step")
		return
	case len(d.Steps) > mostSteps:
		d.flaw("$.steps", "a campaign has at most %d steps", mostSteps)
		return
	}
	d.steps()
	d.variants()
	if d.Retries != nil && len(d.flaws) == 0 { // where days are wrong already, those are to be mended first
		d.retriesEnd("$.retries", *d.Retries)
	}
}

// steps checks each step and how they follow one another.
func (d *document) steps() {
	seen := map[string]bool{}
	speaks := 0
	access := Full
	for i, s := range d.Steps {
		at := fmt.Sprintf("$.steps[%d]", i)
		d.step(at, i, s)
		if seen[s.Key] {
			d.flaw(at+".key", "two steps are called %s; notices are found by this name, so each has its own", s.Key)
		}
		seen[s.Key] = true
		if len(s.Channels) > 0 {
			speaks++
		}
		if i > 0 {
			d.order(at, d.Steps[i-1], s)
		}
		if access.Tighter(s.Access) && slices.Contains(accesses, s.Access) {
			d.flaw(at+".access", "access %s allows more than the step above it; only payment gives access back", s.Access)
		}
		if slices.Contains(accesses, s.Access) {
			access = s.Access
		}
		_, told := d.AnnouncedBy(i)
		if s.Consequence && !told {
			d.flaw(at+".consequence", "a consequence must be announced: give a step before it, after any other consequence, announces: true")
		}
		if s.Announces && !s.Consequence && !slices.ContainsFunc(d.Steps[i+1:], Step.announceable) {
			d.flaw(at+".announces", "no step after this one takes anything away, so there is nothing to announce; leave announces out, or give a later step consequence: true")
		}
		if s.Act != "" && i < len(d.Steps)-1 {
			d.flaw(at+".act", "act %s is the end of a campaign: only the last step has one", s.Act)
		}
	}
	if speaks == 0 {
		d.flaw("$.steps", "no step says anything; give one channels: [email, app]")
	}
}

// order checks that a step comes after the one above it: by its day, by the day it has for some declines, and by its
// time of the same day.
func (d *document) order(at string, above, s Step) {
	switch {
	case s.Day < above.Day:
		d.flaw(at+".day", "day %d comes before the step above it (day %d); steps are in the order of their days", s.Day, above.Day)
		return
	case s.Day == above.Day && s.At < above.At && s.At != noTime:
		d.flaw(at+".at", "this time comes before that of the step above it, on the same day; steps are in their order")
		return
	}
	class, early := s.overtakes(above)
	if early {
		d.flaw(at+".day", "for %s day %d comes before the step above it (day %d); give this step a day_for %s too", class, s.DayOf(class), above.DayOf(class), class)
	}
}

// overtakes answers a class of declines for which the step's day comes before that of the step above it, false when
// there is none.
func (s Step) overtakes(above Step) (billing.Class, bool) {
	for _, class := range billing.Classes() {
		if s.DayOf(class) < above.DayOf(class) {
			return class, true
		}
	}
	return "", false
}

// announceable reports whether something can be announced of the step: that it takes something away, whether it says
// consequence: true or forgot to, or that it is written out to do nothing in the end.
func (s Step) announceable() bool {
	return s.Consequence || s.Act != "" || s.Access == Restricted || s.Access == Suspended
}

func (d *document) step(at string, i int, s Step) {
	if !nameForm.MatchString(s.Key) {
		d.flaw(at+".key", "key must be small letters, digits and dashes, as second")
	}
	if d.find(at+".day") == nil {
		d.flaw(at+".day", "a step has a day; write it as day: 1")
	}
	if s.Day < 0 || s.Day > mostDays {
		d.flaw(at+".day", "day is a number of days from 0 to %d", mostDays)
	}
	if s.At == noTime || d.find(at+".at") == nil {
		d.flaw(at+".at", "a step has a time of day; write it as at: \"10:00\"")
	}
	d.words(at+".words", s.Words)
	d.texts(at+".text", i, s.Text)
	d.mailed(at+".text", s, s.Text)
	for class, day := range s.DayFor {
		d.class(at+".day_for."+string(class), class)
		if day < 0 || day > mostDays {
			d.flaw(at+".day_for."+string(class), "day is a number of days from 0 to %d", mostDays)
		}
	}
	for _, class := range s.AtOnce {
		d.class(at+".at_once_for", class)
	}
	if i > 0 && len(s.AtOnce) > 0 {
		d.flaw(at+".at_once_for", "only the first step may be due at once")
	}
	d.segment(at+".if", s.If)
	d.channels(at+".channels", s.Channels)
	if s.Access != "" && !slices.Contains(accesses, s.Access) {
		d.flaw(at+".access", "access is full, grace, restricted or suspended")
	}
	if (s.Access == Restricted || s.Access == Suspended) && !s.Consequence {
		d.flaw(at+".access", "access %s takes something away: give this step consequence: true", s.Access)
	}
	if s.Consequence && s.Access != Restricted && s.Access != Suspended && !s.Acts() {
		d.flaw(at+".consequence", "a consequence must say what it takes away: give this step access: restricted or suspended, or an act")
	}
	if s.Consequence && s.Announces {
		d.flaw(at+".announces", "a consequence tells of itself; give a step of its own announces: true")
	}
	d.act(at, s)
	if s.Announces && len(s.Channels) == 0 {
		d.flaw(at+".announces", "a step announces by saying something; give it channels: [email, app]")
	}
}

func (d *document) act(at string, s Step) {
	switch {
	case s.Act == "" || s.Act == ActLeave:
		return
	case !slices.Contains(acts, s.Act):
		d.flaw(at+".act", "act is cancel, pause, uncollectible or leave")
		return
	case !s.Consequence:
		d.flaw(at+".act", "act %s takes something away: give this step consequence: true", s.Act)
	}
	if len(s.Channels) > 0 {
		d.flaw(at+".channels", "a step with an act has no channels: what was done is told by a mail of its own, once it is done")
	}
}

func (d *document) words(at string, w Words) {
	if w != "" && !slices.Contains([]Words{WordsFirst, WordsSecond, WordsNotice, WordsRestricted}, w) {
		d.flaw(at, "words is one of the shipped letters: first, second, notice or restricted")
	}
}

func (d *document) channels(at string, channels []outbox.Channel) {
	for k, c := range channels {
		if c != outbox.Email && c != outbox.App {
			d.flaw(at, "a channel is email or app, not %s", c)
		}
		if slices.Contains(channels[:k], c) {
			d.flaw(at, "%s is named twice", c)
		}
	}
}

// mailed checks that whoever writes a text of their own has a mail for it: the notice in the app keeps our words.
func (d *document) mailed(at string, s Step, texts map[string]Text) {
	if len(texts) > 0 && !s.Has(outbox.Email) {
		d.flaw(at, "a text is a mail's, and this step sends none; give it channels: [email], or leave text out")
	}
}

// segment checks the conditions of a campaign or of a step.
func (d *document) segment(at string, s Segment) {
	d.lists(at, s)
	if s.Collection != "" && s.Collection != "charge_automatically" && s.Collection != "send_invoice" {
		d.flaw(at+".collection", "collection is charge_automatically or send_invoice")
	}
	for _, c := range s.Countries {
		d.country(at+".countries", c)
	}
	for _, c := range s.Currencies {
		d.currency(at+".currencies", c)
	}
	for _, class := range s.Declines {
		d.class(at+".declines", class)
	}
	for _, method := range s.Methods {
		if strings.TrimSpace(method) != "" && !methodForm.MatchString(method) {
			d.flaw(at+".methods", "%q is no type of payment method; write it as Stripe does, as sepa_debit", method)
		}
	}
	d.amounts(at+".amounts", s.Amounts)
	if s.Tenure != nil {
		d.span(at+".tenure_days", *s.Tenure)
	}
	d.metadata(at+".metadata", s.Metadata)
}

// lists refuses a list of conditions that is named and empty, and an empty word in one: both would hold for everybody.
func (d *document) lists(at string, s Segment) {
	for _, list := range []struct {
		name  string
		words []string
	}{
		{"methods", s.Methods}, {"countries", s.Countries}, {"currencies", s.Currencies}, {"plans", s.Plans}, {"declines", strings.Fields(listed(s.Declines))},
	} {
		_, named := d.find(at + "." + list.name).(*ast.SequenceNode)
		switch {
		case named && len(list.words) == 0:
			d.flaw(at+"."+list.name, "an empty list would hold for everybody; name one, or leave %s out", list.name)
		case slices.ContainsFunc(list.words, func(w string) bool { return strings.TrimSpace(w) == "" }):
			d.flaw(at+"."+list.name, "an empty word stands in everything; write one, or leave %s out", list.name)
		}
	}
}

// country checks that a word is a country as Stripe writes it.
func (d *document) country(at, c string) {
	region, err := language.ParseRegion(c)
	switch {
	case c == greeceInTax:
		d.flaw(at, "no customer has the country %s, which is Greece in tax numbers alone; write GR", c)
	case !countryForm.MatchString(c):
		d.flaw(at, "%q is no country; write two capital letters, as IT", c)
	case err != nil || !region.IsCountry():
		d.flaw(at, "there is no country %s; write it as Stripe does, as IT", c)
	case region.Canonicalize().String() != c:
		d.flaw(at, "no customer has the country %s; write %s", c, region.Canonicalize())
	}
}

// amounts checks the ranges of what is open, one for each currency.
func (d *document) amounts(at string, ranges map[string]Span) {
	d.emptied(at, len(ranges))
	seen := map[string]string{}
	for _, c := range slices.Sorted(maps.Keys(ranges)) {
		d.currency(at+"."+c, c)
		d.span(at+"."+c, ranges[c])
		if other, twice := seen[strings.ToLower(c)]; twice {
			d.flaw(at+"."+c, "%s and %s are one currency; give it one range", other, c)
		}
		seen[strings.ToLower(c)] = c
	}
}

// metadata checks the conditions on the customer's metadata.
func (d *document) metadata(at string, conditions map[string]OneOrMore) {
	d.emptied(at, len(conditions))
	for key, values := range conditions {
		if !metadataForm.MatchString(key) {
			d.flaw(at+"."+key, "%q is not kept: only the customer's metadata whose keys begin with sollecito_ is", key)
		}
		switch {
		case len(values) == 0:
			d.flaw(at+"."+key, "%s needs a value: a word, or a list of words", key)
		case slices.ContainsFunc(values, func(v string) bool { return strings.TrimSpace(v) == "" }):
			d.flaw(at+"."+key, "an empty word would hold for everybody who has no %s; write a word, or leave %s out", key, key)
		}
	}
}

// emptied refuses a group of conditions that is named and holds none.
func (d *document) emptied(at string, holds int) {
	_, named := d.find(at).(*ast.MappingNode)
	if named && holds == 0 {
		name := at[strings.LastIndexByte(at, '.')+1:]
		d.flaw(at, "an empty %s would hold for everybody; name one, or leave %s out", name, name)
	}
}

// newCurrencies are those that came after the library's list.
var newCurrencies = []string{"SLE", "XCG"}

func (d *document) currency(at, c string) {
	_, err := currency.ParseISO(c)
	switch {
	case !currencyForm.MatchString(c):
		d.flaw(at, "%q is no currency; write three letters, as eur", c)
	case err != nil && !slices.Contains(newCurrencies, strings.ToUpper(c)):
		d.flaw(at, "there is no currency %s, so this would hold for nobody; write it as Stripe does, as eur", c)
	}
}

func (d *document) span(at string, s Span) {
	switch {
	case s.AtLeast == nil && s.Below == nil:
		d.flaw(at, "a range has at_least, below or both")
	case s.AtLeast != nil && s.Below != nil && *s.AtLeast >= *s.Below:
		d.flaw(at, "at_least %d is not below %d: nobody lies in between", *s.AtLeast, *s.Below)
	}
}

func (d *document) class(at string, c billing.Class) {
	if !slices.Contains(billing.Classes(), c) {
		d.flaw(at, "%q is no class of declines; they are %s", c, listed(billing.Classes()))
	}
}

func listed(classes []billing.Class) string {
	var all []string
	for _, c := range classes {
		all = append(all, string(c))
	}
	return strings.Join(all, ", ")
}
