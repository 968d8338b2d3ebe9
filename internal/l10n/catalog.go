package l10n

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

//go:embed locales/*.toml
var messageFiles embed.FS

// source is the language every message is first written in and the one all others fall back to.
const source = "en"

// Catalog is every language the product speaks, safe for any number of readers.
type Catalog struct {
	byTag   map[string]*Locale
	offered []*Locale
	matcher matcher
}

// Load answers the catalogue of the embedded message files, which are read once, however often it is asked for. It fails
// when a file cannot be parsed, a placeholder or a strong mark is malformed, or a language has no locale data: all of
// them mistakes of the build, not of the installation.
func Load() (*Catalog, error) { return embedded() }

var embedded = sync.OnceValues(func() (*Catalog, error) { return load(messageFiles) })

func load(files fs.FS) (*Catalog, error) {
	paths, err := fs.Glob(files, "locales/*.toml")
	if err != nil {
		return nil, fmt.Errorf("list message files: %w", err)
	}
	data := cldr()
	spoken := map[string]map[string]message{}
	for _, p := range paths {
		tag := strings.TrimSuffix(path.Base(p), ".toml")
		d, known := data[tag]
		if !known {
			return nil, fmt.Errorf("load %s: no locale data for %q; add it to internal/l10n/gen and generate again", p, tag)
		}
		messages, err := readMessages(files, p, d.Plural)
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", p, err)
		}
		spoken[tag] = messages
	}
	if spoken[source] == nil {
		return nil, fmt.Errorf("load messages: locales/%s.toml is missing", source)
	}

	c := &Catalog{byTag: map[string]*Locale{}}
	for tag, d := range data {
		// A region without messages of its own (en-US) speaks its language's messages with its own money and dates.
		own, variant := spoken[tag], false
		if own == nil && d.Parent != "" {
			own, variant = spoken[d.Parent], true
		}
		if own == nil {
			continue
		}
		l, err := newLocale(tag, d, own, spoken[source])
		if err != nil {
			return nil, fmt.Errorf("load locale %s: %w", tag, err)
		}
		c.byTag[tag] = l
		if !variant {
			c.offered = append(c.offered, l)
		}
	}
	order := collate.New(language.Und)
	slices.SortFunc(c.offered, func(a, b *Locale) int { return order.CompareString(a.Name(), b.Name()) })
	c.matcher = newMatcher(slices.Collect(maps.Keys(c.byTag)))
	return c, nil
}

// readMessages answers the messages of one file by their dotted keys, cut into segments.
func readMessages(files fs.FS, p string, plural func(int64) category) (map[string]message, error) {
	text, err := fs.ReadFile(files, p)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	file, err := i18n.ParseMessageFileBytes(text, path.Base(p), map[string]i18n.UnmarshalFunc{"toml": toml.Unmarshal})
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	messages := make(map[string]message, len(file.Messages))
	for _, m := range file.Messages {
		parsed, err := parseMessage(m, plural)
		if err != nil {
			return nil, fmt.Errorf("message %s: %w", m.ID, err)
		}
		messages[m.ID] = parsed
	}
	return messages, nil
}

// Locales answers the languages a reader may choose from, in the order of their own names. Regional variants that
// only change money and dates (en-US) are not choices of their own and are left out.
func (c *Catalog) Locales() []*Locale {
	return slices.Clone(c.offered)
}

// Locale answers the best match for one BCP 47 tag, English when there is none. It is never nil.
func (c *Catalog) Locale(tag string) *Locale {
	return c.Match(tag)
}

// Match answers the locale that serves a reader best. Each preference is a BCP 47 tag, one of Stripe's
// preferred_locales or a whole Accept-Language header; earlier preferences count for more. A language the reader
// asked for is always taken before one that merely resembles it, and English when neither exists. Preferences may
// come from strangers: whatever they hold, Match answers a locale and never panics.
func (c *Catalog) Match(preferences ...string) *Locale {
	return c.byTag[c.matcher.best(preferences)]
}

// Missing answers, sorted, the keys that only one of the two has: those of English that tag lacks, and those of
// tag that English lacks. A tag without a message file of its own lacks nothing.
func (c *Catalog) Missing(tag string) []string {
	l := c.byTag[tag]
	if l == nil {
		return nil
	}
	var missing []string
	for key := range l.english {
		if _, ok := l.messages[key]; !ok {
			missing = append(missing, key)
		}
	}
	for key := range l.messages {
		if _, ok := l.english[key]; !ok {
			missing = append(missing, key)
		}
	}
	slices.Sort(missing)
	return missing
}
