package web

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/internal/link"
	"sollecito/internal/outbox"
)

// embed answers the notice inside the merchant's app. A short token the merchant's server signs says whose app it
// is; no cookie is read or set.
type embed struct {
	*Server
	keys    []jwt.VerificationKey
	origins []string
	parser  *jwt.Parser
	counter counter
}

func (s *Server) embedRoutes(mux *http.ServeMux) {
	e := &embed{Server: s, counter: counter{used: map[string]int{}}}
	for _, secret := range s.EmbedSecrets {
		if secret != "" {
			e.keys = append(e.keys, []byte(secret))
		}
	}
	for _, origin := range append([]string{s.Addresses.Base()}, s.EmbedOrigins...) {
		e.origins = append(e.origins, strings.TrimSuffix(origin, "/"))
	}
	// The algorithm is pinned: a token never says how it wants to be checked.
	e.parser = jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithAudience(embedAudience), jwt.WithIssuer(embedIssuer),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(embedLeeway), jwt.WithTimeFunc(s.Real), jwt.WithStrictDecoding())
	for _, route := range []struct {
		method, path string
		serve        func(w http.ResponseWriter, r *http.Request, who reader) error
	}{
		{"GET", "/embed/v1/state", e.state},
		{"POST", "/embed/v1/link", e.link},
		{"POST", "/embed/v1/events", e.event},
	} {
		mux.Handle(route.method+" "+route.path, e.answer(route.serve))
		mux.Handle("OPTIONS "+route.path, e.preflight(route.method))
		mux.Handle(route.path, e.wrongMethod(route.method))
	}
}

const (
	embedAudience = "portal-embed"
	embedIssuer   = "merchant"
	embedLeeway   = 30 * time.Second // how far two servers' clocks may be apart
	embedLife     = time.Hour        // the longest a token may live
	mostCalls     = 60               // per customer and minute
	linkLife      = 10 * time.Minute
	mostEmbedBody = 4 << 10
	longestSnooze = 24 * time.Hour
)

// embedClaims is what the merchant's server says of the reader.
type embedClaims struct {
	Role string `json:"role"`
	Lang string `json:"lang"`
	jwt.RegisteredClaims
}

// reader is who looks at the merchant's app: somebody who may pay, or a member of a team who may not and then
// never learns a sum.
type reader struct {
	customer string
	billing  bool
	language string
}

// refusal is an answer of the embed calls that is not theirs to give, by its stable code.
type refusal struct {
	status int
	code   string
	words  string
}

func (r refusal) Error() string { return r.code }

