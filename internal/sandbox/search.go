package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// fieldKind says how a field may be searched: https://stripe.com/docs/search#search-query-language.
type fieldKind int

const (
	// token is compared as a whole, without minding capitals.
	token fieldKind = iota
	// words may be searched by a part as well, of three letters at least.
	words
	// numeric may be compared; instants are such.
	numeric
)

// searching is a search call: all candidates in the order they came in, answered newest first, a page at a time.
type searching struct {
	noun   string // as in /v1/customers/search
	ids    []string
	draw   func(id string) object // nil is passed over
	fields map[string]fieldKind   // metadata always is one
}

// clause is one condition of a query. A metadata key stands in key, else it is "".
type clause struct {
	not            bool
	field, key, op string
	value          string
	null           bool
}

// mostClauses is how many conditions Stripe takes in one query.
const mostClauses = 10

var (
	clauseForm  = regexp.MustCompile(`\A(-?)(?:metadata\[("[^"]*"|'[^']*')\]|([a-z0-9_.]+))\s*(:|~|>=|<=|>|<|=)\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"']+)`)
	clausesJoin = regexp.MustCompile(`\A\s+(?:((?i:AND|OR))\s+)?`)
	escapedSign = regexp.MustCompile(`\\(.)`)
)

// readQuery takes a query apart. Conditions are joined by AND, which a space means as well, or by OR, never by both.
func readQuery(text string) (clauses []clause, either bool, refused *apiError) {
	unreadable := invalidRequest("query", "", "We were unable to parse your search query. Try using the format `metadata[\"key\"]:\"value\"` to query for metadata or key:\"value\" to query for other fields.")
	rest, joins := strings.TrimSpace(text), map[string]bool{}
	for {
		found := clauseForm.FindStringSubmatch(rest)
		if found == nil {
			return nil, false, unreadable
		}
		c := clause{not: found[1] == "-", field: found[3], op: found[4]}
		if found[2] != "" {
			c.field, c.key = "metadata", unquoted(found[2])
		}
		c.value, c.null = unquoted(found[5]), found[5] == "null"
		clauses = append(clauses, c)
		rest = rest[len(found[0]):]
		if rest == "" {
			break
		}
		join := clausesJoin.FindStringSubmatch(rest)
		if join == nil {
			return nil, false, unreadable
		}
		word := strings.ToUpper(join[1])
		if word == "" {
			word = "AND"
		}
		joins[word] = true
		rest = rest[len(join[0]):]
	}
	if len(joins) > 1 {
		return nil, false, invalidRequest("query", "", "Search queries cannot mix AND and OR.")
	}
	if len(clauses) > mostClauses {
		return nil, false, invalidRequest("query", "", fmt.Sprintf("Search queries can have at most %d clauses.", mostClauses))
	}
	return clauses, joins["OR"], nil
}

func unquoted(text string) string {
	if text[0] != '"' && text[0] != '\'' {
		return text
	}
	return escapedSign.ReplaceAllString(text[1:len(text)-1], "$1")
}

// check refuses what Stripe cannot ask of this noun's objects.
func (q searching) check(c clause) *apiError {
	if c.field == "metadata" && c.key != "" {
		return q.checkOperator(c, words)
	}
	kind, ok := q.fields[c.field]
	if !ok {
		return invalidRequest("query", "", fmt.Sprintf("Field `%s` is an unsupported search field for resource `%s`. See http://stripe.com/docs/search#query-fields-for-%s for a list of supported fields.",
			c.field, q.noun, strings.ReplaceAll(q.noun, "_", "-")))
	}
	return q.checkOperator(c, kind)
}

func (q searching) checkOperator(c clause, kind fieldKind) *apiError {
	if c.null {
		if c.op != ":" {
			return invalidRequest("query", "", "null is asked for with : alone.")
		}
		return nil
	}
	switch kind {
	case numeric:
		_, err := strconv.ParseInt(c.value, 10, 64)
		if err != nil || c.op == "~" {
			return invalidRequest("query", "", fmt.Sprintf("Field `%s` is numeric: compare it with a whole number.", c.field))
		}
	case token, words:
		if c.op != ":" && (c.op != "~" || kind == token) {
			return invalidRequest("query", "", fmt.Sprintf("The operator %s is not supported for field `%s`.", c.op, c.field))
		}
		if c.op == "~" && len([]rune(c.value)) < 3 {
			return invalidRequest("query", "", "A substring must have at least 3 characters.")
		}
	}
	return nil
}

// holds reports whether an object, as JSON reads it, fulfils the condition.
func (c clause) holds(o object) bool {
	return c.meets(valueAt(o, c.field, c.key)) != c.not
}

func (c clause) meets(value any) bool {
	if c.null {
		return value == nil
	}
	if value == nil {
		return false
	}
	text := fmt.Sprint(value)
	number, isNumber := value.(json.Number)
	if !isNumber {
		if c.op == "~" {
			return strings.Contains(strings.ToLower(text), strings.ToLower(c.value))
		}
		return strings.EqualFold(text, c.value)
	}
	have, errHave := number.Int64()
	want, errWant := strconv.ParseInt(c.value, 10, 64)
	if errHave != nil || errWant != nil {
		return text == c.value
	}
	switch c.op {
	case ">":
		return have > want
	case ">=":
		return have >= want
	case "<":
		return have < want
	case "<=":
		return have <= want
	}
	return have == want
}

