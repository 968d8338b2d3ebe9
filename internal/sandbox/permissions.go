package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// lacking begins a restricted key that may not do everything. What it lacks follows, joined by "-": a kind of object
// with _read or _write, as in rk_test_lacks_invoice_write-customer_read, or all. Every other rk_test_ key may do
// everything.
const lacking = "rk_test_lacks_"

// permit answers Stripe's refusal when the key lacks what the call needs. Who may not read may not write either.
func (c call) permit(key string) *apiError {
	lacks := strings.Split(strings.TrimPrefix(key, lacking), "-")
	kind := strings.ReplaceAll(c.resource, ".", "_")
	needs, wanted := []string{"all", kind + "_read"}, kind+"_read"
	if !strings.HasPrefix(c.name, "GET ") {
		needs, wanted = append(needs, kind+"_write"), kind+"_write"
	}
	if !slices.ContainsFunc(lacks, func(l string) bool { return slices.Contains(needs, l) }) {
		return nil
	}
	return &apiError{
		Status: http.StatusForbidden, Type: "invalid_request_error", before: true,
		Message: fmt.Sprintf("The provided key '%s' does not have the required permissions for this endpoint on account '%s'. "+
			"Having the 'rak_%s' permission would allow this request to continue.", masked(key), accountID, wanted),
	}
}
