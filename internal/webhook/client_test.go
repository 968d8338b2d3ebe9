package webhook

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var loopback = Networks{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func TestNothingIsReachedThatIsNotAllowed(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(app.Close)
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // we refuse its certificate, and it says so
	secure.StartTLS()
	t.Cleanup(secure.Close)
	// A name that was public when it was typed may lead to this machine by the time it is asked.
	for _, address := range []string{app.URL, secure.URL, strings.Replace(secure.URL, "127.0.0.1", "localhost", 1)} {
		o := NewClient(nil).Post(t.Context(), address, Headers{}, "{}")
		if o.Taken() || !strings.Contains(o.Reason, "not on the public internet") || asked.Load() != 0 {
			t.Errorf("%s: %+v, asked %d times", address, o, asked.Load())
		}
	}
	// Plain http goes to this machine and nowhere else, whatever is among the networks.
	o := NewClient(Networks{netip.MustParsePrefix("0.0.0.0/0")}).Post(t.Context(), "http://192.0.2.1/", Headers{}, "{}")
	if !strings.Contains(o.Reason, "not on the public internet") {
		t.Errorf("plain http beyond this machine: %+v", o)
	}
	o = NewClient(loopback).Post(t.Context(), secure.URL, Headers{}, "{}")
	if o.Reason != "Its certificate is not trusted." || asked.Load() != 0 {
		t.Errorf("a certificate of nobody's: %+v", o)
	}
	o = NewClient(loopback).Post(t.Context(), app.URL, Headers{}, "{}")
	if !o.Taken() || asked.Load() != 1 {
		t.Errorf("what is allowed is not reached: %+v", o)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var followed atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	t.Cleanup(other.Close)
	for _, code := range []int{301, 302, 303, 307, 308} {
		app := httptest.NewServer(http.RedirectHandler(other.URL, code))
		o := NewClient(loopback).Post(t.Context(), app.URL, Headers{}, "{}")
		app.Close()
		if o.Code != code || o.Taken() || o.Reason != "It answered with a redirect, which is not followed." || followed.Load() != 0 {
			t.Errorf("%d: %+v, followed %d times", code, o, followed.Load())
		}
	}
}

// An answer without an end is read no further than it is of use.
func TestAnEndlessAnswerEnds(t *testing.T) {
	t.Parallel()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		for r.Context().Err() == nil {
			_, err := w.Write(make([]byte, 1<<10))
			if err != nil {
				return
			}
		}
	}))
	t.Cleanup(app.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	o := NewClient(loopback).Post(ctx, app.URL, Headers{}, "{}")
	if !o.Taken() || ctx.Err() != nil {
		t.Errorf("%+v, %v", o, ctx.Err())
	}
}

func TestWhatWentWrongIsSaidInOurWords(t *testing.T) {
	t.Parallel()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "secret of theirs", http.StatusTeapot)
	}))
	t.Cleanup(app.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	for address, want := range map[string]string{app.URL: "It answered 418.", closed.URL: "It could not be reached.", "https://nowhere.invalid/": "Its name was not found."} {
		o := NewClient(loopback).Post(t.Context(), address, Headers{}, "{}")
		if o.Reason != want {
			t.Errorf("%s: %q, want %q", address, o.Reason, want)
		}
	}
}

// Two endpoints may stand on one host: one that hangs keeps the other from nothing.
func TestAnEndpointThatHangsHoldsUpNoOtherOnItsHost(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var hanging sync.WaitGroup
	var came atomic.Int64
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			came.Add(1)
			<-release
		}
	}))
	t.Cleanup(app.Close)
	client := NewClient(loopback)
	const many = 12
	for range many {
		hanging.Go(func() { client.Post(t.Context(), app.URL+"/slow", Headers{}, "{}") })
	}
	for range 400 {
		if came.Load() >= 8 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	o := client.Post(ctx, app.URL+"/quick", Headers{}, "{}")
	close(release)
	hanging.Wait()
	if !o.Taken() {
		t.Errorf("the other is answered %+v", o)
	}
}
