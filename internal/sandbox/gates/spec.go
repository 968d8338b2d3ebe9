package gates

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stripe/stripe-mock/embedded"
	"github.com/stripe/stripe-mock/server"
)

// Spec is Stripe's OpenAPI text, made strict: a name that it does not list is a fault at any depth. It is safe for
// concurrent use. Loading takes about a second, so a test binary should do it once.
type Spec struct {
	doc   *openapi3.T
	paths []specPath
	mock  func() (*server.StubServer, error)
}

type specPath struct {
	template string
	form     *regexp.Regexp
	item     *openapi3.PathItem
}

// NewSpec loads the text embedded in stripe-mock.
func NewSpec() (*Spec, error) {
	doc, err := openapi3.NewLoader().LoadFromData(embedded.OpenAPISpec)
	if err != nil {
		return nil, fmt.Errorf("load Stripe's OpenAPI text: %w", err)
	}
	seen := map[*openapi3.Schema]bool{}
	for _, schema := range doc.Components.Schemas {
		forbidOthers(schema, seen)
	}
	s := &Spec{doc: doc, mock: sync.OnceValues(newMock)}
	for _, template := range doc.Paths.InMatchingOrder() {
		item := doc.Paths.Value(template)
		for _, operation := range item.Operations() {
			for _, response := range operation.Responses.Map() {
				for _, media := range response.Value.Content {
					forbidOthers(media.Schema, seen)
				}
			}
		}
		form := "^" + regexp.MustCompile(`\\\{[^}]+\\\}`).ReplaceAllString(regexp.QuoteMeta(template), `[^/]+`) + "$"
		s.paths = append(s.paths, specPath{template: template, form: regexp.MustCompile(form), item: item})
	}
	// A fixed path ("/v1/invoices/upcoming") goes before one with a name in its place.
	slices.SortStableFunc(s.paths, func(a, b specPath) int {
		return strings.Count(a.template, "{") - strings.Count(b.template, "{")
	})
	return s, nil
}

// forbidOthers makes unknown names a fault wherever names are listed.
func forbidOthers(ref *openapi3.SchemaRef, seen map[*openapi3.Schema]bool) {
	if ref == nil || ref.Value == nil || seen[ref.Value] {
		return
	}
	schema := ref.Value
	seen[schema] = true
	if len(schema.Properties) > 0 && schema.AdditionalProperties.Has == nil && schema.AdditionalProperties.Schema == nil {
		closed := false
		schema.AdditionalProperties.Has = &closed
	}
	for _, property := range schema.Properties {
		forbidOthers(property, seen)
	}
	for _, option := range slices.Concat(schema.AnyOf, schema.OneOf, schema.AllOf) {
		forbidOthers(option, seen)
	}
	forbidOthers(schema.Items, seen)
	forbidOthers(schema.AdditionalProperties.Schema, seen)
}

// CheckObject checks one JSON object by what it says it is: a resource, a list of them, an event with the object in
// it, something deleted, or an error body. It refuses names that Stripe's text does not list.
func (s *Spec) CheckObject(body []byte) error {
	value, err := decode(body)
	if err != nil {
		return err
	}
	return s.check(value)
}

func decode(body []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value map[string]any
	err := decoder.Decode(&value)
	if err != nil {
		return nil, fmt.Errorf("read a JSON object: %w", err)
	}
	return value, nil
}

func (s *Spec) check(value map[string]any) error {
	_, failed := value["error"]
	kind, _ := value["object"].(string)
	if failed && kind == "" {
		kind = "error"
	}
	switch kind {
	case "":
		return errors.New(`it has no "object"`)
	case "list":
		return s.checkList(value)
	case "search_result":
		return s.checkSearch(value)
	}
	gone, _ := value["deleted"].(bool)
	if gone {
		kind = "deleted_" + kind
	}
	schema, ok := s.doc.Components.Schemas[kind]
	if !ok {
		return fmt.Errorf("the published text has no object %q", kind)
	}
	err := visit(schema.Value, value)
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	if kind != "event" {
		return nil
	}
	data, _ := value["data"].(map[string]any)
	about, ok := data["object"].(map[string]any)
	if !ok {
		return errors.New("event: data.object is no object")
	}
	// At a deletion the object is told as it was, marked by nothing.
	err = s.check(about)
	if err != nil {
		return fmt.Errorf("event %v: %w", value["type"], err)
	}
	return s.checkEventType(value)
}

