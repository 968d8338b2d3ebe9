package email

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sollecito/internal/l10n"
)

// woven is a page from its form and what stands in the form's places.
func woven(t *testing.T, f Form, words []string) string {
	t.Helper()
	if len(f.Markup) != len(words)+1 {
		t.Fatalf("%d pieces of markup around %d places", len(f.Markup), len(words))
	}
	var b strings.Builder
	for i, markup := range f.Markup {
		b.WriteString(markup)
		if i < len(words) {
			b.WriteString(words[i])
		}
	}
	return b.String()
}

// A form that one letter was drawn with serves every letter of its build: filled in, it is the page as it would be
// drawn for it.
func TestAFilledFormIsThePageAsItIsDrawn(t *testing.T) {
	t.Parallel()
	known := map[Build]Form{}
	for _, locale := range catalog(t).Locales() {
		for name, letter := range letters(locale) {
			for _, l := range []Letter{letter, respoken(letter, func(s string) string { return hostile + s + "\n& 'more'" })} {
				build, words := l.Build()
				f, is := known[build]
				if !is {
					var err error
					f, err = l.Form(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					known[build] = f
				}
				want, err := l.HTML(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got := woven(t, f, f.Fill(words)); got != want {
					t.Fatalf("%s %s: the form gives\n%s\nand drawing\n%s", locale.Tag(), name, got, want)
				}
			}
		}
	}
	if 2*len(known) > 3*len(catalog(t).Locales())*len(letters(catalog(t).Locales()[0])) {
		t.Errorf("%d forms: what a letter says must not ask for a form of its own", len(known))
	}
}

// Letters of the same build may say anything at all, or nothing in some place.
func TestFormsServeWhateverALetterSays(t *testing.T) {
	t.Parallel()
	locale := catalog(t).Match("en")
	all := letters(locale)
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(all))).Draw(rt, "letter")
		say := rapid.StringOfN(rapid.RuneFrom([]rune("aé<>&\"'\n \u200f0{}:/")), 0, 12, -1)
		one := respoken(all[name], func(s string) string { return s + "x" })
		other := respoken(all[name], func(string) string { return say.Draw(rt, "text") })
		first, _ := one.Build()
		second, words := other.Build()
		f, err := one.Form(t.Context())
		if first != second { // something is left unsaid
			f, err = other.Form(t.Context())
		}
		if err != nil {
			rt.Fatal(err)
		}
		want, err := other.HTML(t.Context())
		if err != nil {
			rt.Fatal(err)
		}
		if got := woven(t, f, f.Fill(words)); got != want {
			rt.Fatalf("the form gives\n%s\nand drawing\n%s", got, want)
		}
	})
}

// respoken is a letter that says something else in every place but its addresses.
func respoken(l Letter, say func(string) string) Letter {
	l = l.clone()
	paragraphs := func(all []Paragraph) {
		for _, p := range all {
			for i := range p {
				p[i].Text = say(p[i].Text)
			}
		}
	}
	for _, text := range []*string{&l.Subject, &l.Preheader, &l.Heading, &l.Greeting, &l.LinkLine, &l.SignOff, &l.Why} {
		*text = say(*text)
	}
	paragraphs(l.Before)
	paragraphs(l.After)
	for i, a := range l.Amounts {
		l.Amounts[i] = Amount{l10n.Isolated(say(string(a.Money))), say(a.What), say(a.Period)}
	}
	for _, f := range l.Facts {
		paragraphs([]Paragraph{f.Term, f.Value})
	}
	for _, q := range []*Quote{l.Message, l.Quote} {
		if q != nil {
			q.Who, q.Text = say(q.Who), say(q.Text)
		}
	}
	if l.Button != nil {
		paragraphs([]Paragraph{l.Button.Label})
	}
	for _, way := range l.Quiet {
		paragraphs([]Paragraph{way.Label})
	}
	return l
}
