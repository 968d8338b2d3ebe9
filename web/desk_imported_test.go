package web

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/staff"
)

// imports lets n customers fail and connects the portal only afterwards, so that all of them rest.
func (h *house) imports(n int) {
	h.t.Helper()
	h.do(func(tx *sql.Tx) error {
		return database.SetSetting(h.t.Context(), tx, dunning.SettingConnected, strconv.FormatInt(h.clock().Add(time.Hour).Unix(), 10))
	})
	for i := range n {
		h.fails(fmt.Sprintf("cus_old%03d", i), fmt.Sprintf("Customer %03d", i), "insufficient_funds")
	}
	h.later(2 * time.Hour)
}

// rests makes a customer whose case rests as a page of an import leaves it.
func (h *house) rests(id string) {
	h.t.Helper()
	h.fails(id, "Turns Up Later", "insufficient_funds")
	h.do(func(tx *sql.Tx) error {
		return h.cases.Pause(h.t.Context(), tx, h.caseIn(tx, id), dunning.PauseImported, "", "", time.Time{}, h.clock())
	})
}

func (h *house) count(query string) int {
	h.t.Helper()
	var n int
	h.do(func(tx *sql.Tx) error { return tx.QueryRow(query).Scan(&n) })
	return n
}

const unreleased = `SELECT count(*) FROM pauses WHERE reason = 'imported' AND ended_at = 0 AND until = 0`

