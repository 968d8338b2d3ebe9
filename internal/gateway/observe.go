package gateway

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// words are the parts of Stripe's paths that are no ids. What is not among them is cut out before a path is counted:
// an id is data of a customer, and a series of its own for each would drown the monitoring.
var words = []string{
	"v1", "account", "attach", "billing_portal", "cancel", "charges", "checkout", "credit_notes", "customers", "detach", "disputes", "events",
	"invoiceitems", "invoices", "lines", "mandates", "pay", "payment_intents", "payment_methods", "products", "refunds", "sessions",
	"setup_intents", "subscription_items", "subscriptions", "webhook_endpoints",
}

// template is a path with everything cut out that is not a word of Stripe's.
func template(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if part != "" && !slices.Contains(words, part) {
			parts[i] = "{id}"
		}
	}
	return strings.Join(parts, "/")
}

// tell reports one exchange to whoever counts them.
func (c *courier) tell(req *http.Request, resp *http.Response, took time.Duration) {
	if c.observe == nil {
		return
	}
	status := 0
	if resp != nil {
		status = resp.StatusCode
	}
	c.observe(req.Method, template(req.URL.Path), status, took)
}
