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
	"unicode"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/unicode/norm"
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

// Load answers the catalogue of the embedded message files, which is made once, however often it is asked for. A language's
// messages are read when somebody first speaks it. It fails when a language has no locale data: a mistake of the build,
// not of the installation, as is a file that cannot be read.
func Load() (*Catalog, error) { return embedded() }

var embedded = sync.OnceValues(func() (*Catalog, error) { return load(messageFiles) })

func load(files fs.FS) (*Catalog, error) {
	paths, err := fs.Glob(files, "locales/*.toml")
	if err != nil {
		return nil, fmt.Errorf("list message files: %w", err)
	}
	data := cldr()
	spoken := map[string]*dictionary{}
	for _, p := range paths {
		tag := strings.TrimSuffix(path.Base(p), ".toml")
		d, known := data[tag]
		if !known {
			return nil, fmt.Errorf("load %s: no locale data for %q; add it to internal/l10n/gen and generate again", p, tag)
		}
		spoken[tag] = newDictionary(files, p, d.Plural)
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
	slices.SortFunc(c.offered, func(a, b *Locale) int { return strings.Compare(unmarked(a.Name()), unmarked(b.Name())) })
	c.matcher = newMatcher(slices.Collect(maps.Keys(c.byTag)))
	return c, nil
}

// unmarked is a name without the marks of its letters, by which names stand in order: Čeština comes before Cymraeg. All
// begin with a capital letter.
func unmarked(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(name))
}

// dictionary is the messages of one file. An installation speaks few of the languages there are, so that each is read when
// its first message is asked for.
type dictionary struct {
	read func() (map[string]message, error)
}

func newDictionary(files fs.FS, p string, plural func(int64) category) *dictionary {
	return &dictionary{sync.OnceValues(func() (map[string]message, error) {
		messages, err := readMessages(files, p, plural)
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", p, err)
		}
		return messages, nil
	})}
}

// messages answers the messages by their keys. A file that cannot be read is a mistake of the build: a test reads them all.
func (d *dictionary) messages() map[string]message {
	messages, err := d.read()
	if err != nil {
		panic(err)
	}
	return messages
}

// readMessages answers the messages of one file by their dotted keys, cut into segments. It fails when the file cannot be
// parsed or a placeholder or a strong mark is malformed.
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
	own, english := l.own.messages(), l.english.messages()
	for key := range english {
		if _, ok := own[key]; !ok {
			missing = append(missing, key)
		}
	}
	for key := range own {
		if _, ok := english[key]; !ok {
			missing = append(missing, key)
		}
	}
	slices.Sort(missing)
	return missing
}