// answer adapts one call: the origin, the token, how often, then the work.
func (e *embed) answer(serve func(w http.ResponseWriter, r *http.Request, who reader) error) http.Handler {
	return e.call(func(w http.ResponseWriter, r *http.Request) error {
		e.allow(w, r)
		w.Header().Set("Cache-Control", "private, no-cache")
		who, err := e.readerOf(r)
		if err == nil {
			err = e.count(w, who)
		}
		if err == nil {
			err = serve(w, r, who)
		}
		var refused refusal
		if !errors.As(err, &refused) {
			return err
		}
		if refused.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="embed", error="invalid_token"`)
		}
		e.problem(w, refused.status, refused.code, refused.words)
		return nil
	})
}

// allow lets the pages of the named origins read the answer. It says nothing to any other.
func (e *embed) allow(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(e.origins, origin) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Expose-Headers", "ETag, Pay-State, Retry-After")
	return true
}

func (e *embed) preflight(method string) http.Handler {
	return e.call(func(w http.ResponseWriter, r *http.Request) error {
		if e.allow(w, r) {
			w.Header().Set("Access-Control-Allow-Methods", method)
			w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match")
			w.Header().Set("Access-Control-Max-Age", "7200")
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
}

// wrongMethod refuses every other method, so that the page that asked can read why.
func (e *embed) wrongMethod(method string) http.Handler {
	return e.call(func(w http.ResponseWriter, r *http.Request) error {
		e.allow(w, r)
		allowed := method + ", OPTIONS"
		if method == http.MethodGet {
			allowed = "GET, HEAD, OPTIONS"
		}
		w.Header().Set("Allow", allowed)
		e.problem(w, http.StatusMethodNotAllowed, "method_not_allowed", "This address takes "+method+" alone.")
		return nil
	})
}

// readerOf checks the token: signed with one of our secrets by HS256, for us, from the merchant, about one customer,
// running out within an hour of its making.
func (e *embed) readerOf(r *http.Request) (reader, error) {
	if len(e.keys) == 0 {
		return reader{}, refusal{http.StatusNotFound, "embed_off", "The notice is not set up: no secret is configured."}
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return reader{}, refusal{http.StatusUnauthorized, "token_missing", "Send the signed token as Authorization: Bearer."}
	}
	invalid := refusal{http.StatusUnauthorized, "token_invalid", "The token cannot be used: check its secret, its algorithm (HS256) and its claims."}
	var claims embedClaims
	_, err := e.parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return jwt.VerificationKeySet{Keys: e.keys}, nil })
	expired := refusal{http.StatusUnauthorized, "token_expired", "The token has run out: make a new one."}
	if errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenInvalidAudience) && !errors.Is(err, jwt.ErrTokenInvalidIssuer) {
		return reader{}, expired
	}
	if err != nil || !strings.HasPrefix(claims.Subject, "cus_") || !legible(claims.Subject) || claims.IssuedAt == nil {
		return reader{}, invalid
	}
	if !e.Real().Before(claims.ExpiresAt.Time) { // the leeway is for its beginning alone
		return reader{}, expired
	}
	if claims.ExpiresAt.Sub(claims.IssuedAt.Time) > embedLife {
		return reader{}, refusal{http.StatusUnauthorized, "token_too_long", "The token lives too long: at most an hour from iat to exp."}
	}
	return reader{customer: claims.Subject, billing: claims.Role == "billing", language: claims.Lang}, nil
}

func (e *embed) count(w http.ResponseWriter, who reader) error {
	wait := e.counter.count(who.customer, e.Real())
	if wait == 0 {
		return nil
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
	return refusal{http.StatusTooManyRequests, "too_many", "This was asked too often. Please wait."}
}

// counter counts calls per customer within a minute of the clock. It lives in memory: a restart forgives, and a
// call that is cheap to answer never waits for the disk to be counted.
type counter struct {
	mu     sync.Mutex
	minute int64
	used   map[string]int
}

// count counts one call and answers how long to wait before the next may come, 0 when this one is within.
func (c *counter) count(name string, now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	minute := now.Unix() / 60
	if minute != c.minute {
		c.minute = minute
		clear(c.used)
	}
	c.used[name]++
	if c.used[name] <= mostCalls {
		return 0
	}
	return time.Unix((minute+1)*60, 0).Sub(now)
}

// state answers what the notice shows now, 204 when nothing. An answer that has not changed is 304. A 204 because
// nothing is owed says so in Pay-State: the script must tell a payment from a notice that merely rests.
func (e *embed) state(w http.ResponseWriter, r *http.Request, who reader) error {
	var b banner
	owes := false
	err := e.DB.See(r.Context(), func(tx *sql.Tx) error {
		var err error
		b, err = e.bannerOf(r, tx, who)
		if err != nil || b.State != "" {
			return err
		}
		open, err := billing.Overdue(r.Context(), tx, who.customer, e.Now().Unix())
		owes = len(open) > 0
		return err
	})
	if err != nil {
		return err
	}
	if b.State == "" {
		if !owes {
			w.Header().Set("Pay-State", "settled")
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	body, err := json.Marshal(b)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:12]) + `"`
	w.Header().Set("ETag", etag)
	if sameTag(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, err = w.Write(body)
	return err
}

// sameTag compares If-None-Match weakly, as RFC 9110 section 13.1.2 asks.
func sameTag(ifNoneMatch, etag string) bool {
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == etag || candidate == "*" {
			return true
		}
	}
	return false
}

// link makes a way to the customer's pages for the next minutes, at the press of the button: the state never
// carries one that could lie about in a page.
func (e *embed) link(w http.ResponseWriter, r *http.Request, who reader) error {
	until := e.Real().Add(linkLife)
	var token string
	err := e.DB.Do(r.Context(), func(tx *sql.Tx) error {
		customer, err := e.customerOf(r, tx, who)
		if err != nil {
			return err
		}
		locale := e.bannerLocale(who, customer)
		if !who.billing {
			return refusal{http.StatusForbidden, "ask_admin", locale.Text("banner.member.body")}
		}
		token, err = link.Issue(r.Context(), tx, link.Link{
			CustomerID: customer.ID, Language: locale.Tag(), IssuedAt: e.Now().Unix(), ExpiresAt: until.Unix(),
		})
		return err
	})
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return sendJSON(w, http.StatusOK, map[string]string{"url": e.Addresses.Link(token), "expires_at": until.UTC().Format(time.RFC3339)})
}

// customerOf is the customer a token speaks of; one we never heard of has no pages.
func (e *embed) customerOf(r *http.Request, tx *sql.Tx, who reader) (billing.Customer, error) {
	customer, err := billing.FindCustomer(r.Context(), tx, who.customer)
	if fault.Is(err, fault.NotFound) || err == nil && customer.Deleted {
		return billing.Customer{}, refusal{http.StatusNotFound, "customer_unknown", "There is no such customer here."}
	}
	return customer, err
}

// bannerLocale is the reader's language: the app's, else the customer's.
func (e *embed) bannerLocale(who reader, customer billing.Customer) *l10n.Locale {
	wanted := append([]string{who.language, customer.Language}, customer.PreferredLocales...)
	return e.Catalog.Match(append(wanted, e.Language)...)
}

// embedEvent is what the script reports.
type embedEvent struct {
	Type  string          `json:"type"`
	Until json.RawMessage `json:"until"`
}

// event takes in what happened to the notice. Only what somebody who may pay did counts: what a member of their
// team saw names neither sum nor date, so it told the customer nothing, and one they put away stays for the others.
func (e *embed) event(w http.ResponseWriter, r *http.Request, who reader) error {
	said, err := readEvent(w, r)
	if err != nil {
		return err
	}
	until := time.Time{}
	switch said.Type {
	case "shown", "clicked":
	case "dismissed", "snoozed":
		until, err = snoozeUntil(said.Until, e.Now())
		if err != nil {
			return err
		}
	default:
		return refusal{http.StatusUnprocessableEntity, "event_unknown", "The type is one of shown, dismissed, snoozed and clicked."}
	}
	if !who.billing || said.Type == "clicked" {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	shown := false
	err = e.DB.Do(r.Context(), func(tx *sql.Tx) error {
		b, err := e.bannerOf(r, tx, who)
		if err != nil || b.State == "" {
			return err // nothing is there to be seen or put off
		}
		if said.Type == "shown" {
			shown, err = e.Cases.Shown(r.Context(), tx, who.customer, e.Now())
			return err
		}
		if !b.Dismissible {
			return nil
		}
		return outbox.Snooze(r.Context(), tx, who.customer, until.Unix())
	})
	if err != nil {
		return err
	}
	if shown {
		e.Wake() // a consequence may have waited for it
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func readEvent(w http.ResponseWriter, r *http.Request) (embedEvent, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostEmbedBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return embedEvent{}, refusal{http.StatusRequestEntityTooLarge, "too_large", "An event has at most 4096 bytes."}
	}
	if err != nil {
		return embedEvent{}, refusal{http.StatusBadRequest, "body_invalid", "The body did not arrive."}
	}
	var said embedEvent
	err = json.Unmarshal(body, &said)
	if err != nil {
		return embedEvent{}, refusal{http.StatusBadRequest, "body_invalid", "The body is a JSON object with a type."}
	}
	return said, nil
}

// snoozeUntil reads until when the notice is put off: unix seconds or an RFC 3339 instant, at most a day ahead, a
// day when nothing is said.
func snoozeUntil(raw json.RawMessage, now time.Time) (time.Time, error) {
	longest := now.Add(longestSnooze)
	if len(raw) == 0 || string(raw) == "null" {
		return longest, nil
	}
	var seconds int64
	err := json.Unmarshal(raw, &seconds)
	if err == nil {
		return earlier(time.Unix(seconds, 0), longest), nil
	}
	var at time.Time
	err = json.Unmarshal(raw, &at)
	if err != nil {
		return time.Time{}, refusal{http.StatusUnprocessableEntity, "until_invalid", "until is unix seconds or an RFC 3339 instant."}
	}
	return earlier(at, longest), nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