// checkEventType knows an event type by its own name in the list that webhook endpoints accept.
func (s *Spec) checkEventType(event map[string]any) error {
	create := s.doc.Paths.Value("/v1/webhook_endpoints").Post
	schema := create.RequestBody.Value.Content["application/x-www-form-urlencoded"].Schema.Value
	known := schema.Properties["enabled_events"].Value.Items.Value.Enum
	if !slices.Contains(known, event["type"]) {
		return fmt.Errorf("the published text has no event type %v", event["type"])
	}
	return nil
}

func (s *Spec) checkList(value map[string]any) error {
	for name := range value {
		if !slices.Contains([]string{"object", "data", "has_more", "url", "total_count"}, name) {
			return fmt.Errorf("list: unknown name %q", name)
		}
	}
	items, ok := value["data"].([]any)
	if !ok {
		return errors.New("list: data is no list")
	}
	_, hasMore := value["has_more"].(bool)
	_, hasURL := value["url"].(string)
	if !hasMore || !hasURL {
		return errors.New("list: has_more and url are missing")
	}
	for i, item := range items {
		object, ok := item.(map[string]any)
		if !ok {
			return fmt.Errorf("list: element %d is no object", i)
		}
		err := s.check(object)
		if err != nil {
			return fmt.Errorf("list element %d: %w", i, err)
		}
	}
	return nil
}

// checkSearch checks what a search answers: a list that tells the name of its next page.
func (s *Spec) checkSearch(value map[string]any) error {
	next, told := value["next_page"]
	if !told {
		return errors.New("search: next_page is missing")
	}
	_, hasNext := next.(string)
	if value["has_more"] != hasNext {
		return errors.New("search: has_more and next_page contradict each other")
	}
	list := maps.Clone(value)
	delete(list, "next_page")
	return s.checkList(list)
}

func visit(schema *openapi3.Schema, value any) error {
	err := schema.VisitJSON(plain(value), openapi3.VisitAsResponse(), openapi3.MultiErrors())
	if err == nil {
		return nil
	}
	text := err.Error()
	var first *openapi3.SchemaError
	if errors.As(err, &first) {
		text = fmt.Sprintf("at /%s: %s", strings.Join(first.JSONPointer(), "/"), first.Reason)
		if first.Origin != nil {
			text += ": " + first.Origin.Error()
		}
	}
	if len(text) > 1500 {
		text = text[:1500] + "…"
	}
	return errors.New(text)
}

// plain turns numbers into the form the checker reads.
func plain(value any) any {
	switch v := value.(type) {
	case json.Number:
		whole, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return string(v)
		}
		return whole
	case map[string]any:
		copied := make(map[string]any, len(v))
		for name, inner := range v {
			copied[name] = plain(inner)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, inner := range v {
			copied[i] = plain(inner)
		}
		return copied
	}
	return value
}

// Template gives the path of Stripe's text that an address belongs to: "/v1/invoices/{invoice}/pay". False means that
// it has none.
func (s *Spec) Template(method, path string) (string, bool) {
	found := s.find(method, path)
	if found == nil {
		return "", false
	}
	return found.template, true
}

func (s *Spec) find(method, path string) *specPath {
	for i := range s.paths {
		if s.paths[i].form.MatchString(path) && s.paths[i].item.GetOperation(method) != nil {
			return &s.paths[i]
		}
	}
	return nil
}

// CheckResponse checks an answer against what Stripe's text says of this call: for a success the call's own schema,
// for anything else an error body.
func (s *Spec) CheckResponse(method, path string, status int, body []byte) error {
	found := s.find(method, path)
	if found == nil {
		return fmt.Errorf("the published text has no %s %s", method, path)
	}
	value, err := decode(body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, found.template, err)
	}
	if status != http.StatusOK {
		_, failed := value["error"]
		if !failed {
			return fmt.Errorf("%s %s answers %d without an error", method, found.template, status)
		}
		err := s.check(value)
		if err != nil {
			return fmt.Errorf("%s %s answers %d: %w", method, found.template, status, err)
		}
		return nil
	}
	schema := found.item.GetOperation(method).Responses.Value("200").Value.Content["application/json"].Schema.Value
	err = visit(schema, value)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, found.template, err)
	}
	err = s.check(value)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, found.template, err)
	}
	return nil
}
