package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// crowd is everybody who uses the portal while it is being killed, and what they remember of it.
type crowd struct {
	base, stripe, key, secret string
	post                      *postOffice

	mu           sync.Mutex
	dice         *rand.Rand
	customers    []*customer
	events       int
	acknowledged map[string]bool // ids of webhooks that were answered 2xx
	written      map[string]bool // messages the page said were sent
}

// customer is one whose renewal failed.
type customer struct {
	id, email string
	from      string // their address in the network: one place from which all of them came would be held up
	since     time.Time
	paying    bool // else they write
	silent    bool // they do neither
	busy      bool // somebody plays them just now
	done      bool // the page said that it is done
	client    *http.Client
}

func newCrowd(seed uint64, base string, settings []string, post *postOffice) *crowd {
	c := &crowd{base: base, post: post, dice: rand.New(rand.NewPCG(seed, 2)), acknowledged: map[string]bool{}, written: map[string]bool{}}
	for _, line := range settings {
		name, value, _ := strings.Cut(line, "=")
		switch name {
		case "SOLLECITO_STRIPE_API_URL":
			c.stripe = value
		case "SOLLECITO_STRIPE_SECRET_KEY":
			c.key = value
		case "SOLLECITO_STRIPE_WEBHOOK_SECRET":
			c.secret = value
		}
	}
	return c
}

// register makes the sandbox tell the portal of everything.
func (c *crowd) register(ctx context.Context) error {
	_, err := c.ask(ctx, "/v1/webhook_endpoints", url.Values{"url": {c.base + "/webhooks/stripe"}, "enabled_events[]": {"*"}})
	return err
}

// work makes work until ctx ends: renewals that fail, and webhooks. What is asked of the sandbox must work; what is asked
// of the portal fails whenever it is dead.
func (c *crowd) work(ctx context.Context) error {
	var group errgroup.Group
	group.Go(func() error { return c.renewals(ctx) })
	for range 4 {
		group.Go(func() error { return c.foreign(ctx) })
	}
	return group.Wait()
}

// live lets people deal with their mail until ctx ends.
func (c *crowd) live(ctx context.Context) error {
	var group errgroup.Group
	for range 4 {
		group.Go(func() error { return c.people(ctx) })
	}
	return group.Wait()
}

// mostUntold is how many customers may wait for their first mail at once: on a busy machine, where lives are over before
// they have done much, it must not become ever more work. Who has waited as long as patience waits no more: their mail was
// under way at a kill and may never come.
const (
	mostUntold = 20
	patience   = 30 * time.Second
)

// renewals lets a customer's renewal fail again and again, each time another's, a fifth of a second apart. One in five
// does something about it while the program is being killed.
func (c *crowd) renewals(ctx context.Context) error {
	for n := 0; pause(ctx, time.Second/5); {
		if c.untold() >= mostUntold {
			continue
		}
		one, err := c.fail(ctx, fmt.Sprintf("c%d@customer.example", n), fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255))
		if err != nil {
			return err
		}
		c.mu.Lock()
		one.paying, one.silent = c.dice.IntN(3) > 0, n%5 > 0
		c.customers = append(c.customers, one)
		c.mu.Unlock()
		n++
	}
	return nil
}

// untold answers how many customers wait for their first mail.
func (c *crowd) untold() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, one := range c.customers {
		if time.Since(one.since) < patience && c.post.linkOf(one.email) == "" {
			n++
		}
	}
	return n
}

// pause waits and reports whether there is still something to do.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// fail makes a customer whose card has expired, so that the mail is due at once.
func (c *crowd) fail(ctx context.Context, email, from string) (*customer, error) {
	ctx = context.WithoutCancel(ctx) // a customer is made whole
	var failed error
	ask := func(path string, form url.Values) string {
		if failed != nil {
			return ""
		}
		answer, err := c.ask(ctx, path, form)
		failed = err
		id, _ := answer["id"].(string)
		return id
	}
	id := ask("/v1/customers", url.Values{"email": {email}, "name": {"Robin Tester"}})
	card := ask("/v1/payment_methods/pm_card_visa/attach", url.Values{"customer": {id}})
	ask("/v1/customers/"+id, url.Values{"invoice_settings[default_payment_method]": {card}})
	price := ask("/v1/prices", url.Values{
		"currency": {"eur"}, "unit_amount": {"2900"}, "recurring[interval]": {"month"}, "product_data[name]": {"Studio plan"},
	})
	ask("/v1/subscriptions", url.Values{"customer": {id}, "items[0][price]": {price}})
	ask("/sandbox/fail", url.Values{"customer": {id}, "decline_code": {"expired_card"}})
	if failed != nil {
		return nil, failed
	}
	jar, err := cookiejar.New(nil)
	return &customer{id: id, email: email, from: from, since: time.Now(), client: &http.Client{Jar: jar, Timeout: 5 * time.Second}}, err
}