// valueAt follows the dots of a field's name; nil is what is not there.
func valueAt(o object, field, key string) any {
	path := strings.Split(field, ".")
	if key != "" {
		path = []string{field, key}
	}
	var at any = o
	for _, step := range path {
		inner, ok := at.(object)
		if !ok {
			return nil
		}
		at = inner[step]
	}
	return at
}

// page answers query, limit and page as Stripe does; expand[]=total_count adds how many there are in all.
func (q searching) page(p *params) (object, error) {
	limit, refused := limitOf(p)
	if refused != nil {
		return nil, refused
	}
	clauses, either, refused := readQuery(p.text("query"))
	if refused != nil {
		return nil, refused
	}
	for _, c := range clauses {
		refused := q.check(c)
		if refused != nil {
			return nil, refused
		}
	}
	var found []object
	for _, id := range slices.Backward(q.ids) {
		drawn := q.draw(id)
		if drawn == nil {
			continue
		}
		shot := deepCopy(drawn)
		fulfils := func(c clause) bool { return c.holds(shot) }
		if either && slices.ContainsFunc(clauses, fulfils) || !either && !slices.ContainsFunc(clauses, func(c clause) bool { return !fulfils(c) }) {
			found = append(found, drawn)
		}
	}
	from := 0
	if p.text("page") != "" {
		last, err := base64.RawURLEncoding.DecodeString(p.text("page"))
		from = 1 + slices.IndexFunc(found, func(o object) bool { return o["id"] == string(last) })
		if err != nil || from == 0 {
			return nil, invalidRequest("page", "", "Invalid page: it must be the next_page of an earlier answer to the same query.")
		}
	}
	data, next := []any{}, any(nil)
	for _, drawn := range found[from:min(len(found), from+limit)] {
		data = append(data, drawn)
	}
	more := from+limit < len(found)
	if more {
		id, _ := found[from+limit-1]["id"].(string)
		next = base64.RawURLEncoding.EncodeToString([]byte(id))
	}
	answer := object{"object": "search_result", "data": data, "has_more": more, "next_page": next, "url": "/v1/" + q.noun + "/search"}
	if slices.Contains(p.texts("expand"), "total_count") {
		answer["total_count"] = len(found)
	}
	return answer, nil
}

// drawOf makes a searching's draw of a table and of how its records are drawn.
func drawOf[T any](records *table[T], draw func(*T) object) func(id string) object {
	return func(id string) object {
		row, _ := records.get(id)
		return draw(row)
	}
}

func (s *Server) searchCustomers(_ *operation, p *params) (object, error) {
	return searching{
		noun: "customers", ids: s.memory.Customers.Order,
		fields: map[string]fieldKind{"created": numeric, "email": words, "name": words, "phone": words},
		draw: drawOf(&s.memory.Customers, func(c *customer) object {
			if c.Deleted {
				return nil
			}
			return s.drawCustomer(c)
		}),
	}.page(p)
}

func (s *Server) searchInvoices(_ *operation, p *params) (object, error) {
	return searching{
		noun: "invoices", ids: s.memory.Invoices.Order, draw: drawOf(&s.memory.Invoices, s.drawInvoice),
		fields: map[string]fieldKind{
			"created": numeric, "currency": token, "customer": token, "last_finalization_error.code": token, "last_finalization_error.type": token,
			"number": words, "receipt_number": words, "status": token, "subscription": token, "total": numeric,
		},
	}.page(p)
}

func (s *Server) searchSubscriptions(_ *operation, p *params) (object, error) {
	return searching{
		noun: "subscriptions", ids: s.memory.Subs.Order, draw: drawOf(&s.memory.Subs, s.drawSubscription),
		fields: map[string]fieldKind{"canceled_at": numeric, "created": numeric, "status": token},
	}.page(p)
}

func (s *Server) searchCharges(_ *operation, p *params) (object, error) {
	return searching{
		noun: "charges", ids: s.memory.Charges.Order, draw: drawOf(&s.memory.Charges, s.drawCharge),
		fields: map[string]fieldKind{
			"amount": numeric, "billing_details.address.postal_code": token, "created": numeric, "currency": token, "customer": token,
			"disputed": token, "refunded": token, "status": token, "payment_method_details.card.brand": token,
			"payment_method_details.card.exp_month": numeric, "payment_method_details.card.exp_year": numeric,
			"payment_method_details.card.fingerprint": token, "payment_method_details.card.last4": token,
		},
	}.page(p)
}

func (s *Server) searchIntents(_ *operation, p *params) (object, error) {
	return searching{
		noun: "payment_intents", ids: s.memory.Intents.Order, draw: drawOf(&s.memory.Intents, s.drawIntent),
		fields: map[string]fieldKind{"amount": numeric, "created": numeric, "currency": token, "customer": token, "status": token},
	}.page(p)
}

func (s *Server) searchPrices(_ *operation, p *params) (object, error) {
	return searching{
		noun: "prices", ids: s.memory.Prices.Order, draw: drawOf(&s.memory.Prices, s.drawPrice),
		fields: map[string]fieldKind{"active": token, "currency": token, "lookup_key": words, "product": token, "type": token},
	}.page(p)
}

func (s *Server) searchProducts(_ *operation, p *params) (object, error) {
	return searching{
		noun: "products", ids: s.memory.Products.Order, draw: drawOf(&s.memory.Products, s.drawProduct),
		fields: map[string]fieldKind{"active": token, "description": words, "name": words, "shippable": token, "url": words},
	}.page(p)
}
