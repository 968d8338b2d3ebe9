package sandbox

import (
	"fmt"
	"net/http"
	"strings"
)

// apiError is a refusal in Stripe's words. Status is its HTTP status; empty fields are left out of the body.
type apiError struct {
	Status        int
	Type          string
	Code          string
	DeclineCode   string
	Message       string
	Param         string
	Charge        string
	PaymentIntent object
	PaymentMethod object
	SetupIntent   object

	// before marks a refusal made before execution began; Stripe keeps no idempotent result for those.
	before bool
}

func (e *apiError) Error() string {
	return fmt.Sprintf("%d %s %s: %s", e.Status, e.Type, e.Code, e.Message)
}

func (e *apiError) body(requestID string) object {
	inner := object{"type": e.Type, "message": e.Message, "request_log_url": "https://dashboard.stripe.com/test/logs/" + requestID}
	for name, value := range map[string]string{"code": e.Code, "decline_code": e.DeclineCode, "param": e.Param, "charge": e.Charge} {
		if value != "" {
			inner[name] = value
		}
	}
	if e.Code != "" {
		inner["doc_url"] = documentation(e.Code)
	}
	for name, value := range map[string]object{"payment_intent": e.PaymentIntent, "payment_method": e.PaymentMethod, "setup_intent": e.SetupIntent} {
		if value != nil {
			inner[name] = value
		}
	}
	return object{"error": inner}
}

func documentation(code string) string {
	return "https://stripe.com/docs/error-codes/" + strings.ReplaceAll(code, "_", "-")
}

// invalidRequest is a 400 about one parameter.
func invalidRequest(param, code, message string) *apiError {
	return &apiError{Status: http.StatusBadRequest, Type: "invalid_request_error", Code: code, Message: message, Param: param}
}

// missing is Stripe's answer about an id it does not know: 404 for the object of the call itself, 400 for one named in
// a parameter.
func missing(kind, id, param string) *apiError {
	return &apiError{
		Status: http.StatusNotFound, Type: "invalid_request_error", Code: "resource_missing",
		Message: fmt.Sprintf("No such %s: '%s'", kind, id), Param: param,
	}
}

func missingParam(name string) *apiError {
	failure := invalidRequest(name, "parameter_missing", "Missing required param: "+name+".")
	failure.before = true
	return failure
}

func missingIn(param, kind, id string) *apiError {
	failure := missing(kind, id, param)
	failure.Status = http.StatusBadRequest
	return failure
}

// notSimulated answers a parameter that Stripe knows and the stand-in does not play: better refused than ignored.
func (p *params) notSimulated(names ...string) *apiError {
	for _, name := range names {
		found := p.find(name)
		if found == nil || found.isLeaf() && (found.text == "" || found.text == "false") {
			continue
		}
		failure := invalidRequest(name, "", fmt.Sprintf("The sandbox does not simulate the parameter %s.", name))
		failure.before = true
		return failure
	}
	return nil
}

func unauthorized(message string) *apiError {
	return &apiError{Status: http.StatusUnauthorized, Type: "invalid_request_error", Message: message}
}