// ask calls the sandbox as any client of Stripe does.
func (c *crowd) ask(ctx context.Context, path string, form url.Values) (map[string]any, error) {
	method, body := http.MethodPost, io.Reader(strings.NewReader(form.Encode()))
	if form == nil {
		method, body = http.MethodGet, nil
	}
	req, err := http.NewRequestWithContext(ctx, method, c.stripe+path, body)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(c.key, "")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer map[string]any
	err = json.NewDecoder(resp.Body).Decode(&answer)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s: %d %v", path, resp.StatusCode, answer)
	}
	return answer, err
}

// foreign sends webhooks that are none of the portal's business, as fast as they are answered: each is to be kept all the
// same before it is.
func (c *crowd) foreign(ctx context.Context) error {
	for pause(ctx, time.Millisecond) {
		c.mu.Lock()
		c.events++
		id := fmt.Sprintf("evt_load_%d", c.events)
		c.mu.Unlock()
		if !c.webhook(ctx, id) {
			pause(ctx, 10*time.Millisecond)
			continue
		}
		c.mu.Lock()
		c.acknowledged[id] = true
		c.mu.Unlock()
	}
	return nil
}

func (c *crowd) webhook(ctx context.Context, id string) bool {
	body := fmt.Appendf(nil, `{"id":%q,"object":"event","api_version":"2023-10-16","created":1700000000,"livemode":false,"type":"balance.available","data":{"object":{"object":"balance"}}}`, id)
	now := time.Now().Unix()
	mac := hmac.New(sha256.New, []byte(c.secret))
	fmt.Fprintf(mac, "%d.%s", now, body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/webhooks/stripe", bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Stripe-Signature", fmt.Sprintf("t=%d,v1=%s", now, hex.EncodeToString(mac.Sum(nil))))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode < 300
}

// errDead is a portal that did not answer, or only that it is starting.
var errDead = errors.New("the portal is dead")

// failed answers how many customers' renewals failed.
func (c *crowd) failed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.customers)
}

// waitUntilDone waits until every customer who had mail is done with it. A mail that is uncertain may never have come: it
// is not sent again by itself, and staff see it.
func (c *crowd) waitUntilDone(ctx context.Context) error {
	deadline := time.Now().Add(restWithin)
	for pause(ctx, 100*time.Millisecond) {
		c.mu.Lock()
		left, one := 0, ""
		for _, someone := range c.customers {
			if !someone.done && !someone.silent && c.post.linkOf(someone.email) != "" {
				left, one = left+1, someone.email
			}
		}
		c.mu.Unlock()
		if left == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d customers could not do what they wanted within %s, %s among them", left, restWithin, one)
		}
	}
	return ctx.Err()
}

// countCharges asks the sandbox what was taken from whom.
func (c *crowd) countCharges(ctx context.Context, r *report) error {
	for _, one := range c.customers {
		list, err := c.ask(ctx, "/v1/charges?limit=100&customer="+one.id, nil)
		if err != nil {
			return err
		}
		taken := map[any]int{}
		charges, _ := list["data"].([]any)
		for _, entry := range charges {
			charge, _ := entry.(map[string]any)
			if charge["status"] == "succeeded" {
				taken[charge["invoice"]]++
			}
		}
		paid := 0 // the first invoice of the subscription was paid, and so must the failed one be
		for _, times := range taken {
			paid++
			if times > 1 {
				r.DoubleCharges++
			}
		}
		if one.paying && one.done {
			r.Paid++
			if paid < 2 {
				r.LostPayments++
			}
		}
	}
	return nil
}
