package web

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"sollecito/internal/apikey"
	"sollecito/internal/billing"
	"sollecito/internal/fault"
)

// api answers the merchant's own programs, server to server. A key says that they may ask; no cookie is read or set, and
// there is nothing that could be changed.
type api struct {
	*Server
	strangers strangers
	asking    *rate.Limiter // of customers at Stripe
}

// apiRoute is one call below /api/v1, that takes GET. A test holds all of them to openapi.json.
type apiRoute struct {
	path  string
	serve func(r *http.Request) (any, error)
}

func (a *api) table() []apiRoute {
	return []apiRoute{
		{"/api/v1/customers/{id}/access", a.access},
		{"/api/v1/customers/{id}", a.customer},
		{"/api/v1/cases", a.listCases},
		{"/api/v1/cases/{id}", a.oneCase},
	}
}

//go:embed openapi.json
var openAPI []byte

func (s *Server) apiRoutes(mux *http.ServeMux) {
	a := &api{Server: s, asking: rate.NewLimiter(askPerSecond, askAtOnce)}
	for _, route := range a.table() {
		mux.Handle("GET "+route.path, a.answer(route.serve))
	}
	mux.Handle("GET /api/openapi.json", s.call(describeAPI))
}

// describeAPI tells what may be asked and what is answered. It is the same for every installation, and no secret.
func describeAPI(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(openAPI)))
	_, err := w.Write(openAPI)
	return err
}

// answer adapts one call: the key, the work, the answer, and that the key was used.
func (a *api) answer(serve func(r *http.Request) (any, error)) http.Handler {
	return a.call(func(w http.ResponseWriter, r *http.Request) error {
		key, err := a.keyOf(w, r)
		if err != nil {
			return a.refused(w, err)
		}
		value, err := serve(r)
		if err == nil {
			err = sendWhole(w, value)
		}
		err = a.refused(w, err)
		if err != nil {
			return err
		}
		http.NewResponseController(w).Flush() // who asked waits for no disk
		err = a.Keys.Used(r.Context(), a.DB, key)
		if err != nil {
			a.Logger.WarnContext(r.Context(), "when a key was used could not be kept", "request", visitOf(r).id, "key", key.ID, "err", err)
		}
		return nil
	})
}

// refused answers a refusal, and hands on whatever else went wrong.
func (a *api) refused(w http.ResponseWriter, err error) error {
	var r refusal
	if !errors.As(err, &r) {
		return err
	}
	if r.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	a.problem(w, r.status, r.code, r.words)
	return nil
}

// Limits on whoever asks with keys that there are not, by the place they come from, in real time.
const (
	mostBadKeys   = 30
	badKeysWithin = 10 * time.Minute
)

// keyOf answers with which key a request was made. A good one works from everywhere, however many bad ones came from there.
func (a *api) keyOf(w http.ResponseWriter, r *http.Request) (apikey.Key, error) {
	scheme, secret, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	secret = strings.TrimSpace(secret)
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="api"`)
		return apikey.Key{}, refusal{http.StatusUnauthorized, "key_missing", "Send an API key as Authorization: Bearer."}
	}
	var key apikey.Key
	err := a.DB.See(r.Context(), func(tx *sql.Tx) (err error) {
		key, err = a.Keys.Check(r.Context(), tx, secret)
		return err
	})
	if !fault.Is(err, fault.SignedOut) {
		return key, err
	}
	wait, err := a.guessed(r, "bad key", mostBadKeys, badKeysWithin)
	switch {
	case err != nil:
		return apikey.Key{}, err
	case wait > 0:
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		return apikey.Key{}, refusal{http.StatusTooManyRequests, "too_many", "Too many keys that there are not came from your network. Please wait."}
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="api", error="invalid_token"`)
	return apikey.Key{}, refusal{http.StatusUnauthorized, "key_invalid", "There is no such API key, or it was ended."}
}

// sendWhole answers a call with a length, so that who asked has all of it before the request has ended here.
func sendWhole(w http.ResponseWriter, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, err = w.Write(body)
	return err
}

// What is asked of Stripe about customers we have not heard of. An app that begins to ask asks for all of its customers at
// once: they must not take the way to Stripe from those who are paying.
const (
	askWithin    = 5 * time.Second
	askPerSecond = 1
	askAtOnce    = 10
)

// about reads something of the customer in the address. Of somebody we have not heard of yet, which is everybody whose
// payments always went through, Stripe is asked once; from then on they are stored.
func (a *api) about(r *http.Request, read func(tx *sql.Tx, c billing.Customer) error) error {
	id := r.PathValue("id")
	look := func() error {
		return a.DB.See(r.Context(), func(tx *sql.Tx) error {
			c, err := billing.FindCustomer(r.Context(), tx, id)
			if err == nil && c.Deleted {
				err = unknownCustomer
			}
			if err != nil {
				return err
			}
			return read(tx, c)
		})
	}
	err := look()
	if fault.Is(err, fault.NotFound) && !billing.IsErased(err) && strings.HasPrefix(id, "cus_") && !a.strangers.know(id, a.Real()) {
		err = a.ask(r, id)
		if err == nil {
			err = look()
		}
	}
	if fault.Is(err, fault.NotFound) {
		return unknownCustomer
	}
	return err
}

// ask reads somebody at Stripe and stores them.
func (a *api) ask(r *http.Request, id string) error {
	if !a.asking.AllowN(a.Real(), 1) {
		return refusal{http.StatusServiceUnavailable, "unavailable", "Many customers are asked for of whom nothing was heard yet, and Stripe is asked for one at a time. Come back in a moment."}
	}
	ctx, cancel := context.WithTimeout(r.Context(), askWithin)
	defer cancel()
	err := a.Intake.Refresh(ctx, id)
	if fault.Is(err, fault.NotFound) {
		a.strangers.keep(id, a.Real())
	}
	return err
}

var unknownCustomer = refusal{http.StatusNotFound, "customer_unknown", "There is no such customer, neither here nor at Stripe, or they were deleted or erased."}

// strangers are the ids that Stripe did not know within this minute: whoever asks on and on for a customer who does not
// exist costs it one question a minute.
type strangers struct {
	mu     sync.Mutex
	minute int64
	ids    map[string]bool
}

// mostStrangers bounds what is remembered.
const mostStrangers = 1000

func (s *strangers) know(id string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.minute == now.Unix()/60 && s.ids[id]
}

func (s *strangers) keep(id string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	minute := now.Unix() / 60
	if s.ids == nil || minute != s.minute {
		s.minute, s.ids = minute, map[string]bool{}
	}
	if len(s.ids) < mostStrangers {
		s.ids[id] = true
	}
}
