package l10n

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

const englishMessages = `
[pay]
title = "Pay {{.Amount}} to {{.Merchant}}"
due = "**{{.Amount}}** is due, {{ .Name }}, **now**"
only = "Only in English, {{.Count}}"
[pay.invoices]
one = "{{.Count}} invoice"
other = "{{.Count}} invoices"
`

func TestMessages(t *testing.T) {
	t.Parallel()
	c := everyLanguage(t, map[string]string{
		"en": englishMessages,
		"pl": "[pay.invoices]\none='{{.Count}} faktura'\nfew='{{.Count}} faktury'\nmany='{{.Count}} faktur'\nother='{{.Count}} faktury'",
		"ar": "[pay]\ntitle='ادفع {{.Amount}} إلى {{.Merchant}}'\n[pay.invoices]\nzero='0'\none='1'\ntwo='2'\nfew='few'\nmany='many'\nother='other'",
	})
	en, pl, ar := c.byTag["en"], c.byTag["pl"], c.byTag["ar"]
	amount := Args{"Amount": Isolated("€29.00"), "Merchant": "A **b** {{.Amount}}"}
	for _, test := range []struct{ what, got, want string }{
		{"text", en.Text("pay.title", amount), "Pay €29.00 to A **b** {{.Amount}}"},
		{"marks are dropped", en.Text("pay.due", Args{"Amount": "1", "Name": "Ann"}), "1 is due, Ann, now"},
		{"singular", en.Text("pay.invoices", Args{"Count": 1}), "1 invoice"},
		{"grouped plural", en.Text("pay.invoices", Args{"Count": int64(1234)}), "1,234 invoices"},
		{"unknown key", en.Text("pay.nothing"), "pay.nothing"},
		{"absent argument", en.Text("pay.title", Args{"Amount": "1"}), "Pay 1 to {{.Merchant}}"},
		{"few", pl.Text("pay.invoices", Args{"Count": 22}), "22 faktury"},
		{"many", pl.Text("pay.invoices", Args{"Count": 12}), "12 faktur"},
		{"fallback speaks English and counts as English does", pl.Text("pay.only", Args{"Count": 22}), "Only in English, 22"},
		{"variant speaks its language", c.byTag["en-US"].Text("pay.invoices", Args{"Count": 2}), "2 invoices"},
		{"no isolates in a left-to-right language", en.IsolatedText("pay.title", amount), "Pay €29.00 to A **b** {{.Amount}}"},
		{"isolates", ar.IsolatedText("pay.title", Args{"Amount": Isolated("€29.00"), "Merchant": "X"}), "ادفع \u2068€29.00\u2069 إلى X"},
		{"no isolates in Text", ar.Text("pay.title", Args{"Amount": Isolated("€29.00"), "Merchant": "X"}), "ادفع €29.00 إلى X"},
		{"every Arabic form", ar.Text("pay.invoices", Args{"Count": 0}) + ar.Text("pay.invoices", Args{"Count": 1}) +
			ar.Text("pay.invoices", Args{"Count": 2}) + ar.Text("pay.invoices", Args{"Count": 103}) +
			ar.Text("pay.invoices", Args{"Count": 11}) + ar.Text("pay.invoices", Args{"Count": 100}), "012fewmanyother"},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %q, want %q", test.what, test.got, test.want)
		}
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	en := everyLanguage(t, map[string]string{"en": englishMessages}).Locale("en")
	got := en.Spans("pay.due", Args{"Amount": Isolated("€29.00"), "Name": "**Ann**"})
	want := []Span{
		{Text: "€29.00", Isolated: true, Strong: true}, {Text: " is due, **Ann**, "}, {Text: "now", Strong: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := en.Spans("no.key"); !reflect.DeepEqual(got, []Span{{Text: "no.key"}}) {
		t.Errorf("an unknown key answers %+v", got)
	}
}

func TestMalformedMessagesAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`a = "{{.Amount"`, `a = "{{Amount}}"`, `a = "{{.Amount | html}}"`, `a = "{{.A.B}}"`, `a = "{{}}"`, `a = "{{.1}}"`,
		`a = "**half"`, `a = ""`, "[a]\none = '1'", `a = `, "[a]\none='1'\nother='2'\nnested.key='3'",
	} {
		c, err := load(fstest.MapFS{"locales/en.toml": {Data: []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.byTag[source].own.read()
		if err == nil || !strings.Contains(err.Error(), "locales/en.toml") {
			t.Errorf("%s: %v", text, err)
		}
	}
	_, err := load(fstest.MapFS{"locales/en.toml": {}, "locales/tlh.toml": {}})
	if err == nil || !strings.Contains(err.Error(), "no locale data") {
		t.Errorf("a language without data: %v", err)
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	c := everyLanguage(t, map[string]string{"en": "a='1'\nb='2'", "it": "b='2'\nc='3'"})
	if got := c.Missing("it"); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("missing %q", got)
	}
	if got := append(c.Missing("en"), c.Missing("xx")...); len(got) > 0 {
		t.Errorf("missing %q", got)
	}
}

// A language costs nothing until somebody speaks it, and then no other but English is read with it.
func TestALanguageIsReadWhenItIsSpoken(t *testing.T) {
	t.Parallel()
	c, err := load(fstest.MapFS{"locales/en.toml": {Data: []byte("a='1'")}, "locales/it.toml": {Data: []byte("a='2'")}, "locales/pl.toml": {Data: []byte("broken")}})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Locale("it").Text("a") + c.Locale("en").Text("a"); got != "21" {
		t.Errorf("said %q", got)
	}
	if got := c.Match("pl-PL"); got.Name() != "Polski" || got.EnglishName() != "Polish" {
		t.Errorf("Polish is called %q and %q", got.Name(), got.EnglishName())
	}
}

// The languages stand in the order in which Unicode's rules put their names, and are called in English as CLDR calls them.
func TestLanguagesByName(t *testing.T) {
	t.Parallel()
	names := []string{"Čeština", "Cymraeg", "Dansk"}
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range c.byTag {
		names = append(names, l.Name())
		if got := display.English.Languages().Name(language.MustParse(l.Tag())); got != l.EnglishName() {
			t.Errorf("%s is called %q, in CLDR %q", l.Tag(), l.EnglishName(), got)
		}
	}
	ours, theirs := slices.Clone(names), slices.Clone(names)
	slices.SortFunc(ours, func(a, b string) int { return strings.Compare(unmarked(a), unmarked(b)) })
	slices.SortFunc(theirs, collate.New(language.Und).CompareString)
	if !slices.Equal(ours, theirs) {
		t.Errorf("the order is %q, by Unicode's rules %q", ours, theirs)
	}
}

// TestLanguagesAreComplete holds the shipped message files against each other: every language says everything
// English says, with the same placeholders, the same words of weight, and a form for every count it tells apart.
func TestLanguagesAreComplete(t *testing.T) {
	t.Parallel()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	english := c.byTag[source].own.messages()
	for _, l := range c.Locales() {
		for _, key := range c.Missing(l.Tag()) {
			t.Errorf("%s: only one of %s and English has %s", l.Tag(), l.Tag(), key)
		}
		for _, key := range slices.Sorted(maps.Keys(l.own.messages())) {
			original, ok := english[key]
			if !ok {
				continue
			}
			translated := l.own.messages()[key]
			if original.in(one) == nil && translated.in(one) != nil {
				t.Errorf("%s: %s has plural forms and English has none", l.Tag(), key)
			}
			for form := range categories {
				segments := translated.in(form)
				needed := form == other || original.in(one) != nil && reaches(l.data.Plural, form)
				if needed && segments == nil {
					t.Errorf("%s: %s has no form for %s", l.Tag(), key, categoryName(form))
				}
				if segments == nil {
					continue
				}
				if !asInEnglish(segments, form, original) {
					t.Errorf("%s: the form %s of %s has the placeholders %v, English %v", l.Tag(), categoryName(form),
						key, placeholders(segments), placeholders(original.in(other)))
				}
				if hasStrong(segments) != hasStrong(original.in(other)) {
					t.Errorf("%s: %s marks words of weight otherwise than English", l.Tag(), key)
				}
			}
		}
	}
}

// reaches reports whether the language puts any count a page may show into the category.
func reaches(plural func(int64) category, c category) bool {
	for n := range int64(1000) {
		if plural(n) == c {
			return true
		}
	}
	return false
}

func categoryName(c category) string {
	return [categories]string{"other", "zero", "one", "two", "few", "many"}[c]
}

// asInEnglish reports whether a form has the placeholders of English's form other, or, where the form speaks of few
// things, those of English's own form for one ("one invoice" where other has "{{.Number}} invoices").
func asInEnglish(segments []segment, form category, original message) bool {
	got := placeholders(segments)
	if slices.Equal(got, placeholders(original.in(other))) {
		return true
	}
	return form != other && original.in(one) != nil && slices.Equal(got, placeholders(original.in(one)))
}

// placeholders answers the names a message uses, without Count: "one invoice" need not repeat the number.
func placeholders(segments []segment) []string {
	names := map[string]bool{}
	for _, s := range segments {
		if s.argument != "" && s.argument != "Count" {
			names[s.argument] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func hasStrong(segments []segment) bool {
	return slices.ContainsFunc(segments, func(s segment) bool { return s.strong })
}

func BenchmarkText(b *testing.B) {
	c, err := load(fstest.MapFS{"locales/en.toml": {Data: []byte(englishMessages)}})
	if err != nil {
		b.Fatal(err)
	}
	en := c.Locale("en")
	args := Args{"Amount": en.Money(2900, "eur"), "Name": "Ann"}
	for b.Loop() {
		_ = en.Text("pay.due", args)
	}
}
