package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// maxBody is far above any call of this API.
const maxBody = 1 << 20

// call is one address of the API. Its name is the one in Stripe's own text.
type call struct {
	name string
	// resource is the kind of object answered, for expand; a list answers many of them.
	resource string
	// fromBrowser lets the publishable key in, with the object's client_secret where there is one.
	fromBrowser bool
	run         func(op *operation, p *params) (object, error)
}

// caller is who makes a call.
type caller struct {
	publishable bool
}

// answer is what a call is answered with.
type answer struct {
	status int
	body   []byte
	header map[string]string
	// unstored marks a refusal made before execution began: the idempotency key stays free.
	unstored bool
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for _, c := range s.calls() {
		mux.HandleFunc(c.name, s.serve(c))
		if c.fromBrowser {
			method, path, _ := strings.Cut(c.name, " ")
			if method == http.MethodPost || strings.HasPrefix(path, "/v1/payment_intents/") || strings.HasPrefix(path, "/v1/setup_intents/") {
				mux.HandleFunc("OPTIONS "+path, allowBrowsers)
			}
		}
	}
	mux.HandleFunc("/v1/", s.serve(call{name: "unknown"}))
	s.mountControls(mux)
	s.mountBrowser(mux)
	return mux
}

// allowBrowsers answers the question a browser asks before it calls from another origin.
func allowBrowsers(w http.ResponseWriter, r *http.Request) {
	setOrigin(w.Header())
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Stripe-Version, Idempotency-Key")
	w.Header().Set("Access-Control-Max-Age", "300")
	w.WriteHeader(http.StatusNoContent)
}

func setOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Request-Id, Stripe-Version")
}

func (s *Server) serve(c call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if c.fromBrowser {
			setOrigin(w.Header())
		}
		given, cut := s.answer(c, r)
		if cut {
			// The caller never learns what became of its call.
			panic(http.ErrAbortHandler)
		}
		header := w.Header()
		for name, value := range given.header {
			header.Set(name, value)
		}
		header.Set("Content-Type", "application/json")
		header.Set("Cache-Control", "no-cache, no-store")
		w.WriteHeader(given.status)
		_, err := w.Write(given.body)
		if err != nil {
			s.log.Debug("a caller of the sandbox went away", "call", c.name)
		}
	}
}

var versionForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(\.[a-z]+)?(; ?[a-z_]+=[a-z0-9]+)*$`)

// answer runs a call; cut is true when the connection is to be broken off instead of answered.
func (s *Server) answer(c call, r *http.Request) (given answer, cut bool) {
	s.mu.Lock()
	requestID := "req_" + s.token(14)
	struck := s.strike()
	s.mu.Unlock()

	header := map[string]string{"Request-Id": requestID, "Stripe-Version": apiVersion}
	version := r.Header.Get("Stripe-Version")
	if version != "" && versionForm.MatchString(version) {
		header["Stripe-Version"] = version
	}
	if struck.before() {
		if struck.Status == outageTimeout {
			// A server that hangs: the caller's own deadline ends this.
			select {
			case <-r.Context().Done():
			case <-s.closed:
			}
			return answer{}, true
		}
		return refusal(struck.refusal(), requestID, header), false
	}

	from, refused := authenticate(r, c)
	if refused != nil {
		return refusal(refused, requestID, header), false
	}
	if version != "" && !versionForm.MatchString(version) {
		return refusal(invalidRequest("", "", "Invalid Stripe API version: "+version), requestID, header), false
	}
	if c.run == nil {
		message := fmt.Sprintf("Unrecognized request URL (%s: %s). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.", r.Method, r.URL.Path)
		unknown := &apiError{Status: http.StatusNotFound, Type: "invalid_request_error", Message: message}
		return refusal(unknown, requestID, header), false
	}
	form, raw, refused := readForm(r)
	if refused != nil {
		return refusal(refused, requestID, header), false
	}

	key := r.Header.Get("Idempotency-Key")
	if key == "" || r.Method != http.MethodPost {
		given = s.execute(c, r, from, form, requestOrigin{ID: requestID}, header)
		return given, struck.Status == outageLost
	}
	given = s.onceFor(key, r, raw, requestID, header, func() answer {
		return s.execute(c, r, from, form, requestOrigin{ID: requestID, Key: key}, header)
	})
	return given, struck.Status == outageLost
}

// execute checks the parameters, runs the call and stores the events it caused.
func (s *Server) execute(c call, r *http.Request, from caller, form *field, origin requestOrigin, header map[string]string) answer {
	refused := s.contract.check(c.name, form, from.publishable || form.fields["client_secret"] != nil)
	p := &params{path: map[string]string{}, form: form}
	for name := range strings.SplitSeq(c.name, "{") {
		name, _, found := strings.Cut(name, "}")
		if found {
			p.path[name] = r.PathValue(name)
		}
	}
	expand := p.texts("expand")
	for _, path := range expand {
		if refused != nil {
			break
		}
		if path == "total_count" && strings.HasSuffix(c.name, "/search") {
			continue
		}
		if strings.Count(path, ".") > 3+strings.Count(path, "data.") {
			refused = invalidRequest("expand", "", "You cannot expand more than 4 levels of a property ("+path+").")
			break
		}
		refused = s.contract.checkExpand(c.resource, strings.TrimPrefix(path, "data."))
	}
	if refused != nil {
		refused.before = true
		return refusal(refused, origin.ID, header)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	op := s.operationAt(s.now().Unix(), origin)
	if from.publishable {
		refused := s.checkClientSecret(p)
		if refused != nil {
			return refusal(refused, origin.ID, header)
		}
	}
	result, err := c.run(op, p)
	op.flush()
	s.wake()
	if err != nil {
		var failed *apiError
		if !errors.As(err, &failed) {
			s.log.Error("the sandbox could not answer", "call", c.name, "error", err)
			failed = &apiError{Status: http.StatusInternalServerError, Type: "api_error", Message: "An unknown error occurred."}
		}
		return refusal(failed, origin.ID, header)
	}
	failed := s.expandAll(result, expand)
	if failed != nil {
		return refusal(failed, origin.ID, header)
	}
	if from.publishable {
		hideFromBrowser(result)
	}
	return answer{status: http.StatusOK, body: encode(result), header: header}
}

func refusal(failed *apiError, requestID string, header map[string]string) answer {
	return answer{status: failed.Status, body: encode(failed.body(requestID)), header: header, unstored: failed.before}
}

func encode(o object) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(o)
	if err != nil {
		return []byte(`{"error":{"type":"api_error","message":"An unknown error occurred."}}`)
	}
	return out.Bytes()
}

// readForm reads query and body; Stripe takes parameters from both.
func readForm(r *http.Request) (form *field, raw string, refused *apiError) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return nil, "", invalidRequest("", "", "The request body could not be read.")
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if len(body) > 0 && kind != "" && kind != "application/x-www-form-urlencoded" {
		return nil, "", invalidRequest("", "", "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have questions, we can help at https://support.stripe.com/.")
	}
	raw = string(body)
	if r.URL.RawQuery != "" {
		raw = r.URL.RawQuery + "&" + raw
	}
	form, err = decodeForm(raw)
	if err != nil {
		return nil, "", invalidRequest("", "", "Invalid request: the form could not be decoded.")
	}
	return form, raw, nil
}

// authenticate reads the key from where Stripe takes it: Bearer, Basic, or, for browsers, the parameter "key".
func authenticate(r *http.Request, c call) (caller, *apiError) {
	key := ""
	user, _, ok := r.BasicAuth()
	if ok {
		key = user
	}
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		key = strings.TrimSpace(rest)
	}
	if key == "" && c.fromBrowser {
		key = keyParameter(r)
	}
	switch {
	case key == "":
		return caller{}, unauthorized("You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.")
	case strings.HasPrefix(key, "sk_live_"), strings.HasPrefix(key, "rk_live_"), strings.HasPrefix(key, "pk_live_"):
		return caller{}, unauthorized("This is a sandbox: it refuses live keys. Use a key that begins with sk_test_ or pk_test_.")
	case strings.HasPrefix(key, lacking):
		return caller{}, c.permit(key)
	case strings.HasPrefix(key, "sk_test_"), strings.HasPrefix(key, "rk_test_"):
		return caller{}, nil
	case strings.HasPrefix(key, "pk_test_"):
		if c.fromBrowser {
			return caller{publishable: true}, nil
		}
		failed := unauthorized("This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.")
		failed.Code = "secret_key_required"
		return caller{}, failed
	}
	return caller{}, unauthorized("Invalid API Key provided: " + masked(key))
}

// keyParameter looks for "key" without taking the body away from who reads it next.
func keyParameter(r *http.Request) string {
	fromQuery := r.URL.Query().Get("key")
	if fromQuery != "" || r.Body == nil {
		return fromQuery
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return ""
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, err := decodeForm(string(body))
	if err != nil {
		return ""
	}
	return (&params{form: form}).text("key")
}

// masked shows as much of a key as Stripe shows.
func masked(key string) string {
	if len(key) <= 12 {
		return strings.Repeat("*", len(key))
	}
	return key[:8] + strings.Repeat("*", len(key)-12) + key[len(key)-4:]
}
