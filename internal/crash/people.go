package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// people are customers whose mail has come: they open its link and pay, or write, until the page says that it is done.
func (c *crowd) people(ctx context.Context) error {
	for pause(ctx, 10*time.Millisecond) {
		one, link := c.somebody()
		if one == nil {
			continue
		}
		var done bool
		var err error
		if one.paying {
			done, err = c.pay(ctx, one, link)
		} else {
			done, err = c.write(ctx, one, link)
		}
		c.mu.Lock()
		one.busy, one.done = false, done
		if done && !one.paying {
			c.written["I am "+one.email] = true
		}
		c.mu.Unlock()
		if err != nil && !errors.Is(err, errDead) {
			return err
		}
		if err != nil {
			pause(ctx, 50*time.Millisecond)
		}
	}
	return nil
}

// somebody answers a customer who has mail and is not done.
func (c *crowd) somebody() (*customer, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.customers) == 0 {
		return nil, ""
	}
	from := c.dice.IntN(len(c.customers))
	for i := range c.customers {
		one := c.customers[(from+i)%len(c.customers)]
		if one.busy || one.done || one.silent {
			continue
		}
		link := c.post.linkOf(one.email)
		if link != "" {
			one.busy = true
			return one, link
		}
	}
	return nil, ""
}

// pay opens the link, gives a new card as the browser does, and sends the form twice at once. It reports whether the
// overview says that nothing is open.
func (c *crowd) pay(ctx context.Context, one *customer, link string) (bool, error) {
	page, err := c.visit(ctx, one, link)
	if err != nil || nothingOpen(page) {
		return err == nil, err
	}
	page, err = c.visit(ctx, one, c.base+"/pay/card")
	if err != nil {
		return false, err
	}
	form := url.Values{}
	page.Find("form[data-card] input[type=hidden]").Each(func(_ int, in *goquery.Selection) {
		form.Add(in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	setup, err := c.intent(ctx, one, form)
	if err != nil {
		return false, err
	}
	_, err = c.ask(context.WithoutCancel(ctx), "/v1/setup_intents/"+setup+"/confirm",
		url.Values{"payment_method": {"pm_card_mastercard"}, "return_url": {c.base + "/pay/card/finish"}})
	if err != nil {
		return false, err
	}
	form.Set("setup_intent", setup)
	second := make(chan error, 1)
	go func() {
		_, err := c.send(ctx, one, "/pay/card", form)
		second <- err
	}()
	_, err = c.send(ctx, one, "/pay/card", form)
	err = errors.Join(err, <-second)
	if err != nil {
		return false, err
	}
	page, err = c.visit(ctx, one, c.base+"/pay")
	return err == nil && nothingOpen(page), err
}

// intent asks for what the browser confirms a new card with, and answers the SetupIntent's id.
func (c *crowd) intent(ctx context.Context, one *customer, form url.Values) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/pay/card/intent", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("X-Forwarded-For", one.from)
	req.Header.Set("Origin", c.base)
	resp, err := one.client.Do(req)
	if err != nil {
		return "", errDead
	}
	defer resp.Body.Close()
	var answer struct {
		Secret string `json:"client_secret"`
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	id, _, ok := strings.Cut(answer.Secret, "_secret_")
	if err != nil || !ok {
		return "", errDead
	}
	return id, nil
}

// nothingOpen reports whether the overview says so: no button to pay and no failed request.
func nothingOpen(page *goquery.Document) bool {
	return page.Find("main h1").Length() > 0 && strings.Contains(page.Find("main h1").Text(), "Nothing is open")
}

// write opens the link and writes to support. It reports whether the page shows the message.
func (c *crowd) write(ctx context.Context, one *customer, link string) (bool, error) {
	_, err := c.visit(ctx, one, link)
	if err != nil {
		return false, err
	}
	page, err := c.visit(ctx, one, c.base+"/pay/support")
	if err != nil {
		return false, err
	}
	text := "I am " + one.email
	if strings.Contains(page.Find("main").Text(), text) {
		return true, nil // it was taken by a life that could not say so
	}
	page, err = c.send(ctx, one, "/pay/support", url.Values{"text": {text}})
	return err == nil && strings.Contains(page.Find("main").Text(), text), err
}

func (c *crowd) visit(ctx context.Context, one *customer, address string) (*goquery.Document, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return c.read(one, req)
}

func (c *crowd) send(ctx context.Context, one *customer, path string, form url.Values) (*goquery.Document, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", c.base)
	return c.read(one, req)
}

func (c *crowd) read(one *customer, req *http.Request) (*goquery.Document, error) {
	req.Header.Set("X-Forwarded-For", one.from)
	resp, err := one.client.Do(req)
	if err != nil {
		return nil, errDead
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusServiceUnavailable {
		return nil, errDead // it is starting
	}
	page, err := goquery.NewDocumentFromReader(resp.Body)
	if err != nil {
		return nil, errDead
	}
	return page, nil
}
