package sandbox

import (
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// field is one node of a decoded form: a text, or named fields below it (a list's are named "0", "1", …).
type field struct {
	text   string
	fields map[string]*field
}

func (f *field) isLeaf() bool { return f.fields == nil }

func (f *field) names() []string {
	names := make([]string, 0, len(f.fields))
	for name := range f.fields {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// sorted gives a list's elements in the order of their numbers.
func (f *field) sorted() []*field {
	names := f.names()
	slices.SortStableFunc(names, func(a, b string) int {
		left, errLeft := strconv.Atoi(a)
		right, errRight := strconv.Atoi(b)
		if errLeft != nil || errRight != nil {
			return strings.Compare(a, b)
		}
		return left - right
	})
	items := make([]*field, len(names))
	for i, name := range names {
		items[i] = f.fields[name]
	}
	return items
}

func (f *field) without(name string) *field {
	_, ok := f.fields[name]
	if !ok {
		return f
	}
	kept := &field{fields: map[string]*field{}}
	for key, inner := range f.fields {
		if key != name {
			kept.fields[key] = inner
		}
	}
	return kept
}

// lowerTruth makes True and False of true and false: Python writes its booleans so, and Stripe reads them so.
func (f *field) lowerTruth() {
	lower := strings.ToLower(f.text)
	if lower == "true" || lower == "false" {
		f.text = lower
	}
}

func (f *field) describe() string {
	return "{" + strings.Join(f.names(), ", ") + "}"
}

// decodeForm reads a form or query as Stripe does: brackets nest, "[]" appends, the last of equal names counts.
func decodeForm(raw string) (*field, error) {
	root := &field{fields: map[string]*field{}}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(key)
		if err != nil {
			return nil, err
		}
		text, err := url.QueryUnescape(value)
		if err != nil {
			return nil, err
		}
		root.put(splitName(name), text)
	}
	return root, nil
}

// splitName cuts "items[0][price]" into items, 0, price.
func splitName(name string) []string {
	open := strings.IndexByte(name, '[')
	if open <= 0 {
		return []string{name}
	}
	steps := []string{name[:open]}
	rest := name[open:]
	for strings.HasPrefix(rest, "[") {
		end := strings.IndexByte(rest, ']')
		if end < 0 {
			break
		}
		steps = append(steps, rest[1:end])
		rest = rest[end+1:]
	}
	return steps
}

func (f *field) put(steps []string, text string) {
	at := f
	for i, step := range steps {
		if at.fields == nil {
			at.fields = map[string]*field{}
		}
		last := i == len(steps)-1
		if step == "" {
			step = at.appendAt(steps[i+1:])
		}
		next, ok := at.fields[step]
		if !ok {
			next = &field{}
			at.fields[step] = next
		}
		if last {
			next.text, next.fields = text, nil
		}
		at = next
	}
}

// appendAt says where "[]" leads: to a new element, or to the last one while the rest of the name is still free in it.
func (f *field) appendAt(rest []string) string {
	count := len(f.fields)
	if count == 0 || len(rest) == 0 {
		return strconv.Itoa(count)
	}
	at := f.fields[strconv.Itoa(count-1)]
	for _, step := range rest {
		if at == nil {
			return strconv.Itoa(count - 1)
		}
		at = at.fields[step]
	}
	if at == nil {
		return strconv.Itoa(count - 1)
	}
	return strconv.Itoa(count)
}

// params are a call's parameters, from its path and its form. Names of nested ones are joined with dots.
type params struct {
	path map[string]string
	form *field
}

func (p *params) find(name string) *field {
	at := p.form
	for step := range strings.SplitSeq(name, ".") {
		if at == nil {
			return nil
		}
		at = at.fields[step]
	}
	return at
}

// has reports whether name was sent at all, empty or not.
func (p *params) has(name string) bool { return p.find(name) != nil }

// text is "" when name is absent or cleared.
func (p *params) text(name string) string {
	found := p.find(name)
	if found == nil {
		return ""
	}
	return found.text
}

// cleared reports whether name was sent as an empty text, which is Stripe's way to unset it.
func (p *params) cleared(name string) bool {
	found := p.find(name)
	return found != nil && found.isLeaf() && found.text == ""
}

func (p *params) or(name, fallback string) string {
	if p.has(name) {
		return p.text(name)
	}
	return fallback
}

func (p *params) number(name string, fallback int64) int64 {
	value, err := strconv.ParseInt(p.text(name), 10, 64)
	if err != nil {
		return fallback
	}
	return value
}

func (p *params) truth(name string, fallback bool) bool {
	if !p.has(name) {
		return fallback
	}
	return p.text(name) == "true"
}

func (p *params) texts(name string) []string {
	found := p.find(name)
	if found == nil || found.isLeaf() {
		return nil
	}
	var all []string
	for _, item := range found.sorted() {
		all = append(all, item.text)
	}
	return all
}

// each gives the elements of a list of objects.
func (p *params) each(name string) []*params {
	found := p.find(name)
	if found == nil || found.isLeaf() {
		return nil
	}
	var all []*params
	for _, item := range found.sorted() {
		all = append(all, &params{path: p.path, form: item})
	}
	return all
}

// set writes name into target when it was sent.
func (p *params) set(name string, target *string) {
	if p.has(name) {
		*target = p.text(name)
	}
}

// mergeMetadata applies Stripe's rule: sent keys are set, empty ones removed, an empty "metadata" removes all.
func (p *params) mergeMetadata(into map[string]string) map[string]string {
	if into == nil {
		into = map[string]string{}
	}
	found := p.find("metadata")
	if found == nil {
		return into
	}
	if found.isLeaf() {
		return map[string]string{}
	}
	merged := map[string]string{}
	for key, value := range into {
		merged[key] = value
	}
	for key, value := range found.fields {
		if value.text == "" {
			delete(merged, key)
			continue
		}
		merged[key] = value.text
	}
	return merged
}

// inRange applies a filter such as created[gte]=… or created=… to an instant; an unset instant matches no filter.
func (p *params) inRange(name string, at int64) bool {
	found := p.find(name)
	if found == nil {
		return true
	}
	if at == 0 {
		return false
	}
	if found.isLeaf() {
		return p.number(name, 0) == at
	}
	for bound, holds := range map[string]func(limit int64) bool{
		"gt":  func(limit int64) bool { return at > limit },
		"gte": func(limit int64) bool { return at >= limit },
		"lt":  func(limit int64) bool { return at < limit },
		"lte": func(limit int64) bool { return at <= limit },
	} {
		if p.has(name+"."+bound) && !holds(p.number(name+"."+bound, 0)) {
			return false
		}
	}
	return true
}

// is applies an optional filter: true when name was not sent or equals value.
func (p *params) is(name, value string) bool {
	return !p.has(name) || p.text(name) == value
}
