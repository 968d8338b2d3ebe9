package gates

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/stripe/stripe-mock/embedded"
	"github.com/stripe/stripe-mock/server"
)

// Transport is a client's way to a stand-in with both gates in it: each request below /v1 is shown to stripe-mock,
// then sent on, and the answer is checked by Spec. Faults are reported, the request goes on. It is safe for
// concurrent use.
type Transport struct {
	base   http.RoundTripper
	report func(error)
	spec   *Spec
	mock   *server.StubServer

	mu   sync.Mutex
	seen map[string]bool
}

// NewTransport puts the gates before base; nil is the default transport. report is called once per fault, possibly
// from several goroutines.
func NewTransport(base http.RoundTripper, report func(error)) (*Transport, error) {
	spec, err := NewSpec()
	if err != nil {
		return nil, err
	}
	return spec.NewTransport(base, report)
}

// NewTransport is like the function of this name, with a text that is loaded already.
func (s *Spec) NewTransport(base http.RoundTripper, report func(error)) (*Transport, error) {
	if base == nil {
		base = http.DefaultTransport
	}
	mock, err := s.mock()
	if err != nil {
		return nil, err
	}
	return &Transport{base: base, report: report, spec: s, mock: mock, seen: map[string]bool{}}, nil
}

// newMock makes stripe-mock's server, which is stateless and therefore shared. It takes half a second.
func newMock() (*server.StubServer, error) {
	fixtures, err := server.LoadFixtures(embedded.OpenAPIFixtures, "")
	if err != nil {
		return nil, fmt.Errorf("load stripe-mock's fixtures: %w", err)
	}
	text, err := server.LoadSpec(embedded.OpenAPISpec, "")
	if err != nil {
		return nil, fmt.Errorf("load stripe-mock's text: %w", err)
	}
	mock, err := server.NewStubServer(fixtures, text, false, false)
	if err != nil {
		return nil, fmt.Errorf("start stripe-mock: %w", err)
	}
	return mock, nil
}

// Seen lists the calls made so far, sorted, as Stripe's text names them: "POST /v1/invoices/{invoice}/pay".
func (t *Transport) Seen() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []string
	for call := range t.seen {
		all = append(all, call)
	}
	slices.Sort(all)
	return all
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(request.URL.Path, "/v1/") {
		return t.base.RoundTrip(request)
	}
	var body []byte
	if request.Body != nil {
		read, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
		err = request.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
		body = read
	}
	t.note(request)
	t.showToMock(request, body)

	onward := request.Clone(request.Context())
	onward.Body = http.NoBody
	if len(body) > 0 {
		onward.Body = io.NopCloser(bytes.NewReader(body))
	}
	onward.ContentLength = int64(len(body))
	response, err := t.base.RoundTrip(onward)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	err = response.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	response.Body = io.NopCloser(bytes.NewReader(answer))
	err = t.spec.CheckResponse(request.Method, request.URL.Path, response.StatusCode, answer)
	if err != nil {
		t.report(fmt.Errorf("the answer is not as Stripe's: %w", err))
	}
	return response, nil
}

func (t *Transport) note(request *http.Request) {
	template, ok := t.spec.Template(request.Method, request.URL.Path)
	if !ok {
		return // stripe-mock reports it.
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen[request.Method+" "+template] = true
}

// showToMock reports a request that stripe-mock refuses. It is stateless: what it says of ids means nothing.
func (t *Transport) showToMock(request *http.Request, body []byte) {
	shown := request.Clone(request.Context())
	shown.Body = io.NopCloser(bytes.NewReader(body))
	shown.ContentLength = int64(len(body))
	shown.RequestURI = request.URL.RequestURI()
	if shown.Header.Get("Authorization") == "" {
		shown.Header.Set("Authorization", "Bearer sk_test_123")
	}
	recorder := httptest.NewRecorder()
	t.mock.HandleRequest(recorder, shown)
	if recorder.Code < 400 {
		return
	}
	var refusal struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	err := json.Unmarshal(recorder.Body.Bytes(), &refusal)
	if err != nil {
		refusal.Error.Message = "unreadable answer"
	}
	t.report(fmt.Errorf("stripe-mock refuses %s %s with %d: %s", request.Method, request.URL.Path, recorder.Code, refusal.Error.Message))
}
