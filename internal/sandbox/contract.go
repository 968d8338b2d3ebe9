package sandbox

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

//go:generate sh -c "cd contract && go run generate.go"

//go:embed contract/contract.json
var contractText []byte

// contract is what Stripe's official text says about the calls served here: their parameters, and the fields of
// their answers that can be expanded.
type contract struct {
	Calls      map[string]*parameter        `json:"calls"`
	Expandable map[string]map[string]string `json:"expandable"`
}

// parameter describes one parameter: kind "" is a string, "open" takes anything, "map" any names.
type parameter struct {
	Kind     string                `json:"k"`
	Enum     []string              `json:"e"`
	Fields   map[string]*parameter `json:"f"`
	Required []string              `json:"r"`
	Item     *parameter            `json:"i"`
	Any      []*parameter          `json:"a"`
}

func readContract() (*contract, error) {
	c := &contract{}
	err := json.Unmarshal(contractText, c)
	if err != nil {
		return nil, fmt.Errorf("read the extract of Stripe's text: %w", err)
	}
	return c, nil
}

// sentByBrowsers are parameters that Stripe's browser script adds to its calls and Stripe's text does not list.
var sentByBrowsers = []string{
	"key", "client_secret", "use_stripe_sdk", "expected_payment_method_type", "_stripe_version", "_stripe_account", "guid", "muid", "sid",
	"payment_user_agent", "referrer", "time_on_page", "pasted_fields", "client_attribution_metadata", "radar_options",
}

// check refuses what Stripe would refuse before it looks at anything: unknown names, missing ones, wrong forms.
func (c *contract) check(call string, form *field, fromBrowser bool) *apiError {
	described, ok := c.Calls[call]
	if !ok {
		return nil
	}
	if fromBrowser {
		for _, name := range sentByBrowsers {
			_, published := described.Fields[name]
			if !published {
				form = form.without(name)
			}
		}
	}
	return described.check("", form)
}

func (d *parameter) check(name string, f *field) *apiError {
	switch d.Kind {
	case "open":
		return nil
	case "any":
		return d.checkAny(name, f)
	case "object":
		return d.checkObject(name, f)
	case "map":
		if f.isLeaf() {
			return invalidRequest(name, "", "Invalid object")
		}
		return nil
	case "array":
		if f.isLeaf() {
			if f.text == "" {
				return nil
			}
			return invalidRequest(name, "", "Invalid array")
		}
		for i, item := range f.sorted() {
			failure := d.Item.check(fmt.Sprintf("%s[%d]", name, i), item)
			if failure != nil {
				return failure
			}
		}
		return nil
	}
	if !f.isLeaf() {
		return invalidRequest(name, "", "Invalid string: "+f.describe())
	}
	if d.Kind == "boolean" {
		f.lowerTruth()
	}
	return d.checkLeaf(name, f.text)
}

func (d *parameter) checkLeaf(name, text string) *apiError {
	switch d.Kind {
	case "integer":
		_, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return invalidRequest(name, "parameter_invalid_integer", "Invalid integer: "+text)
		}
	case "number":
		_, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return invalidRequest(name, "", "Invalid decimal: "+text)
		}
	case "boolean":
		if text != "true" && text != "false" {
			return invalidRequest(name, "", "Invalid boolean: "+text)
		}
	default:
		if len(d.Enum) > 0 && !slices.Contains(d.Enum, text) {
			return invalidRequest(name, "", fmt.Sprintf("Invalid %s: must be one of %s", name, joinOr(d.Enum)))
		}
	}
	return nil
}

func (d *parameter) checkAny(name string, f *field) *apiError {
	var failure *apiError
	for _, option := range d.Any {
		found := option.check(name, f)
		if found == nil {
			return nil
		}
		// The failure to tell is that of the option which has the form of what was sent.
		composite := option.Kind == "object" || option.Kind == "array" || option.Kind == "map"
		if failure == nil || composite != f.isLeaf() && len(option.Enum) != 1 {
			failure = found
		}
	}
	return failure
}

func (d *parameter) checkObject(name string, f *field) *apiError {
	if f.isLeaf() && name != "" {
		return invalidRequest(name, "", "Invalid object")
	}
	for _, key := range f.names() {
		full := key
		if name != "" {
			full = name + "[" + key + "]"
		}
		inner, ok := d.Fields[key]
		if !ok {
			return invalidRequest(full, "parameter_unknown", "Received unknown parameter: "+full)
		}
		failure := inner.check(full, f.fields[key])
		if failure != nil {
			return failure
		}
	}
	for _, key := range d.Required {
		_, ok := f.fields[key]
		if !ok {
			full := key
			if name != "" {
				full = name + "[" + key + "]"
			}
			return invalidRequest(full, "parameter_missing", "Missing required param: "+full+".")
		}
	}
	return nil
}

// checkExpand refuses a path that leads to nothing expandable in an answer about resource.
func (c *contract) checkExpand(resource, path string) *apiError {
	at, rest := resource, path
	for rest != "" {
		if at == "other" {
			return nil
		}
		fields, ok := c.Expandable[at]
		if !ok {
			return nil
		}
		next := ""
		for name := range fields {
			// Whole lists such as "lines" are always there; naming them is harmless at Stripe too.
			if strings.HasPrefix(name, rest+".") {
				return nil
			}
		}
		for name, target := range fields {
			if rest != name && !strings.HasPrefix(rest, name+".") {
				continue
			}
			if next == "" || len(name) > len(next) {
				next, at = name, target
			}
		}
		if next == "" {
			return invalidRequest("expand", "", fmt.Sprintf("This property cannot be expanded (%s).", path))
		}
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, next), ".")
		if rest == "data" || strings.HasPrefix(rest, "data.") {
			rest = strings.TrimPrefix(strings.TrimPrefix(rest, "data"), ".")
		}
	}
	return nil
}

func joinOr(words []string) string {
	sorted := slices.DeleteFunc(slices.Clone(words), func(word string) bool { return word == "" })
	sort.Strings(sorted)
	if len(sorted) < 2 {
		return strings.Join(sorted, "")
	}
	if len(sorted) == 2 {
		return sorted[0] + " or " + sorted[1]
	}
	return strings.Join(sorted[:len(sorted)-1], ", ") + ", or " + sorted[len(sorted)-1]
}
