package web

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"sollecito/internal/dunning"
	"sollecito/internal/intake"
	"sollecito/internal/l10n"
	"sollecito/internal/link"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
)

// The customer's own page names the day on which something is taken away where staff's page, the API and the notice in the
// app name it, in every language, and nowhere else: a consequence that waits for a person has no day.
func TestTheCustomersPageNamesADayLikeEverybodyElse(t *testing.T) {
	h := newHouse(t, func(o *Options) {
		o.Intake = intake.New(intake.Options{DB: o.DB, Cases: o.Cases, Now: o.Now, RealNow: o.Real})
	})
	catalog, err := l10n.Load()
	must(t, err)
	manager := h.colleague("ada@lumen.example", staff.Manager)
	_, key := h.key("the app")
	steps := func(customer string, all ...outbox.Status) {
		for _, status := range all {
			h.step(customer, status)
		}
	}
	shown := func(customer string) { // what was to be told in the app has been seen
		h.do(func(tx *sql.Tx) error {
			_, err := tx.Exec(`UPDATE notices SET status = 'sent' WHERE customer_id = $1 AND channel = 'app'`, customer)
			return err
		})
	}
	promises := func(customer string) {
		h.do(func(tx *sql.Tx) error {
			return h.cases.Pause(t.Context(), tx, h.caseIn(tx, customer), dunning.PausePromise, "", "", h.clock().Add(48*time.Hour), h.clock())
		})
	}
	unsure := []outbox.Status{outbox.Sent, outbox.Sent, outbox.Uncertain}
	for i, is := range []struct {
		name  string
		walk  func(customer string)
		dated bool // until the consequence, or the pause
		rests bool
	}{
		{"announced", func(c string) { steps(c, outbox.Sent, outbox.Sent, outbox.Sent) }, true, false},
		{"announced in the app", func(c string) { steps(c, unsure...); shown(c) }, true, false},
		{"nobody knows", func(c string) { steps(c, unsure...) }, false, false},
		{"nobody knows, and its day has passed", func(c string) { steps(c, unsure...); h.step(c, outbox.Sent) }, false, false},
		{"it came back", func(c string) { steps(c, outbox.Sent, outbox.Sent, outbox.Failed) }, false, false},
		{"held out", func(c string) {
			h.do(func(tx *sql.Tx) error {
				_, err := tx.Exec(`UPDATE cases SET holdout = TRUE WHERE customer_id = $1`, c)
				return err
			})
			steps(c, outbox.Sent, outbox.Sent)
		}, false, false},
		{"a promise, announced", func(c string) { steps(c, outbox.Sent, outbox.Sent, outbox.Sent); promises(c) }, true, true},
		{"a promise, nobody knows", func(c string) { steps(c, unsure...); promises(c) }, false, true},
	} {
		customer := "cus_" + string(rune('a'+i))
		h.fails(customer, "Chiara Bellini", "insufficient_funds")
		is.walk(customer)
		c := h.caseOf(customer)
		day := time.Unix(c.ConsequenceAt, 0).In(h.server.Zone)
		until, told := h.told("/api/v1/customers/"+customer+"/access", key)["until"].(string)
		if told != is.dated || told && until != instant(c.ConsequenceAt) {
			t.Errorf("%s: the API says until %q", is.name, until)
		}
		record := words(h.signedIn(manager).page("/admin/customers/" + customer).Find("main"))
		if strings.Contains(record, "in grace until "+day.Format("Mon 2 Jan")) != is.dated {
			t.Errorf("%s: staff read something else:\n%s", is.name, record)
		}
		banner, code := h.state(h.sign(customer, "billing"))
		if code == http.StatusOK && banner.AccessEndsAt != "" && !is.dated && banner.State == bannerPastDue {
			t.Errorf("%s: the notice names %s", is.name, banner.AccessEndsAt)
		}
		for _, l := range catalog.Locales() {
			var token string
			h.do(func(tx *sql.Tx) (err error) {
				token, err = link.Issue(t.Context(), tx, link.Link{CustomerID: customer, Language: l.Tag(), IssuedAt: h.clock().Unix()})
				return err
			})
			b := h.visitor()
			b.get("/l/"+token).leadsTo(t, "/pay")
			d := b.page("/pay")
			will := l.IsolatedText("thread.will_restrict", l10n.Args{"Merchant": "Lumen Studio"})
			entry := d.Find("ol.thread li.next time[datetime='" + day.Format(time.DateOnly) + "']")
			if got := entry.Length() == 1; got != (is.dated && !is.rests) {
				t.Errorf("%s, %s: the line of time names the day: %t\n%s", is.name, l.Tag(), got, words(d.Find("ol.thread")))
			}
			if got := strings.Contains(plain(words(d.Find("ol.thread"))), plain(will)); got != (is.dated && !is.rests) {
				t.Errorf("%s, %s: the line of time says what is taken away: %t\n%s", is.name, l.Tag(), got, words(d.Find("ol.thread")))
			}
			note := l.IsolatedText("note.grace", l10n.Args{"Day": l.Day(day)})
			if got := strings.Contains(plain(words(d.Find("main"))), plain(note)); got != is.dated {
				t.Errorf("%s, %s: the note names the day: %t, of %q\n%s", is.name, l.Tag(), got, note, words(d.Find("main")))
			}
		}
	}
}

// plain is a text without the marks that only turn its direction, on one line.
func plain(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("\u2066", "", "\u2067", "", "\u2068", "", "\u2069", "").Replace(text)), " ")
}
