package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/jobs"
	"sollecito/internal/link"
)

// What customers do on their pages and by mail, what was promised or decided for a day, and what comes back.
var furtherOperations = []operation{
	{"a customer promises to be charged", (*bench).visited, func(b *bench, c *customer) error { return b.promise(c, "charge") }},
	{"a promise is charged", func(b *bench, c *customer) { b.promised(c, "charge") }, func(b *bench, _ *customer) error { return b.drain("promises", "send") }},
	{"a promise is broken by the bank", func(b *bench, c *customer) { b.promised(c, "charge"); c.card.says = "insufficient_funds" },
		func(b *bench, _ *customer) error { return b.drain("promises", "send") }},
	{"a promise is kept by its customer", func(b *bench, c *customer) { b.promised(c, "self"); b.w.pay(c.open[0], "at Stripe") },
		func(b *bench, _ *customer) error { return b.drain("promises", "send") }},
	{"a promise is broken by its day", func(b *bench, c *customer) { b.promised(c, "self") }, func(b *bench, _ *customer) error { return b.drain("promises", "send") }},
	{"a customer takes a promise back", func(b *bench, c *customer) { b.visited(c); b.must(b.promise(c, "self")) },
		func(b *bench, c *customer) error { return b.posts(c, "/pay/promise/end", nil) }},
	{"our own retry is due", func(b *bench, c *customer) {
		c.kind = "retries"
		b.fails(c)
		b.toDue("retries")
	}, func(b *bench, _ *customer) error { return b.drain("retries", "send") }},
	{"our own retry is declined", func(b *bench, c *customer) {
		c.kind = "retries"
		b.fails(c)
		b.toDue("retries")
		c.card.says = "do_not_honor"
	}, func(b *bench, _ *customer) error { return b.drain("retries", "send") }},
	{"a customer stops mails on the page", (*bench).visited, func(b *bench, c *customer) error {
		return b.posts(c, "/pay/choices/keep", url.Values{"way": {"none"}, "from": {"9"}, "to": {"18"}})
	}},
	{"a customer wants mails again on the page", func(b *bench, c *customer) {
		b.visited(c)
		b.must(b.posts(c, "/pay/choices/keep", url.Values{"way": {"none"}, "from": {"9"}, "to": {"18"}}))
	}, func(b *bench, c *customer) error {
		return b.posts(c, "/pay/choices/keep", url.Values{"way": {"mail"}, "from": {"11"}, "to": {"15"}})
	}},
	{"a mail program stops mails by one press", (*bench).reminded, func(b *bench, c *customer) error { return b.stops(c, "List-Unsubscribe", "One-Click") }},
	{"one press is taken back", func(b *bench, c *customer) { b.reminded(c); b.must(b.stops(c, "List-Unsubscribe", "One-Click")) },
		func(b *bench, c *customer) error { return b.stops(c, "step", "undo") }},
	{"a customer answers stop", (*bench).reminded, func(b *bench, c *customer) error {
		return b.mailed(c.email, b.caught[c.email].replies(), "From: "+c.email+"\nSubject: Re: your plan\nMessage-ID: <stop-"+c.id+"@customer.example>\n\nStop\n")
	}},
	{"a customer answers a reminder", (*bench).reminded, func(b *bench, c *customer) error {
		return b.mailed(c.email, b.caught[c.email].replies(), "From: "+c.email+"\nSubject: Re: your plan\nMessage-ID: <why-"+c.id+"@customer.example>\n\nWhat is it for?\n")
	}},
	{"a reminder bounces", (*bench).reminded, func(b *bench, c *customer) error {
		return b.mailed("", b.caught[c.email].sender, bounce(c))
	}},
	{"consent was withdrawn and a new card is given", func(b *bench, c *customer) { b.withdrawn(c) }, (*bench).giveCard},
	{"consent was withdrawn and the plan shall end", func(b *bench, c *customer) { b.withdrawn(c); b.opens(c, link.Link{}) },
		func(b *bench, c *customer) error {
			return errors.Join(b.posts(c, "/pay/cancel", url.Values{"text": {"No longer needed."}}), b.drain("send"))
		}},
	{"who wanted to leave stays", func(b *bench, c *customer) { b.visited(c); b.must(b.posts(c, "/pay/cancel", nil)) },
		func(b *bench, c *customer) error {
			return errors.Join(b.posts(c, "/pay/cancel/back", nil), b.drain("send"))
		}},
	{"the plan is ended at last", func(b *bench, c *customer) { b.toTheEnd(c, "cancel") }, (*bench).orderFinal},
	{"collection is paused at last", func(b *bench, c *customer) { b.toTheEnd(c, "pause") }, (*bench).orderFinal},
	{"the invoice is written off at last", func(b *bench, c *customer) { b.toTheEnd(c, "uncollectible") }, (*bench).orderFinal},
	{"a code is asked for", (*bench).twoCards, (*bench).askCode},
	{"a card is removed by its code", func(b *bench, c *customer) { b.twoCards(c); b.must(b.askCode(c)); b.hand() }, (*bench).removeCard},
	{"somebody else pays by a link", func(b *bench, c *customer) { b.fails(c); b.opens(c, link.Link{InvoiceID: c.open[0].id}) }, (*bench).payAsGuest},
}

