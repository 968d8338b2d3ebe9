package l10n

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

// longestPreference bounds what of a header is read. Real Accept-Language headers stay far below it; without a
// bound a stranger decides how much work one request makes.
const longestPreference = 512

// matcher finds the supported tag that serves a list of preferences best.
type matcher struct {
	tags    []string
	matcher language.Matcher
}

func newMatcher(tags []string) matcher {
	// The source language stands first: language.Matcher answers the first tag when nothing fits.
	slices.SortFunc(tags, func(a, b string) int {
		switch {
		case a == b:
			return 0
		case a == source:
			return -1
		case b == source:
			return 1
		}
		return strings.Compare(a, b)
	})
	supported := make([]language.Tag, len(tags))
	for i, t := range tags {
		supported[i] = language.MustParse(t)
	}
	return matcher{tags: tags, matcher: language.NewMatcher(supported)}
}

// best answers the tag of the first preference that names a supported language, else of the first one that
// resembles a supported language (Basque readers mostly read Spanish), else the source language.
func (m matcher) best(preferences []string) string {
	for len(preferences) > 0 && preferences[0] == "" { // nothing was ever said
		preferences = preferences[1:]
	}
	// A plain supported tag is the common case: a link's language, a cookie, a customer's stored locale.
	if len(preferences) > 0 && slices.Contains(m.tags, preferences[0]) {
		return preferences[0]
	}
	var wanted []language.Tag
	for _, preference := range preferences {
		wanted = append(wanted, parsePreference(preference)...)
	}
	resembling := ""
	for _, tag := range wanted {
		matched, i, confidence := m.matcher.Match(tag)
		if confidence == language.No {
			continue
		}
		if sameLanguage(matched, tag) {
			return m.tags[i]
		}
		resembling = cmp.Or(resembling, m.tags[i])
	}
	return cmp.Or(resembling, source)
}

// sameLanguage tells a region of a supported language (it-CH) from a language whose readers mostly read a
// supported one (Basque and Spanish): CLDR rates both as good matches.
func sameLanguage(a, b language.Tag) bool {
	first, _ := a.Base()
	second, _ := b.Base()
	return first == second
}

// mostLanguages bounds how many languages of one header are looked at; browsers send a handful.
const mostLanguages = 16

// parsePreference answers the tags of one preference, the most wanted first. What cannot be read is passed over
// rather than spoiling the rest, which is why language.ParseAcceptLanguage is not used: it refuses a whole header
// for one language it does not know.
func parsePreference(preference string) []language.Tag {
	if len(preference) > longestPreference {
		preference = preference[:max(0, strings.LastIndexByte(preference[:longestPreference], ','))]
	}
	type choice struct {
		tag    language.Tag
		weight int
	}
	var choices []choice
	for item := range strings.SplitSeq(preference, ",") {
		name, parameters, _ := strings.Cut(item, ";")
		weight := weightOf(parameters)
		tag, err := language.Parse(strings.TrimSpace(name))
		if err != nil || weight == 0 {
			continue
		}
		choices = append(choices, choice{tag, weight})
		if len(choices) == mostLanguages {
			break
		}
	}
	slices.SortStableFunc(choices, func(a, b choice) int { return cmp.Compare(b.weight, a.weight) })
	tags := make([]language.Tag, len(choices))
	for i, c := range choices {
		tags[i] = c.tag
	}
	return tags
}

// weightOf answers the quality value of a language in thousandths (RFC 9110, 12.4.2): 800 for "q=0.8", 1000 when
// none is given, 0 for a language that is refused and for a value that cannot be read.
func weightOf(parameters string) int {
	value, given := strings.CutPrefix(strings.TrimSpace(parameters), "q=")
	if !given {
		return 1000
	}
	whole, fraction, _ := strings.Cut(strings.TrimSpace(value), ".")
	if whole == "1" {
		return 1000
	}
	thousandths, err := strconv.ParseUint((fraction + "000")[:3], 10, 16)
	if err != nil || whole != "0" {
		return 0
	}
	return int(thousandths)
}
