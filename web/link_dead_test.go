package web

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/link"
)

// perAnswer is what differs between any two answers: the script's nonce and the request's name.
var perAnswer = regexp.MustCompile(`nonce="[^"]*"|'nonce-[^']*'|req_[0-9a-v]{26}`)

// Unknown, malformed, expired and revoked tokens get the same answer, byte for byte, and in the same time: nobody learns
// which tokens ever were (L5). The kinds take turns, so that what the machine does besides falls on all of them; a kind that
// seems apart is measured again, since one that is stays so.
func TestDeadLinksAreAllAlike(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	kinds := []string{"unknown", "malformed", "expired", "revoked"}
	tokens := map[string]string{"unknown": link.NewToken(), "malformed": "not-a-token"}
	h.do(func(tx *sql.Tx) (err error) {
		tokens["expired"], err = link.Issue(t.Context(), tx, link.Link{CustomerID: "cus_1", IssuedAt: h.clock().Add(-200 * 24 * time.Hour).Unix()})
		if err != nil {
			return err
		}
		tokens["revoked"], err = link.Issue(t.Context(), tx, link.Link{CustomerID: "cus_1", IssuedAt: h.clock().Unix()})
		if err != nil {
			return err
		}
		return link.RevokeAll(t.Context(), tx, "cus_1", h.clock())
	})
	tries := 500
	if testing.Short() {
		tries = 50
	}
	said := map[string]string{}
	apart := kinds[1:]
	for round := 0; round < 4 && len(apart) > 0; round++ {
		took := map[string][]time.Duration{}
		for n := range tries {
			for i := range kinds {
				kind := kinds[(i+n)%len(kinds)]
				from := fmt.Sprintf("10.%d.%d.%d", round*len(kinds)+i, n/250, n%250+1) // each from elsewhere, or it would be told to wait
				began := time.Now()
				a := h.visitor().ask("GET", "/l/"+tokens[kind], nil, "X-Forwarded-For", from)
				took[kind] = append(took[kind], time.Since(began))
				var head strings.Builder
				must(t, a.Header.WriteSubset(&head, map[string]bool{"Date": true}))
				answer := perAnswer.ReplaceAllString(fmt.Sprintf("%d\n%s\n%s", a.StatusCode, head.String(), a.body), "")
				if said[kind] != "" && said[kind] != answer {
					t.Fatalf("%s: two answers\n%s\n%s", kind, said[kind], answer)
				}
				said[kind] = answer
			}
		}
		median := func(kind string) time.Duration {
			slices.Sort(took[kind])
			return took[kind][tries/2]
		}
		apart = slices.DeleteFunc(slices.Clone(apart), func(kind string) bool {
			t.Logf("%s takes %s, an unknown one %s", kind, median(kind), median("unknown"))
			return (median(kind) - median("unknown")).Abs() < 2*time.Millisecond
		})
	}
	if len(apart) > 0 {
		t.Errorf("dead links are told apart by the time an answer takes: %s", strings.Join(apart, ", "))
	}
	for _, kind := range kinds[1:] {
		if said[kind] != said["unknown"] {
			t.Errorf("%s: %s\nunknown: %s", kind, said[kind], said["unknown"])
		}
	}
}

// A link and the pages it opened stop working with the next request, whatever ended it (L4).
func TestALinkEndsWhateverEndsIt(t *testing.T) {
	ends := map[string]func(h *house){
		"staff took it back": func(h *house) {
			h.do(func(tx *sql.Tx) error { return link.RevokeAll(t.Context(), tx, "cus_1", h.clock()) })
		},
		"the customer was deleted at Stripe": func(h *house) {
			h.hear(billing.Customer{ID: "cus_1", Deleted: true})
		},
		"it expired": func(h *house) { h.later(200 * 24 * time.Hour) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
			token := h.issue("cus_1")
			reader := h.visitor()
			reader.get("/l/"+token).leadsTo(t, "/pay")
			reader.page("/pay/support")
			end(h)
			for _, path := range []string{"/pay", "/pay/support", "/pay/papers", "/pay/invoices/in_cus_1/pdf"} {
				if a := reader.get(path); a.StatusCode != http.StatusUnauthorized {
					t.Errorf("the open page: %s answers %d", path, a.StatusCode)
				}
			}
			if a := h.visitor().get("/l/" + token); a.StatusCode != http.StatusNotFound {
				t.Errorf("the link answers %d", a.StatusCode)
			}
		})
	}
}
