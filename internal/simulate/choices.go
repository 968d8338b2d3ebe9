package main

import (
	"context"
	"database/sql"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"sollecito/internal/contact"
)

// choice is what a customer has asked for, as they remember it.
type choice struct {
	refused  time.Time // since when they want no reminders by mail, zero when they do
	from, to int       // the hours of their day in which they want them, 0 and 0 for any
}

// decide is what some do about the reminders themselves when one comes.
func (w *world) decide(h *house, c *customer, l letter) {
	wait := time.Duration(5+c.life.IntN(2*24*60)) * time.Minute
	switch dice := c.life.Float64() / w.play.unusual; {
	case dice < 0.05:
		w.when(w.at.Add(wait), func() { h.stop(c, l.stop) })
	case dice < 0.11:
		from := 9 + c.life.IntN(6)
		to := min(18, from+1+c.life.IntN(5))
		w.when(w.at.Add(wait), func() { h.choose(c, choice{refused: c.choice.refused, from: from, to: to}) })
	case dice < 0.14:
		w.when(w.at.Add(wait), func() { w.speak(c, pick(c.life, []string{"de", "fr-CH", "pl", "ar", "pt-BR", "en"})) })
	}
}

// speak is a customer who sets another language in their account.
func (w *world) speak(c *customer, locale string) {
	c.locale, c.spoke = locale, w.at
	c.note(w.at, "speaks", locale)
	w.tell(c, "customer.updated", "customer", c.id)
}

// stop ends the reminders by mail: by the one press of a mail program where the mail offers it (RFC 8058), else on the
// page. Half of those who do change their mind some weeks later.
func (h *house) stop(c *customer, address string) {
	if address == "" {
		h.choose(c, choice{refused: h.w.at, from: c.choice.from, to: c.choice.to})
		return
	}
	if h.portal == nil || !h.oneClick(address) {
		h.w.when(h.w.at.Add(time.Hour), func() { h.stop(c, address) })
		return
	}
	h.chose(c, choice{refused: h.w.at, from: c.choice.from, to: c.choice.to}, "by one press")
}

func (h *house) oneClick(address string) (done bool) {
	post := httptest.NewRequest(http.MethodPost, address, strings.NewReader(url.Values{"List-Unsubscribe": {"One-Click"}}.Encode()))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	h.portal.Web.ServeHTTP(answer, post)
	return answer.Code == http.StatusOK
}

// choose is the page of choices, asked again while it fails.
func (h *house) choose(c *customer, wanted choice) {
	again := func() { h.w.when(h.w.at.Add(time.Hour), func() { h.choose(c, wanted) }) }
	if h.portal == nil {
		again()
		return
	}
	if !wanted.refused.IsZero() {
		wanted.refused = h.w.at
	}
	ctx := context.Background()
	err := h.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		_, err := h.portal.Cases.Choose(ctx, tx, c.id, func(now contact.Choices) contact.Choices {
			now.NoMail, now.Hours, now.Source = !wanted.refused.IsZero(), contact.Hours{From: wanted.from, To: wanted.to}, contact.FromPage
			return now
		}, h.w.at)
		return err
	})
	if err != nil {
		again()
		return
	}
	h.chose(c, wanted, "on the page")
}

// chose keeps what the portal has confirmed.
func (h *house) chose(c *customer, wanted choice, how string) {
	before := c.choice
	c.choice = wanted
	switch {
	case before.refused.IsZero() && !wanted.refused.IsZero():
		h.judge.counts["stopped "+how]++
		c.note(h.w.at, "stops mails", how)
		if chance(c.life, 0.5) {
			h.w.when(h.w.at.AddDate(0, 0, 5+c.life.IntN(40)), func() { h.choose(c, choice{from: c.choice.from, to: c.choice.to}) })
		}
	case !before.refused.IsZero() && wanted.refused.IsZero():
		h.judge.counts["wants mails again"]++
		c.note(h.w.at, "wants mails again", how)
	default:
		h.judge.counts["chose hours"]++
		c.note(h.w.at, "chooses", wanted.hours())
	}
}

func (c choice) hours() string {
	return time.Date(0, 1, 1, c.from, 0, 0, 0, time.UTC).Format("15:04") + " to " + time.Date(0, 1, 1, c.to, 0, 0, 0, time.UTC).Format("15:04")
}
