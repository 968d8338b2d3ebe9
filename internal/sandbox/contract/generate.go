//go:build ignore

// This program writes contract.json: of Stripe's official OpenAPI text (as carried by stripe-mock at API version
// 2023-10-16) the parameters of the calls the stand-in serves, and which of their answers' fields can be expanded.
// The text itself has 5.8 MB and belongs to a library meant for tests; the binary carries only this extract.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"

	"github.com/stripe/stripe-mock/embedded"
)

type schema struct {
	Ref                  string             `json:"$ref"`
	Type                 string             `json:"type"`
	Enum                 []any              `json:"enum"`
	Properties           map[string]*schema `json:"properties"`
	Required             []string           `json:"required"`
	Items                *schema            `json:"items"`
	AnyOf                []*schema          `json:"anyOf"`
	AdditionalProperties json.RawMessage    `json:"additionalProperties"`
	Bypass               bool               `json:"x-stripeBypassValidation"`
	ResourceID           string             `json:"x-resourceId"`
}

type operation struct {
	Parameters []struct {
		Name     string  `json:"name"`
		In       string  `json:"in"`
		Required bool    `json:"required"`
		Schema   *schema `json:"schema"`
	} `json:"parameters"`
	RequestBody struct {
		Content map[string]struct {
			Schema *schema `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
}

type text struct {
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

// node is the extract's form of one parameter; package sandbox reads it back.
type node struct {
	Kind     string           `json:"k,omitempty"` // "" is a string
	Enum     []string         `json:"e,omitempty"`
	Fields   map[string]*node `json:"f,omitempty"`
	Required []string         `json:"r,omitempty"`
	Item     *node            `json:"i,omitempty"`
	Any      []*node          `json:"a,omitempty"`
}

// heavy parameters are taken as they come: dozens of payment methods that the stand-in does not play.
var heavy = map[string]bool{
	"payment_method_options": true, "tax_id_data": true, "transfer_data": true, "mandate_options": true,
	"company": true, "individual": true, "line_items": true, "subscription_data": true, "payment_intent_data": true,
	"shipping_cost": true, "shipping_options": true, "custom_fields": true, "invoice_creation": true, "add_invoice_items": true,
}

// closed parameters take no value but the listed ones, although Stripe's text leaves them open for its own clients.
var closed = map[string]bool{"status": true, "collection_method": true, "enabled_events": true}

func reduce(name string, s *schema) *node {
	if heavy[name] {
		return &node{Kind: "open"}
	}
	if len(s.AnyOf) > 0 {
		n := &node{Kind: "any"}
		for _, option := range s.AnyOf {
			n.Any = append(n.Any, reduce(name, option))
		}
		return n
	}
	switch s.Type {
	case "object":
		if len(s.Properties) == 0 {
			return &node{Kind: "map"}
		}
		n := &node{Kind: "object", Fields: map[string]*node{}, Required: s.Required}
		for field, property := range s.Properties {
			n.Fields[field] = reduce(field, property)
		}
		if name == "payment_method_data" {
			// Browsers send the typed card there; the text describes what servers may send.
			n.Fields["card"] = &node{Kind: "open"}
		}
		return n
	case "array":
		return &node{Kind: "array", Item: reduce(name, s.Items)}
	case "integer", "number", "boolean":
		return &node{Kind: s.Type}
	}
	n := &node{}
	// Receivers may be made at other versions, to see what the portal does with their events.
	if name != "api_version" && (!s.Bypass || closed[name]) {
		for _, value := range s.Enum {
			n.Enum = append(n.Enum, fmt.Sprint(value))
		}
	}
	return n
}

var resources = strings.Fields(`customer payment_method product price subscription subscription_item invoiceitem invoice
	line_item payment_intent setup_intent setup_attempt mandate charge refund dispute credit_note credit_note_line_item
	balance_transaction test_helpers.test_clock webhook_endpoint event billing_portal.session checkout.session account balance`)

func main() {
	var spec text
	err := json.Unmarshal(embedded.OpenAPISpec, &spec)
	if err != nil {
		log.Fatal(err)
	}
	served, err := os.ReadFile("calls.txt")
	if err != nil {
		log.Fatal(err)
	}
	calls := map[string]*node{}
	for _, line := range strings.Split(strings.TrimSpace(string(served)), "\n") {
		method, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		raw, ok := spec.Paths[path][strings.ToLower(method)]
		if !ok {
			log.Fatalf("Stripe's text has no %s %s", method, path)
		}
		var op operation
		err := json.Unmarshal(raw, &op)
		if err != nil {
			log.Fatal(err)
		}
		n := &node{Kind: "object", Fields: map[string]*node{}}
		body := op.RequestBody.Content["application/x-www-form-urlencoded"].Schema
		if body != nil && len(body.Properties) > 0 {
			n = reduce("", body)
		}
		for _, p := range op.Parameters {
			if p.In != "query" {
				continue
			}
			n.Fields[p.Name] = reduce(p.Name, p.Schema)
			if p.Required {
				n.Required = append(n.Required, p.Name)
			}
		}
		calls[method+" "+path] = n
	}

	known := map[string]bool{}
	for _, name := range resources {
		known[name] = true
	}
	expandable := map[string]map[string]string{}
	for _, name := range resources {
		fields := map[string]string{}
		collect(spec, known, spec.Components.Schemas[name], "", fields, 0)
		expandable[name] = fields
	}
	// Lists that are part of an answer only when asked for.
	expandable["customer"]["subscriptions"] = "subscription"
	expandable["customer"]["sources"] = "other"
	expandable["customer"]["tax_ids"] = "other"
	expandable["charge"]["refunds"] = "refund"
	out, err := json.Marshal(map[string]any{"calls": calls, "expandable": expandable})
	if err != nil {
		log.Fatal(err)
	}
	err = os.WriteFile("contract.json", append(out, '\n'), 0o644)
	if err != nil {
		log.Fatal(err)
	}
	sort.Strings(resources)
	fmt.Printf("contract.json: %d calls, %d resources, %d bytes\n", len(calls), len(resources), len(out))
}

// collect notes every path below s that leads to another resource: by id ("customer") or embedded ("lines.data").
func collect(spec text, known map[string]bool, s *schema, at string, fields map[string]string, depth int) {
	if depth > 4 {
		return
	}
	for name, property := range s.Properties {
		path := name
		if at != "" {
			path = at + "." + name
		}
		step(spec, known, property, path, fields, depth)
	}
}

func step(spec text, known map[string]bool, s *schema, path string, fields map[string]string, depth int) {
	if s.Items != nil {
		step(spec, known, s.Items, path, fields, depth)
		return
	}
	if s.Ref != "" {
		target := s.Ref[strings.LastIndex(s.Ref, "/")+1:]
		if known[target] {
			fields[path] = target
			return
		}
		if spec.Components.Schemas[target].ResourceID != "" {
			if fields[path] == "" {
				fields[path] = "other"
			}
			return
		}
		collect(spec, known, spec.Components.Schemas[target], path, fields, depth+1)
		return
	}
	for _, option := range s.AnyOf {
		step(spec, known, option, path, fields, depth)
	}
	if len(s.Properties) > 0 {
		collect(spec, known, s, path, fields, depth+1)
	}
}