// sends presses the main button of the page's form to the path.
func (b *browser) sends(d *goquery.Document, action string) answered {
	b.h.t.Helper()
	form := url.Values{}
	d.Find("form[method=post][action='" + action + "'] input[name]").Each(func(_ int, in *goquery.Selection) {
		form.Add(in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	if len(form) == 0 {
		b.h.t.Fatalf("no form to %s: %s", action, words(d.Find("main")))
	}
	return b.ask("POST", action, form)
}

func TestReleasingSomeOfAnImport(t *testing.T) {
	h := newHouse(t)
	h.imports(3)
	yen := h.invoice("cus_yen", "expired_card")
	yen.Currency, yen.AmountDue, yen.AmountRemaining = "jpy", 57600, 57600
	yen.FailedAt -= 86400
	h.hear(billing.Customer{ID: "cus_yen", Name: hostile, Country: "JP"}, yen) // nobody knows their address
	b := h.member(staff.Manager)
	if got := words(b.page("/admin").Find(".note")); got != "4 customers from the import wait to be released" {
		t.Errorf("today says %q", got)
	}
	if got := words(h.member(staff.Agent).page("/admin").Find(".note")); !strings.Contains(got, "A manager does that") {
		t.Errorf("an agent is told %q", got)
	}
	d := b.page("/admin/imported")
	got := words(d.Find("main"))
	for _, want := range []string{"4 customers wait", "€87.00", "¥57,600", "Customer 000", "cus_old000@bellini.example", "Mail 1", "by mail", "in the app alone, no address", "Not enough money", "Card expired", "All 4"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if d.Find("svg[onload]").Length() != 0 {
		t.Error("a customer's name is markup")
	}
	if last := words(d.Find("tbody th").Last()); !strings.HasPrefix(last, hostile) {
		t.Errorf("the oldest debt is not last: %s", last)
	}
	if got := words(b.page("/admin/imported?q=customer+001").Find("tbody")); !strings.HasPrefix(got, "Choose Customer 001") || strings.Contains(got, "Customer 000") {
		t.Errorf("a search finds %q", got)
	}
	if got := words(b.page("/admin/imported?q=%25").Find("main")); !strings.Contains(got, "Nobody found") {
		t.Errorf("a typed %% finds %q", got)
	}
	b.get("/admin/imported/release?q=").leadsTo(t, "/admin/imported?done=nobody")
	one, yenCase := h.caseOf("cus_old001").ID, h.caseOf("cus_yen").ID
	before := h.count(`SELECT count(*) FROM case_log`)
	d = b.page("/admin/imported/release?case=" + one + "&case=" + yenCase + "&case=case_unknown")
	got = words(d.Find("main"))
	for _, want := range []string{"Start reminders for 2 customers?", "1 mail", "1 notice in the app", "€29.00 and ¥57,600", "1 customer without an address"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if h.count(`SELECT count(*) FROM case_log`) != before || h.count(unreleased) != 4 {
		t.Error("looking changed something")
	}
	for range 2 { // the second press finds nobody who waits
		b.sends(d, "/admin/imported/release").leadsTo(t, "/admin/imported?done=imported")
	}
	if n := h.count(unreleased); n != 2 {
		t.Errorf("%d wait", n)
	}
	if c := h.caseOf("cus_old001"); c.RestingSince != 0 || c.NextStepAt == 0 {
		t.Errorf("the released case rests: %+v", c)
	}
	acts := 0
	for _, e := range h.auditLog() {
		if e.Action == "imported.released" {
			acts++
			if e.Detail != "2 customers" {
				t.Errorf("the log says %q", e.Detail)
			}
		}
	}
	if acts != 1 {
		t.Errorf("%d acts in the log", acts)
	}
	if n := h.count(`SELECT count(*) FROM case_log WHERE case_id = '` + one + `' AND actor = 'Ines manager'`); n != 1 {
		t.Errorf("the case's story names its releaser %d times", n)
	}
	h.pays("cus_old000")
	h.pays("cus_old002")
	if got := words(b.page("/admin/imported").Find("main")); !strings.Contains(got, "Nobody waits") {
		t.Errorf("when all are gone: %s", got)
	}
	if n := b.page("/admin").Find("a[href='/admin/imported']").Length(); n != 0 {
		t.Error("today leads to nobody")
	}
}

func TestReleasingAllIsSpreadOverDays(t *testing.T) {
	h := newHouse(t)
	const several = 230
	h.imports(several)
	b := h.member(staff.Manager)
	if got := words(b.page("/admin/imported?from=200").Find("nav[aria-label=Pages]")); !strings.Contains(got, "201 to 230 of 230") {
		t.Errorf("the last page is %q", got)
	}
	if got := words(b.page("/admin/imported/release?page=200").Find("h1")); got != "Start reminders for 30 customers?" {
		t.Errorf("all on the last page: %q", got)
	}
	d := b.page("/admin/imported/release?all=1")
	got := words(d.Find("main"))
	// Monday: the first hundred's first message is planned for the day after the import, the others' a day later each.
	for _, want := range []string{"Start reminders for 230 customers?", "Tomorrow : 100 mails", "Wed 4 Nov : 100 mails", "Thu 5 Nov : 30 mails", "€6,670.00", "1 to 50 of 230"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%.1500s", want, got)
		}
	}
	h.rests("cus_late")
	if a := b.sends(d, "/admin/imported/release"); a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "Start reminders for 231 customers?") || h.count(unreleased) != several+1 {
		t.Fatalf("more than was shown: %d", a.StatusCode)
	}
	h.pays("cus_late")
	for range 2 {
		b.sends(d, "/admin/imported/release").leadsTo(t, "/admin/imported?done=imported")
	}
	if h.count(unreleased) != 0 {
		t.Errorf("%d wait", h.count(unreleased))
	}
	for day, want := range []int{130, 30, 0} {
		if n := h.count(`SELECT count(*) FROM pauses WHERE reason = 'imported' AND ended_at = 0`); n != want {
			t.Errorf("after %d days %d rest, want %d", day, n, want)
		}
		h.later(24 * time.Hour)
		h.do(func(tx *sql.Tx) error {
			over, err := h.cases.ElapsedPauses(t.Context(), tx, h.clock(), 1000)
			if err != nil {
				return err
			}
			return h.cases.EndPauses(t.Context(), tx, over, h.clock())
		})
	}
	var told []string
	for _, e := range h.auditLog() {
		if e.Action == "imported.released" {
			told = append(told, e.Detail)
		}
	}
	slices.Sort(told)
	if want := []string{"100 customers", "100 customers", "30 customers"}; !slices.Equal(told, want) {
		t.Errorf("the log tells of %q, not of %q", told, want)
	}
}
