package sandbox_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	stripe "github.com/stripe/stripe-go/v76"
)

func TestSearchFindsWhatIsAskedFor(t *testing.T) {
	w := newWorld(t)
	made := map[string]string{}
	for _, c := range []struct{ name, email, plan string }{{"Ada", "ada@example.org", "gold"}, {"Bea O'Hara", "bea@example.org", "silver"}, {"Cy", "cy@example.com", ""}} {
		params := &stripe.CustomerParams{Name: stripe.String(c.name), Email: stripe.String(c.email)}
		if c.plan != "" {
			params.AddMetadata("the plan", c.plan)
		}
		owner, err := w.client.Customers.New(params)
		must(t, err)
		made[owner.ID] = c.name[:1]
	}
	for query, want := range map[string]string{
		`email:"ADA@example.org"`: "A", `email:'example'`: "", `email~"example.ORG"`: "AB", `-email~"example.org"`: "C",
		`metadata["the plan"]:"gold"`: "A", `metadata['the plan']:null`: "C", `-metadata["the plan"]:null`: "AB", `metadata["none"]:"x"`: "",
		`name:"bea o'hara"`: "B", `name:'Bea O\'Hara'`: "B", `name:Cy`: "C", `phone:null`: "ABC",
		`name:"Ada" OR name:"Cy"`: "AC", `name:"Ada" and email~"example"`: "A", `name:"Ada" email~"example.com"`: "",
		fmt.Sprintf("created>=%d", morning.Unix()): "ABC", fmt.Sprintf("created < %d", morning.Unix()): "", fmt.Sprintf("created:%d", morning.Unix()): "ABC",
	} {
		got := ""
		found := w.client.Customers.Search(&stripe.CustomerSearchParams{SearchParams: stripe.SearchParams{Query: query}})
		for found.Next() {
			got += made[found.Customer().ID]
		}
		must(t, found.Err())
		letters := strings.Split(got, "")
		slices.Sort(letters)
		expect(t, query, strings.Join(letters, ""), want)
	}
}

func TestSearchGoesOverEveryNoun(t *testing.T) {
	w := newWorld(t)
	payer := w.customer("pm_card_visa", "")
	sub := w.subscribe(payer.ID)
	failed, err := w.server.FailRenewal(payer.ID, "insufficient_funds")
	must(t, err)
	for path, query := range map[string]string{
		"invoices":        `customer:"` + payer.ID + `" AND status:"open"`,
		"subscriptions":   `status:"past_due"`,
		"charges":         `status:"failed" AND payment_method_details.card.last4:"4242" AND amount>0`,
		"payment_intents": `customer:'` + payer.ID + `' AND status:"requires_payment_method"`,
		"prices":          `active:"true" AND currency:"eur"`,
		"products":        `name~"studio"`,
		"customers":       `email~"@example.org"`,
	} {
		status, answer := w.form(w.server.SecretKey(), "GET", "/v1/"+path+"/search", url.Values{"query": {query}, "expand[]": {"total_count"}})
		expect(t, path, status, 200)
		expect(t, path, answer["object"], any("search_result"))
		expect(t, path+" found", answer["total_count"], any(1.0))
	}
	all := w.client.Invoices.Search(&stripe.InvoiceSearchParams{SearchParams: stripe.SearchParams{Query: `subscription:"` + sub.ID + `"`, Limit: stripe.Int64(1)}})
	var ids []string
	for all.Next() {
		ids = append(ids, all.Invoice().ID)
	}
	must(t, all.Err())
	expect(t, "pages", len(ids), 2)
	expect(t, "the newest first", ids[0], failed)
}

func TestSearchRefusesWhatStripeRefuses(t *testing.T) {
	w := newWorld(t)
	for query, want := range map[string]string{
		"": "unable to parse", "nonsense": "unable to parse", `name:"Ada`: "unable to parse", `colour:"red"`: "Field `colour` is an unsupported search field for resource `customers`",
		`name>"a"`: "operator >", `name~"ab"`: "at least 3", `created:"soon"`: "whole number", `name:"a" AND name:"b" OR name:"c"`: "mix AND and OR",
		strings.Repeat(`name:"a" `, 10) + `name:"a"`: "at most 10",
	} {
		status, answer := w.form(w.server.SecretKey(), "GET", "/v1/customers/search", url.Values{"query": {query}})
		expect(t, query, status, 400)
		message, _ := errorOf(answer)["message"].(string)
		expect(t, query+" says "+message, strings.Contains(message, want), true)
	}
	status, _ := w.form(w.server.SecretKey(), "GET", "/v1/customers/search", url.Values{"query": {`name:"Ada"`}, "page": {"nowhere"}})
	expect(t, "an unknown page", status, 400)
	status, _ = w.form(w.server.SecretKey(), "GET", "/v1/customers/search", nil)
	expect(t, "no query", status, 400)
}
