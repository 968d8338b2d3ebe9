package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// answer is what Stripe says to one request.
type answer struct {
	status int
	body   string
}

// RoundTrip implements http.RoundTripper: it answers as Stripe's API does, or fails as it does.
func (p *processor) RoundTrip(req *http.Request) (*http.Response, error) {
	form := url.Values{}
	if req.Body != nil && req.ContentLength > 0 {
		raw, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		form, err = url.ParseQuery(string(raw))
		if err != nil {
			return nil, err
		}
	}
	a := p.answer(req, form)
	return &http.Response{
		StatusCode: a.status, Status: strconv.Itoa(a.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		// The gateway's second try would wait for real; what a call that failed leads to is what is tried here.
		Header:        http.Header{"Content-Type": {"application/json"}, "Stripe-Should-Retry": {"false"}, "Request-Id": {"req_" + strconv.Itoa(p.calls)}},
		ContentLength: int64(len(a.body)), Body: io.NopCloser(strings.NewReader(a.body)),
	}, nil
}

// failure is what becomes of one call.
type failure int

const (
	answers failure = iota
	beforeEffect
	afterEffect
)

var (
	broken  = answer{http.StatusInternalServerError, `{"error":{"type":"api_error","message":"Something went wrong"}}`}
	unknown = answer{http.StatusNotFound, `{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such object"}}`}
)

func (p *processor) answer(req *http.Request, form url.Values) answer {
	p.calls++
	path := strings.Split(strings.TrimPrefix(req.URL.Path, "/v1/"), "/")
	for len(path) < 3 {
		path = append(path, "")
	}
	query := req.URL.Query()
	dice, f := p.dice, p.w.play.faults
	of := p.whose(path, query, form)
	if of != nil {
		dice = of.calls
	}
	if p.dead || p.w.stripeIsDown() || chance(dice, f.stripe) {
		return broken
	}
	if req.Method == http.MethodGet && p.fail != nil && p.fail(p.calls) != answers {
		return broken
	}
	if req.Method == http.MethodGet {
		return p.read(path, query)
	}
	if p.fail != nil && p.fail(p.calls) == beforeEffect {
		return broken
	}
	key := req.Header.Get("Idempotency-Key")
	a, again := p.answered[key]
	if !again {
		a = p.change(req.Method, path, form)
	}
	if key != "" { // Stripe knows none where something is ended
		p.answered[key] = a
	}
	if chance(dice, f.afterEffect) || p.fail != nil && p.fail(p.calls) == afterEffect {
		return broken
	}
	return a
}

// stripeIsDown reports whether Stripe has one of its bad hours.
func (w *world) stripeIsDown() bool {
	return w.play.faults.quiet && w.at.YearDay()%45 == 7 && w.at.Hour() >= 8 && w.at.Hour() < 14
}

func (p *processor) whose(path []string, query, form url.Values) *customer {
	for _, id := range []string{path[1], query.Get("customer"), form.Get("customer")} {
		if c := p.w.known[id]; c != nil {
			return c
		}
		if i := p.invoices[id]; i != nil {
			return i.of
		}
	}
	if s := p.setups[path[1]]; s != nil {
		return s.of
	}
	if by := p.cards[path[1]]; by != nil {
		return by.owner
	}
	return p.subscriber(path[1])
}

func (p *processor) read(path []string, query url.Values) answer {
	switch path[0] {
	case "customers":
		c := p.w.known[path[1]]
		if c == nil {
			return unknown
		}
		if path[2] == "payment_methods" {
			return p.listMethods(c)
		}
		return ok(drawCustomer(c))
	case "charges":
		return p.listCharges(p.w.known[query.Get("customer")], number(query.Get("created[gte]")))
	case "payment_methods":
		by := p.cards[path[1]]
		if by == nil {
			return unknown
		}
		return ok(drawCard(by))
	case "subscriptions":
		return list(drawSubscription(p.w.known[query.Get("customer")]))
	case "invoices":
		return p.readInvoices(path[1], query)
	case "products":
		return ok(`{"id":"prod_studio","object":"product","name":"Studio plan"}`)
	case "setup_intents":
		s := p.setups[path[1]]
		if s == nil {
			return unknown
		}
		return ok(drawSetup(s))
	case "disputes":
		var all []string
		since := number(query.Get("created[gte]"))
		for _, d := range p.disputes {
			if d.id == path[1] {
				return ok(drawDispute(d))
			}
			if path[1] == "" && d.created.Unix() >= since {
				all = append(all, drawDispute(d))
			}
		}
		if path[1] != "" {
			return unknown
		}
		return list(all...)
	case "events":
		return p.readEvents(query)
	case "payment_intents":
		i := p.invoices[strings.TrimPrefix(path[1], "pi_")]
		if i == nil {
			return unknown
		}
		return ok(drawIntent(i))
	}
	return unknown
}

func (p *processor) readInvoices(id string, query url.Values) answer {
	if id != "" {
		i := p.invoices[id]
		if i == nil {
			return unknown
		}
		return ok(drawInvoice(i, drawCustomer(i.of)))
	}
	byHand := query.Get("collection_method") == "send_invoice"
	from, until := number(query.Get("due_date[gte]")), number(query.Get("due_date[lte]"))
	holders, ofAll := p.owing, true
	if c := p.w.known[query.Get("customer")]; c != nil {
		holders, ofAll = []*customer{c}, false
	}
	var page []string
	after, passed, more := query.Get("starting_after"), query.Get("starting_after") == "", false
	for _, c := range holders {
		for _, i := range c.open {
			if byHand && (i.due.IsZero() || i.due.Unix() < from || i.due.Unix() > until) {
				continue
			}
			if passed && len(page) == 100 {
				more = true
				break
			}
			if passed {
				holder := `"` + c.id + `"`
				if ofAll {
					holder = drawCustomer(c)
				}
				page = append(page, drawInvoice(i, holder))
			}
			passed = passed || i.id == after
		}
	}
	if !passed {
		return unknown
	}
	a := list(page...)
	if more {
		a.body = strings.Replace(a.body, `"has_more":false`, `"has_more":true`, 1)
	}
	return a
}

func (p *processor) readEvents(query url.Values) answer {
	since, after := number(query.Get("created[gte]")), query.Get("starting_after")
	since = max(since, p.w.at.Add(-30*24*time.Hour).Unix())
	kinds := map[string]bool{}
	for name, values := range query {
		if strings.HasPrefix(name, "types[") {
			kinds[values[0]] = true
		}
	}
	var page []string
	passed, more := after == "", false
	for n := len(p.events) - 1; n >= 0 && p.events[n].created.Unix() >= since; n-- {
		e := p.events[n]
		if kinds[e.kind] && passed {
			if len(page) == 100 {
				more = true
				break
			}
			page = append(page, drawEvent(e))
		}
		passed = passed || e.id == after
	}
	a := list(page...)
	if more {
		a.body = strings.Replace(a.body, `"has_more":false`, `"has_more":true`, 1)
	}
	return a
}

func (p *processor) change(method string, path []string, form url.Values) answer {
	switch {
	case path[0] == "subscriptions":
		return p.changeSubscription(method, path[1], form)
	case path[0] == "invoices" && path[2] == "mark_uncollectible":
		return p.markUncollectible(p.invoices[path[1]])
	case path[0] == "payment_methods" && path[2] == "detach":
		return p.detach(path[1])
	case path[0] == "invoices" && path[2] == "pay":
		i := p.invoices[path[1]]
		if i == nil {
			return unknown
		}
		if i.status != "open" {
			return answer{http.StatusBadRequest, `{"error":{"type":"invalid_request_error","message":"Invoice is already paid"}}`}
		}
		if !i.under.IsZero() {
			return answer{http.StatusBadRequest, `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state","message":"A payment is under way"}}`}
		}
		by := p.cards[form.Get("payment_method")]
		if by == nil {
			return answer{http.StatusBadRequest, `{"error":{"type":"invalid_request_error","param":"payment_method","message":"No such PaymentMethod"}}`}
		}
		if p.w.order(i, by) || !i.under.IsZero() {
			return ok(drawInvoice(i, `"`+i.of.id+`"`))
		}
		return answer{http.StatusPaymentRequired, fmt.Sprintf(
			`{"error":{"type":"card_error","code":"card_declined","decline_code":%q,"message":"Declined","payment_intent":%s}}`, i.code, drawIntent(i))}
	case path[0] == "setup_intents":
		s := &setup{id: fmt.Sprintf("seti_%d", len(p.setups)), of: p.w.known[form.Get("customer")], metadata: map[string]string{}}
		for name, values := range form {
			if strings.HasPrefix(name, "metadata[") {
				s.metadata[strings.TrimSuffix(strings.TrimPrefix(name, "metadata["), "]")] = values[0]
			}
		}
		p.setups[s.id] = s
		return ok(drawSetup(s))
	case path[0] == "customers":
		c, by := p.w.known[path[1]], p.cards[form.Get("invoice_settings[default_payment_method]")]
		if c == nil || by == nil {
			return unknown
		}
		c.card = by
		return ok(drawCustomer(c))
	}
	return unknown
}

func ok(body string) answer { return answer{http.StatusOK, body} }

func list(all ...string) answer {
	return ok(`{"object":"list","url":"/v1/things","has_more":false,"data":[` + strings.Join(all, ",") + `]}`)
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
