package campaign_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
)

const small = `name: small
title: Small
steps:
  - key: first
    day: 1
    at: "10:00"
    channels: [email]
`

var late = strings.Replace(small, "day: 1", "day: 2", 1)

func TestShippedCampaignsAreSound(t *testing.T) {
	t.Parallel()
	schema := campaignSchema(t)
	for _, c := range campaign.Shipped() {
		text, err := c.Document()
		if err != nil {
			t.Fatal(err)
		}
		again, err := campaign.Parse(text)
		if err != nil {
			t.Errorf("%s, written and read again: %v", c.Name, err)
		}
		same, err := c.Says(again)
		if err != nil || !same {
			t.Errorf("%s says something else when written and read again", c.Name)
		}
		err = schema.Validate(plain(t, text))
		if err != nil {
			t.Errorf("%s does not keep to the published schema: %v", c.Name, err)
		}
	}
}

func campaignSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := jsonschema.UnmarshalJSON(bytes.NewReader(campaign.Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	err = compiler.AddResource("campaign.json", text)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("campaign.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func plain(t *testing.T, document []byte) any {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON(document)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	err = json.Unmarshal(asJSON, &value)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// Some editors begin a file with a mark that nobody sees.
func TestAByteOrderMarkIsNoFlaw(t *testing.T) {
	t.Parallel()
	got, err := campaign.Parse([]byte("\uFEFF" + small))
	if err != nil || got.Name != "small" {
		t.Errorf("%q, %v", got.Name, err)
	}
}

// What a document says is kept as it is, whatever signs its words are made of: one that could not be read again would stop
// every campaign of the installation.
func TestAnyWordIsKept(t *testing.T) {
	t.Parallel()
	for _, word := range []string{
		"? x", "?\tx", "a:\tb", "-\tb", "\ta", "a\t", ".inf", "a\rb", "a\r\nb", "\n", "\n\n", "\tb\na", "\x00", "\x1b[31m", "null", "~", "yes", "010", "1_0", "- a", "a: b",
		"#a", "a #b", "'", `"`, `\`, "---", "...", "<<", "{{amount}}", "a\nb", "  a\nb", "a\u2028b", "\u0085", "🎉", "",
	} {
		c := campaign.Campaign{
			Name: "small", Title: word, For: campaign.Segment{Plans: []string{word, "b"}, Metadata: map[string]campaign.OneOrMore{"sollecito_x": {word}}},
			Steps: []campaign.Step{{Key: "a", Text: map[string]campaign.Text{"en": {Subject: word, Body: word + "\n\n{{button}}\n\n" + word}, "it": {Subject: "x", Body: word}}}},
		}
		text, err := c.Document()
		if err != nil {
			t.Errorf("%q: %v", word, err)
			continue
		}
		var again campaign.Campaign
		err = yaml.Unmarshal(text, &again)
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("%q is read again as something else (%v):\n%s", word, err, text)
		}
	}
}

// What is wrong with a document is told with its line, all of it at once, and the schema refuses what we refuse where a
// schema can.
func TestFlawsNameTheLine(t *testing.T) {
	t.Parallel()
	schema := campaignSchema(t)
	for _, c := range []struct {
		what, document string
		line           int
		says           string
		schemaToo      bool
	}{
		{"no name", strings.Replace(small, "name: small", "name: Small One", 1), 1, "name must be", true},
		{"no title", strings.Replace(small, "title: Small", "title: ''", 1), 2, "title must", true},
		{"an unknown field", small + "    colour: blue\n", 8, `there is no field "colour"`, true},
		{"a wrong kind", strings.Replace(small, "day: 1", "day: soon", 1), 5, "another kind stands here: a text, where a whole number is wanted", true},
		{"half a day", strings.Replace(small, "day: 1", "day: 1.5", 1), 5, "a whole one", true},
		{"a day beyond numbers", strings.Replace(small, "day: 1", "day: 99999999999999999999", 1), 5, "too large", true},
		{"one channel unlisted", strings.Replace(small, "[email]", "email", 1), 7, "a text, where a list is wanted", true},
		{"a list for a text", strings.Replace(small, "title: Small", "title: [Small]", 1), 2, "a list, where a text is wanted", true},
		{"two campaigns", small + "---\n" + small, 8, "a file of its own", false},
		{"no such time", strings.Replace(small, "10:00", "25:00", 1), 6, "a step has a time of day", true},
		{"no time", strings.Replace(small, `    at: "10:00"`+"\n", "", 1), 4, "a step has a time of day", true},
		{"a day before", small + "  - key: b\n    day: 0\n    at: \"10:00\"\n", 9, "comes before the step above", false},
		{"a name twice", small + "  - key: first\n    day: 2\n    at: \"10:00\"\n", 8, "two steps are called first", false},
		{"unannounced", small + "  - key: b\n    day: 9\n    at: \"10:00\"\n    access: restricted\n    consequence: true\n", 12, "must be announced", false},
		{"takes away unsaid", small + "    access: suspended\n", 8, "consequence: true", false},
		{"no channel", strings.Replace(small, "[email]", "[sms]", 1), 7, "email or app", true},
		{"silent", strings.Replace(small, "    channels: [email]\n", "", 1), 4, "no step says anything", false},
		{"no country", "for: {countries: [Italy]}\n" + small, 1, "two capital letters", true},
		{"no class", strings.Replace(small, "day: 1", "day: 1\n    at_once_for: [late]", 1), 6, "no class of declines", true},
		{"an empty range", "for:\n  amounts:\n    eur: {at_least: 5, below: 5}\n" + small, 3, "nobody lies in between", false},
		{"metadata we don't keep", "for:\n  metadata: {tier: gold}\n" + small, 2, "sollecito_", true},
		{"retries on no day", "retries: {days: [], at: \"09:00\"}\n" + small, 1, "retries need days", true},
		{"a retry too soon", "retries:\n  days: [0, 3]\n  at: \"09:00\"\n" + small, 2, "1 to 60 days", true},
		{"retries in disorder", "retries:\n  days: [3, 1]\n  at: \"09:00\"\n" + small, 2, "day 1 does not come after day 3", false},
		{"a retry twice", "retries:\n  days: [3, 3]\n  at: \"09:00\"\n" + small, 2, "day 3 does not come after day 3", true},
		{"too many retries", "retries:\n  days: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n  at: \"09:00\"\n" + small, 2, "at most 8", true},
		{"retries at no time", "retries: {days: [1]}\n" + small, 1, "retries have a time of day", true},
		{"retries at an odd time", "retries:\n  days: [1]\n  at: noon\n" + small, 3, "retries have a time of day", true},
		{"a retry after the end", "retries:\n  days: [1, 3]\n  at: \"09:00\"\n" + late, 2, "the retry on day 3 never runs: the case ends with its last step, first, on day 2; make that step later", false},
		{"a retry at the end", "retries:\n  days: [1, 2]\n  at: \"10:00\"\n" + late, 2, "the retry on day 2 never runs", false},
		{"a retry after the end for some", "retries:\n  days: [1]\n  at: \"11:00\"\n" + strings.Replace(late, "day: 2", "day: 2\n    day_for: {money: 1}", 1), 2, "on day 1; make", false},
		{"a retry of what ends at once", "retries:\n  days: [1]\n  at: \"09:00\"\n" + strings.Replace(late, "day: 2", "day: 2\n    at_once_for: [generic]", 1), 2, "on day 0; make", false},
		{"a retry after the end in a variant", "retries:\n  days: [1, 2]\n  at: \"09:00\"\n" + late +
			"variants:\n  - {name: plain, weight: 1}\n  - {name: quick, weight: 1, steps: {first: {day: 1}}}\n", 2, "on day 1 in variant quick", false},
		{"no day", strings.Replace(small, "    day: 1\n", "", 1), 4, "a step has a day", true},
		{"a day left empty", strings.Replace(small, "day: 1", "day:", 1), 5, "nothing stands behind day:", true},
		{"a time left empty", strings.Replace(small, `at: "10:00"`, "at:", 1), 6, "nothing stands behind at:", true},
		{"channels left empty", strings.Replace(small, "channels: [email]", "channels:", 1), 7, "nothing stands behind channels:", true},
		{"a segment left empty", "for:\n" + small, 1, "nothing stands behind for:", true},
		{"a day to the base of eight", strings.Replace(small, "day: 1", "day: 010", 1), 5, "010 is not read as it looks", false},
		{"a time of another kind", strings.Replace(small, `"10:00"`, "[10]", 1), 6, "a step has a time of day", true},
		{"metadata of another kind", "for:\n  metadata:\n    sollecito_x: {a: b}\n" + small, 3, "sollecito_x needs a value: a word", true},
		{"a field that is a number", "1: 2\n" + small, 1, "there is no field 1", true},
		{"a misspelt field", strings.Replace(small, "channels:", "chanels:", 1), 7, `no field "chanels" (is channels meant?)`, true},
		{"a misspelt field further down", "for:\n  countrys: [CH]\n" + small, 2, `no field "countrys" (is countries meant?)`, true},
		{"a field like none", small + "x: 1\n", 8, `no field "x"; the schema`, true},
		{"a directive", "%YAML 1.2\n---\n" + small, 1, "leave it out", false},
		{"a currency in two spellings", "for:\n  amounts:\n    EUR: {below: 5}\n    eur: {below: 7}\n" + small, 4, "EUR and eur are one currency", false},
		{"amounts emptied", "for:\n  amounts: {}\n" + small, 2, "an empty amounts would hold for everybody", true},
		{"metadata emptied", "for:\n  metadata: {}\n" + small, 2, "an empty metadata would hold for everybody", true},
		{"no method of Stripe's", "for:\n  methods: [card, SEPA Debit]\n" + small, 2, "no type of payment method", true},
		{"a title that steers a terminal", strings.Replace(small, "title: Small", `title: "\x1b[31mSmall"`, 1), 2, "one line of words", false},
		{"a country nobody has", "for: {countries: [UK]}\n" + small, 1, "write GB", false},
		{"a country there is not", "for: {countries: [XX]}\n" + small, 1, "no country XX", false},
		{"Greece as in tax numbers", "for: {countries: [EL]}\n" + small, 1, "write GR", false},
		{"a number with an exponent", "for:\n  amounts:\n    eur:\n      below: 1e3\n" + small, 4, "1e3 is not read as it looks", true},
		{"a day with an exponent", strings.Replace(small, "day: 1", "day: 1e0", 1), 5, "1e0 is not read as it looks", true},
		{"a retry with an exponent", "retries:\n  days:\n    - 1\n    - \"2e0\"\n  at: \"09:00\"\n" + small, 4, "2e0 is not read as it looks", true},
		{"an empty word of metadata", "for:\n  metadata:\n    sollecito_k: \"\"\n" + small, 3, "leave sollecito_k out", true},
		{"an empty word among others", "for:\n  metadata:\n    sollecito_k: [a, ' ']\n" + small, 3, "leave sollecito_k out", true},
		{"a title that turns", strings.Replace(small, "title: Small", `title: "\u202eSmall"`, 1), 2, "leave out U+202E", false},
		{"a title of nothing", strings.Replace(small, "title: Small", `title: "\u200d\u3164"`, 1), 2, "title must say", false},
		{"a subject that turns", small + "    text:\n      en: {subject: \"a \\u2067b\\u2069\", body: b}\n", 9, "leave out U+2067", false},
		{"a subject of two lines", small + "    text:\n      en: {subject: \"a\\nb\", body: b}\n", 9, "line break or control sign in it (U+000A)", false},
		{"a subject of joiners", small + "    text:\n      en: {subject: \"\\u200d\", body: b}\n", 9, "a text has a subject", false},
		{"a number in quotes", strings.Replace(small, "day: 1", `day: "1"`, 1), 5, "a text, where a whole number is wanted; write it without quotes", true},
		{"a truth in quotes", `retired: "true"` + "\n" + small, 1, "a text, where true or false is wanted", true},
		{"a title that is a number", strings.Replace(small, "title: Small", "title: 5", 1), 2, "a whole number, where a text is wanted; put it in quotes", true},
		{"a plan that is a number", "for:\n  plans:\n    - Studio\n    - 2024\n" + small, 4, "put it in quotes", true},
		{"words between whose quotes nothing stands", small + "    words: ''\n", 8, "nothing stands behind words:", true},
		{"no variants in a list", small + "variants: []\n", 8, "write two, or leave variants out", true},
		{"a currency there is not", "for:\n  currencies: [eur, euo]\n" + small, 2, "there is no currency euo", false},
		{"an amount in no currency", "for:\n  amounts:\n    eur: {below: 5}\n    usb: {below: 5}\n" + small, 4, "there is no currency usb", false},
		{"a list emptied", "for:\n  countries: []\n" + small, 2, "would hold for everybody", true},
		{"an empty word", "for:\n  plans: ['']\n" + small, 2, "stands in everything", true},
		{"a sign nobody sees", small + "    text:\n      en: {subject: a, body: \"b \\u202e c\"}\n", 9, "a sign that nobody sees", false},
		{"a sign no mail may hold", small + "    text:\n      en: {subject: a, body: \"b \\0 c\"}\n", 9, "a sign that nobody sees", false},
		{"one of several keys", "for:\n  metadata:\n    sollecito_a: x\n    tier: gold\n" + small, 4, "sollecito_", true},
		{"one of several days", strings.Replace(small, "day: 1", "day: 1\n    day_for:\n      money: 3\n      generic: 400", 1), 8, "from 0 to 365", true},
		{"nothing to announce", small + "    announces: true\n", 8, "nothing to announce", false},
		{"a text without a mail", strings.Replace(small, "[email]", "[app]", 1) + "    text:\n      it: {subject: a, body: b}\n", 9, "this step sends none", false},
		{"a text whose language has a dash", small + "    text:\n      pt-BR:\n        subject: a\n        body: |\n          Oi\n          {{valor}}\n", 13, "no variable {{valor}}", false},
		{"before it for some", small[:len(small)-1] + "\n    day_for: {money: 9}\n  - {key: b, day: 5, at: \"10:00\"}\n", 9, "for money day 5 comes before", false},
		{"before it on the same day", small + "  - {key: b, day: 1, at: \"09:00\"}\n", 8, "on the same day", false},
		{"a field twice", small + "title: Again\n", 8, `"title" stands here a second time, first in line 2`, false},
		{"a tab", strings.Replace(small, "    day", "\tday", 1), 5, "indent with spaces", false},
		{"no space behind the colon", strings.Replace(small, "title: ", "title:", 1), 2, "a colon, a space and its value", false},
		{"an alias", "title: &t x\nname: *t\n", 1, "write it out", false},
		{"not YAML", "name: [", 1, "", false},
		{"nothing", "", 1, "must hold one campaign", false},
		{"not text", "name: \x00", 1, "not UTF-8", false},
		{"huge", strings.Repeat("#", 70_000), 1, "bytes", false},
	} {
		_, err := campaign.Parse([]byte(c.document))
		var flaws campaign.Flaws
		if !errors.As(err, &flaws) {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if !slices.ContainsFunc(flaws, func(f campaign.Flaw) bool { return f.Line == c.line && strings.Contains(f.Text, c.says) }) {
			t.Errorf("%s: want line %d, %q; got\n%v", c.what, c.line, c.says, err)
		}
		if c.schemaToo && schema.Validate(plain(t, []byte(c.document))) == nil {
			t.Errorf("%s: the schema lets it pass", c.what)
		}
	}
	_, err := campaign.Parse([]byte("name: X\ntitle: ''\nsteps: []\n"))
	var flaws campaign.Flaws
	if !errors.As(err, &flaws) || len(flaws) != 3 {
		t.Errorf("three flaws at once: %v", err)
	}
}

// oddBodies are bodies that YAML's blocks cannot hold as the library writes them.
var oddBodies = []string{
	"\n Your payment is open.\nPlease look.\n\n{{button}}\n", "\n\n  \n Your payment\nis open.", "Your payment is open.\n \n", "\n Your payment is open.",
	" Your payment\n  is open.\n", "\n\nYour payment\nis open. \n\n\n",
}

// withBody is a document with one letter, whose body stands in quotes.
func withBody(body string) []byte {
	return []byte("name: odd\ntitle: Odd\nsteps:\n  - key: first\n    day: 1\n    at: \"10:00\"\n    channels: [email]\n" +
		"    text:\n      en:\n        subject: Your payment\n        body: " + strconv.Quote(body) + "\n")
}

// A body that the check accepts is kept as it was written, however its lines begin and end.
func TestABodyIsKeptAsItIsWritten(t *testing.T) {
	t.Parallel()
	kept := func(t interface {
		Helper()
		Errorf(string, ...any)
	}, body string) (accepted bool) {
		t.Helper()
		c, err := campaign.Parse(withBody(body))
		if err != nil {
			return false
		}
		written, err := c.Document()
		if err != nil {
			t.Errorf("%q cannot be written: %v", body, err)
			return true
		}
		again, err := campaign.Parse(written)
		if err != nil || again.Steps[0].Text["en"].Body != body {
			t.Errorf("%q is read again as %+v, %v:\n%s", body, again, err, written)
		}
		return true
	}
	for _, body := range oddBodies {
		if !kept(t, body) {
			t.Errorf("%q is refused", body)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		kept(t, rapid.StringOfN(rapid.RuneFrom([]rune("ab  \n\n\t:-'\"\\|>%é")), 1, 12, -1).Draw(t, "body"))
	})
}

// What joins letters and emoji, and marks of direction, belong to the words of a subject and a title.
func TestASubjectHoldsWhatItsLanguageWrites(t *testing.T) {
	t.Parallel()
	for _, words := range []string{
		"می\u200cپردازید", "دفع Lumen!\u200f", "\u200eLumen", "فاتورة\u061c 7", "👩\u200d💻 Lumen", "❤\ufe0f Lumen", "क\u094d\u200dष",
		"🏴\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F",
	} {
		c, err := campaign.Parse(bytes.ReplaceAll(bytes.ReplaceAll(withBody("b"), []byte("subject: Your payment"), []byte("subject: "+words)), []byte("title: Odd"), []byte("title: "+words)))
		if err != nil || c.Title != words || c.Steps[0].Text["en"].Subject != words {
			t.Errorf("%+q: %v", words, err)
		}
	}
	_, err := campaign.Parse([]byte("for: {amounts: {eur: {below: \"5\"}}}\n" + small))
	if err == nil {
		t.Error("a number in quotes passes, which the schema refuses")
	}
}

// allOfIt uses every field that a document may have.
const allOfIt = `name: all
title: All of it
retired: false
for:
  collection: charge_automatically
  methods: [card]
  countries: [IT]
  currencies: [eur, SLE]
  plans: [Studio]
  declines: [money]
  amounts: {eur: {at_least: 1, below: 500}, xcg: {at_least: 1}}
  tenure_days: {at_least: 3}
  metadata: {sollecito_a: x, sollecito_b: [y, 5]}
holdout: 10
retries: {days: [1, 3], at: "09:00"}
steps:
  - key: first
    words: first
    day: 1
    day_for: {transient: 3}
    at_once_for: [expired]
    at: "10:00"
    channels: [email, app]
    text: {it: {subject: Una parola, body: Il pagamento non è riuscito.}}
  - {key: notice, if: {declines: [money]}, day: 5, at: "10:00", channels: [email], access: grace, announces: true}
  - {key: end, day: 9, at: "10:00", act: cancel, access: suspended, consequence: true}
variants:
  - {name: a, weight: 1}
  - {name: b, weight: 2, steps: {first: {day: 2, at: "11:00", channels: [email], words: second, text: {de: {subject: Ein Wort, body: Die Zahlung ging nicht durch.}}}}}
`

// Whatever the published schema refuses, we refuse: each value of a whole document is left out and put in another's place.
func TestTheSchemaIsNoStricterThanWeAre(t *testing.T) {
	t.Parallel()
	schema := campaignSchema(t)
	whole := plain(t, []byte(allOfIt))
	_, err := campaign.Parse([]byte(allOfIt))
	if err != nil || schema.Validate(whole) != nil {
		t.Fatalf("the whole document: %v; %v", err, schema.Validate(whole))
	}
	tried, refused := 0, 0
	try := func(where string) {
		tried++
		text, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		complaint := schema.Validate(plain(t, text))
		if complaint == nil {
			return
		}
		refused++
		_, err = campaign.Parse(text)
		if err == nil {
			t.Errorf("%s passes, and the schema says: %v", where, complaint)
		}
	}
	others := []any{"word", "1", "true", "", 7, -1, 100_000, true, []any{}, map[string]any{}, []any{"word"}, []any{7}, map[string]any{"word": "x"}}
	var vary func(where string, value any, put func(any))
	vary = func(where string, value any, put func(any)) {
		for _, other := range others {
			put(other)
			try(fmt.Sprintf("%s: %#v", where, other))
		}
		put(value)
		switch value := value.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(value)) {
				was := value[key]
				delete(value, key)
				try(where + " without " + key)
				value[key] = was
				vary(where+"."+key, was, func(v any) { value[key] = v })
			}
		case []any:
			put(append(slices.Clone(value), value[0]))
			try(where + " with one twice")
			put(value)
			for i := range value {
				vary(fmt.Sprintf("%s[%d]", where, i), value[i], func(v any) { value[i] = v })
			}
		}
	}
	vary("$", whole, func(v any) { whole = v })
	if tried < 1000 || refused < 500 {
		t.Errorf("only %d documents were tried, %d of them refused", tried, refused)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	for _, c := range campaign.Shipped() {
		text, err := c.Document()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("retries: {days: [1, 3, 5, 7], at: \"09:00\"}\n" + small))
	f.Add([]byte(twoWays))
	f.Add([]byte(told))
	f.Add([]byte(strings.Replace(told, "body: |", "body: >-", 1)))
	for _, body := range oddBodies {
		f.Add(withBody(body))
	}
	f.Add([]byte("a: &a [*a, *a]\n<<: *a"))
	f.Add([]byte("name: small\nfor: {amounts: {eur: {at_least: 99999999999999999999}}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := campaign.Parse(text)
		if err != nil {
			var flaws campaign.Flaws
			if !errors.As(err, &flaws) || len(flaws) == 0 || flaws[0].Line < 1 {
				t.Fatalf("an error without its line: %v", err)
			}
			return
		}
		written, err := c.Document()
		if err != nil {
			t.Fatalf("read and cannot be written: %v", err)
		}
		again, err := campaign.Parse(written)
		if err != nil {
			t.Fatalf("written and cannot be read: %v\n%s", err, written)
		}
		same, err := c.Says(again)
		if err != nil || !same {
			t.Fatalf("says something else when written and read again:\n%s", written)
		}
	})
}

func TestWhomACampaignIsFor(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	who := campaign.Subject{
		Customer: billing.Customer{ID: "cus_1", Country: "IT", CreatedAt: now.AddDate(0, 0, -40).Unix(), Metadata: map[string]string{"sollecito_customer": "business"}},
		Open: []billing.Invoice{
			{Status: "open", Currency: "eur", AmountRemaining: 40_000, CollectionMethod: "charge_automatically", Description: "Studio Plan"},
			{Status: "open", Currency: "jpy", AmountRemaining: 900},
			{Status: "open", Currency: "eur", AmountRemaining: 20_000},
		},
		Method: "card", Class: billing.ClassMoney, Now: now,
	}
	for segment, want := range map[string]bool{
		"{}":                                 true,
		"{collection: charge_automatically}": true, "{collection: send_invoice}": false,
		"{methods: [sepa_debit, card]}": true, "{methods: [sepa_debit]}": false,
		"{countries: [DE, IT]}": true, "{countries: [DE]}": false,
		"{currencies: [JPY]}": true, "{currencies: [usd]}": false,
		"{plans: [studio]}": true, "{plans: [team]}": false,
		"{declines: [money]}": true, "{declines: [expired]}": false,
		"{amounts: {eur: {at_least: 60000}}}": true, "{amounts: {eur: {below: 60000}}}": false, // two invoices together
		"{amounts: {usd: {below: 60000}}}": false, "{amounts: {usd: {below: 1}, jpy: {below: 1000}}}": true,
		"{tenure_days: {at_least: 40}}": true, "{tenure_days: {at_least: 41}}": false,
		"{metadata: {sollecito_customer: business}}": true, "{metadata: {sollecito_customer: [a, b]}}": false,
		"{countries: [IT], declines: [expired]}": false,
	} {
		c, err := campaign.Parse([]byte("for: " + segment + "\n" + small))
		if err != nil {
			t.Errorf("%s: %v", segment, err)
			continue
		}
		if c.For.Matches(who) != want {
			t.Errorf("%s holds: %v, want %v", segment, !want, want)
		}
	}
}

func TestTheFirstCampaignThatHoldsTakesTheCase(t *testing.T) {
	t.Parallel()
	shipped := campaign.Shipped()
	for _, c := range []struct {
		who  campaign.Subject
		want string
	}{
		{campaign.Subject{}, "consumer-cards"},
		{campaign.Subject{Open: []billing.Invoice{{Currency: "eur", AmountRemaining: 100_000}}}, "high-value"},
		{campaign.Subject{Open: []billing.Invoice{{Currency: "eur", AmountRemaining: 99_999}}, Method: "sepa_debit"}, "bank-debits"},
		{campaign.Subject{Open: []billing.Invoice{{Currency: "eur", CollectionMethod: "send_invoice"}}}, "invoices"},
		{campaign.Subject{Customer: billing.Customer{Metadata: map[string]string{"sollecito_customer": "business"}}}, "business-cards"},
	} {
		got := shipped.Choose(c.who)
		if got.Name != c.want {
			t.Errorf("%+v: %s, want %s", c.who, got.Name, c.want)
		}
	}
	for i := range shipped {
		shipped[i].Retired = shipped[i].Name != "invoices"
	}
	got := shipped.Choose(campaign.Subject{})
	if got.Name != "invoices" {
		t.Errorf("with all others retired %s takes the case", got.Name)
	}
}

// The holdout is about as large as it says, and the same customers are in it each time.
func TestTheHoldoutIsAStableShare(t *testing.T) {
	t.Parallel()
	c := campaign.Campaign{Name: "small", Holdout: 20}
	const customers = 5000
	held := 0
	for i := range customers {
		id := fmt.Sprintf("cus_%d", i)
		in := c.HoldsOut(id)
		again := campaign.Campaign{Name: "small", Version: 2, Holdout: 20} // another version, the same customers
		if again.HoldsOut(id) != in {
			t.Fatalf("%s is held out in one version alone", id)
		}
		if in {
			held++
		}
	}
	if held < customers*17/100 || held > customers*23/100 {
		t.Errorf("%d of %d are held out at 20 per cent", held, customers)
	}
	c.Holdout = 0
	if c.HoldsOut("cus_1") {
		t.Error("held out at nought per cent")
	}
}