// plans are campaigns of the merchant's own, for the customers of a kind.
func (b *bench) plans() {
	b.t.Helper()
	const plan = "name: %s\ntitle: Of the bench\nfor:\n  metadata: {sollecito_customer: %s}\nsteps:\n  - {key: first, day: 1, at: \"09:30\", channels: [email]}\n%s"
	const end = "  - {key: second, day: 2, at: \"09:30\", channels: [email]}\n  - {key: warning, words: notice, day: 3, at: \"10:00\", channels: [email], announces: true}\n  - {key: end, day: 9, at: \"10:00\", act: %s, consequence: true}\n"
	documents := map[string]string{"retries": "  - {key: second, day: 20, at: \"09:30\", channels: [email]}\nretries: {days: [2, 5], at: \"09:00\"}\n"}
	for _, act := range []string{"cancel", "pause", "uncollectible"} {
		documents[act] = fmt.Sprintf(end, act)
	}
	b.must(b.portal.DB.Do(b.t.Context(), func(tx *sql.Tx) error {
		for kind, more := range documents {
			c, err := campaign.Parse([]byte(fmt.Sprintf(plan, "of-"+kind, kind, more)))
			if err != nil {
				return err
			}
			_, _, err = b.portal.Campaigns.Apply(b.t.Context(), tx, c, "", "bench", b.w.at)
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// hand brings the mails that left to who they are for.
func (b *bench) hand() {
	b.t.Helper()
	b.w.post.mu.Lock()
	for _, l := range b.w.post.taken {
		b.caught[l.to] = l
	}
	b.w.post.mu.Unlock()
	agenda := agenda{all: slices.Clone(b.w.agenda.all), count: b.w.agenda.count}
	b.must(b.look(b.t.Context()))
	b.w.agenda = agenda // what they would do about them is what the operation says
}

// reminded is a customer who has got a reminder.
func (b *bench) reminded(c *customer) {
	b.t.Helper()
	b.fails(c)
	b.toStep(c)
	b.must(b.drain("schedule"))
	b.later(11 * time.Minute)
	b.must(b.drain("send"))
	b.hand()
	if b.caught[c.email].id == "" {
		b.t.Fatal("no reminder came")
	}
}

// visited is a customer whose renewal failed and whose pages are open.
func (b *bench) visited(c *customer) {
	b.t.Helper()
	b.fails(c)
	b.opens(c, link.Link{})
}

// opens opens a link for the customer, or of theirs for somebody else, and keeps the session.
func (b *bench) opens(c *customer, l link.Link) {
	b.t.Helper()
	l.CustomerID, l.Language, l.IssuedAt = c.id, "en", b.w.at.Unix()
	token := ""
	b.must(b.portal.DB.Do(b.t.Context(), func(tx *sql.Tx) error {
		var err error
		token, err = link.Issue(b.t.Context(), tx, l)
		return err
	}))
	answer := b.asks(c, http.MethodGet, "/l/"+token, nil)
	cookie := answer.Header().Get("Set-Cookie")
	if cookie == "" {
		b.t.Fatalf("the link opened nothing: %d", answer.Code)
	}
	b.kept["session "+c.id], _, _ = strings.Cut(cookie, ";")
	b.kept["press "+c.id] = database.NewID("press")
}

func (b *bench) asks(c *customer, method, path string, form url.Values) *httptest.ResponseRecorder {
	ask := httptest.NewRequest(method, "http://127.0.0.1:8080"+path, strings.NewReader(form.Encode()))
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ask.Header.Set("Cookie", b.kept["session "+c.id])
	answer := httptest.NewRecorder()
	b.portal.Web.ServeHTTP(answer, ask)
	return answer
}

// posts presses a button; an error page is one to press again.
func (b *bench) posts(c *customer, path string, form url.Values) error {
	answer := b.asks(c, http.MethodPost, path, form)
	if answer.Code >= 400 {
		return fmt.Errorf("%s: %d", path, answer.Code)
	}
	return nil
}

func (b *bench) expects(c *customer) string {
	return fmt.Sprintf("in_%s %d %s", c.id[4:], c.amount, c.currency)
}

func (b *bench) promise(c *customer, kind string) error {
	day := b.w.at.Truncate(24 * time.Hour)
	for day = day.AddDate(0, 0, 2); day.Weekday() == time.Saturday || day.Weekday() == time.Sunday; {
		day = day.AddDate(0, 0, 1)
	}
	day = b.once("day "+c.id, day)
	return b.posts(c, "/pay/promise", url.Values{
		"attempt": {b.kept["press "+c.id]}, "expect": {b.expects(c)}, "kind": {kind}, "day": {day.Format(time.DateOnly)},
	})
}

// once keeps what was said first.
func (b *bench) once(name string, day time.Time) time.Time {
	said, known := b.kept[name]
	if !known {
		b.kept[name] = day.Format(time.DateOnly)
		return day
	}
	day, err := time.Parse(time.DateOnly, said)
	b.must(err)
	return day
}

// promised is a customer whose promise is due.
func (b *bench) promised(c *customer, kind string) {
	b.t.Helper()
	b.visited(c)
	b.must(b.promise(c, kind))
	b.must(b.drain("send"))
	b.toDue("promises")
}

// toDue moves the clock to when a task has something to do, and lets what comes before it happen.
func (b *bench) toDue(task string) {
	b.t.Helper()
	for range 12 {
		b.known = false
		dues, err := b.dues(b.t.Context())
		b.must(err)
		if len(dues) == 0 {
			break
		}
		first := slices.MinFunc(dues, func(a, b jobs.Due) int { return a.At.Compare(b.At) })
		if first.At.After(b.w.at) {
			b.w.at = first.At
		}
		if first.Task == task {
			return
		}
		b.must(b.drain(first.Task))
	}
	b.t.Fatalf("nothing came to be due for %s", task)
}

func (b *bench) stops(c *customer, field, value string) error {
	address := b.caught[c.email].stop
	u, err := url.Parse(address)
	if err != nil || u.Path == "" {
		return fmt.Errorf("the mail offers no stop: %q", address)
	}
	return b.posts(c, u.Path, url.Values{field: {value}})
}

// withdrawn is a customer who told their bank to pay no more.
func (b *bench) withdrawn(c *customer) {
	b.t.Helper()
	b.must(b.hearFailureOf(c, "stop_payment_order"))
	b.rest()
}

// toTheEnd is a case whose final act waits for a person.
func (b *bench) toTheEnd(c *customer, act string) {
	b.t.Helper()
	c.kind = act
	b.fails(c)
	for range 12 {
		b.toStep(c)
		b.must(b.drain("schedule"))
		b.later(11 * time.Minute)
		b.must(b.drain("send"))
		f, err := b.final(c)
		if err == nil && f.Status == dunning.FinalProposed {
			return
		}
	}
	b.t.Fatalf("the end of %s never came", act)
}

func (b *bench) final(c *customer) (f dunning.Final, err error) {
	err = b.asked(b.t.Context(), func(tx *sql.Tx) error {
		open, err := b.portal.Cases.LatestOf(b.t.Context(), tx, c.id)
		if err == nil {
			f, err = b.portal.Cases.FinalOf(b.t.Context(), tx, open.ID)
		}
		return err
	})
	return f, err
}

// orderFinal is a manager who confirms what was shown. Who sees that it was ordered does not press again.
func (b *bench) orderFinal(c *customer) error {
	f, err := b.final(c)
	b.must(err)
	if f.Status == dunning.FinalProposed {
		err = b.onCase(c, func(ctx context.Context, tx *sql.Tx, id string) error {
			open, err := b.portal.Cases.OpenOf(ctx, tx, c.id)
			if err != nil {
				return err
			}
			effect, err := b.portal.Cases.EffectOf(ctx, tx, open, f.Act)
			if err != nil {
				return err
			}
			_, err = b.portal.Cases.OrderFinal(ctx, tx, id, effect.Objects(), "Ines", b.w.at)
			return err
		})
	}
	return errors.Join(err, b.drain("finals", "send"))
}

// twoCards is a customer with another card on file, whose pages are open.
func (b *bench) twoCards(c *customer) {
	b.t.Helper()
	old := c.card
	b.kept["other "+c.id] = c.newCard().id
	b.w.stripe.cards[c.card.id] = c.card
	c.card = old
	b.visited(c)
}

func (b *bench) askCode(c *customer) error {
	return errors.Join(b.posts(c, "/pay/methods/"+c.card.id+"/code", nil), b.drain("send"))
}

var codePattern = regexp.MustCompile(`(?m)^\s*(?:=E2=81=A8|\x{2068})?(\d{6})(?:=E2=81=A9|\x{2069})?\s*$`)

// removeCard takes the card off that is charged, so that the other takes its place. Who sees that it is being removed
// does not type a code again.
func (b *bench) removeCard(c *customer) error {
	code := codePattern.FindStringSubmatch(b.caught[c.email].text)
	if code == nil {
		return fmt.Errorf("no code came: %s", b.caught[c.email].text)
	}
	if b.kept["card "+c.id] == "" {
		b.kept["card "+c.id] = c.card.id
	}
	answer := b.asks(c, http.MethodPost, "/pay/methods/"+b.kept["card "+c.id]+"/remove", url.Values{"code": {code[1]}, "successor": {b.kept["other "+c.id]}})
	if answer.Code >= 500 {
		return fmt.Errorf("remove: %d", answer.Code)
	}
	return b.drain("send")
}

// payAsGuest is somebody to whom the customer handed a link, from their page to its end; the same press again where
// the page failed.
func (b *bench) payAsGuest(c *customer) error {
	answer := b.asks(c, http.MethodPost, "/pay/invoice/intent", url.Values{"attempt": {b.kept["press "+c.id]}, "expect": {b.expects(c)}})
	if answer.Code == http.StatusConflict {
		return nil // the page says that it is paid
	}
	if answer.Code != http.StatusOK {
		return fmt.Errorf("intent: %d", answer.Code)
	}
	var told struct {
		Secret string `json:"client_secret"`
	}
	b.must(json.Unmarshal(answer.Body.Bytes(), &told))
	id, _, _ := strings.Cut(told.Secret, "_secret")
	s := b.w.stripe.setups[id]
	if s.card == nil {
		old := c.card
		s.card, c.card = c.newCard(), old
		b.w.stripe.cards[s.card.id] = s.card
		b.w.tell(c, "setup_intent.succeeded", "setup_intent", id)
	}
	return b.posts(c, "/pay/invoice", url.Values{"setup_intent": {id}})
}
