package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
	"sollecito/internal/portal"
)

// A dry run reckons by the installation's own rules: who mails about failures, and who decides about a final act.
func TestSimulateReckonsByTheSettings(t *testing.T) {
	t.Parallel()
	const document = `name: small
title: Small
steps:
  - key: first
    day: 0
    at: "00:00"
    channels: [email, app]
`
	address := databasetest.Migrated(t)
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	plan, err := campaign.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	store := campaign.NewStore(campaign.Shipped())
	always := contact.Policy{To: 24, Days: [7]bool{true, true, true, true, true, true, true}} // whatever day it is today
	cases := dunning.NewCases(dunning.Rules{Campaigns: store, Policy: always, Zone: time.UTC})
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		err := campaign.Install(t.Context(), tx, campaign.Shipped(), now)
		if err != nil {
			return err
		}
		_, _, err = store.Apply(t.Context(), tx, plan, "", "test", now)
		if err != nil {
			return err
		}
		err = billing.Save(t.Context(), tx, billing.Account{
			Customer: billing.Customer{ID: "cus_1", Email: "chiara@bellini.example"},
			Invoices: []billing.Invoice{{
				ID: "in_1", CustomerID: "cus_1", Status: "open", CollectionMethod: "charge_automatically", BillingReason: "subscription_cycle", Currency: "eur",
				AmountDue: 2900, AmountRemaining: 2900, Attempted: true, AttemptCount: 1, FailedAt: now.Unix(), CreatedAt: now.Unix(),
				IntentStatus: "requires_payment_method", Decline: billing.Decline{Code: "card_declined", DeclineCode: "insufficient_funds"},
			}},
		}, now.Unix())
		if err != nil {
			return err
		}
		return cases.Reconsider(t.Context(), tx, "cus_1", now)
	})
	if err != nil {
		t.Fatal(err)
	}
	for mails, want := range map[string][]outbox.Channel{"off": {outbox.Email, outbox.App}, "on": {outbox.App}} {
		environ := map[string]string{
			"SOLLECITO_DATABASE_URL": address, "SOLLECITO_STRIPE_EMAILS": mails, "SOLLECITO_CONTACT_HOURS": "0-24", "SOLLECITO_CONTACT_DAYS": "mon-sun",
		}
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"campaign", "simulate", "--json"}, func(name string) (string, bool) { v, is := environ[name]; return v, is }, nil, &out, &errs)
		var told simulation
		err = json.Unmarshal(out.Bytes(), &told)
		if code != 0 || err != nil || len(told.Now.Tomorrow) != 1 {
			t.Fatalf("it ended with %d, %v: %s%s", code, err, out.String(), errs.String())
		}
		if got := told.Now.Tomorrow[0].Channels; len(got) != len(want) || got[0] != want[0] {
			t.Errorf("Stripe's mails %s: it goes by %v", mails, got)
		}
	}
	for name, says := range map[string]string{
		"SOLLECITO_FINAL_ACTS": "must be person or automatic", "SOLLECITO_STRIPE_EMAILS": "must be on or off", "SOLLECITO_COLLECTOR_MODE": "must be on or off",
		"SOLLECITO_REGULATED_CREDIT": "must be on or off",
	} {
		environ := map[string]string{"SOLLECITO_DATABASE_URL": address, name: "ON"}
		var errs bytes.Buffer
		code := run(t.Context(), []string{"campaign", "simulate"}, func(name string) (string, bool) { v, is := environ[name]; return v, is }, nil, &bytes.Buffer{}, &errs)
		if code != exitFault || !strings.Contains(errs.String(), name+": "+says) {
			t.Errorf("a setting nobody knows: %d, %s", code, errs.String())
		}
	}
}

// On a demo's database a dry run reckons by the demo's clock.
func TestSimulateReckonsByTheClockOfADemo(t *testing.T) {
	t.Parallel()
	address := databasetest.Migrated(t)
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Now().AddDate(0, 0, 40)
	cases := dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Shipped()), Policy: contact.DefaultPolicy(), Zone: time.UTC})
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		err := campaign.Install(t.Context(), tx, campaign.Shipped(), now)
		if err != nil {
			return err
		}
		err = billing.Save(t.Context(), tx, billing.Account{
			Customer: billing.Customer{ID: "cus_1", Email: "chiara@bellini.example"},
			Invoices: []billing.Invoice{{
				ID: "in_1", CustomerID: "cus_1", Status: "open", CollectionMethod: "charge_automatically", BillingReason: "subscription_cycle", Currency: "eur",
				AmountDue: 2900, AmountRemaining: 2900, Attempted: true, AttemptCount: 1, FailedAt: now.Unix(), CreatedAt: now.Unix(),
				IntentStatus: "requires_payment_method", Decline: billing.Decline{Code: "card_declined", DeclineCode: "insufficient_funds"},
			}},
		}, now.Unix())
		if err != nil {
			return err
		}
		return cases.Reconsider(t.Context(), tx, "cus_1", now)
	})
	if err != nil {
		t.Fatal(err)
	}
	environ := map[string]string{"SOLLECITO_DATABASE_URL": address, "SOLLECITO_CONTACT_HOURS": "0-24", "SOLLECITO_CONTACT_DAYS": "mon-sun"} // whatever day it is today
	for _, is := range []struct {
		ahead time.Duration // of the demo's clock
		want  int
	}{{0, 0}, {50 * 24 * time.Hour, 1}} {
		err = portal.KeepDemoClock(t.Context(), db, is.ahead)
		if err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"campaign", "simulate", "--json"}, func(name string) (string, bool) { v, is := environ[name]; return v, is }, nil, &out, &errs)
		var told simulation
		err = json.Unmarshal(out.Bytes(), &told)
		if code != 0 || err != nil || len(told.Now.Tomorrow) != is.want {
			t.Errorf("with a clock %s ahead %d steps are due until tomorrow: %d, %v: %s", is.ahead, len(told.Now.Tomorrow), code, err, errs.String())
		}
	}
}

// A dry run says that nothing it names goes out while all sending is stopped.
func TestSimulateKnowsThatSendingIsStopped(t *testing.T) {
	t.Parallel()
	environ := map[string]string{"SOLLECITO_DATABASE_URL": databasetest.Migrated(t)}
	says := func(words ...string) string {
		var out, errs bytes.Buffer
		code := run(t.Context(), words, func(name string) (string, bool) { v, is := environ[name]; return v, is }, nil, &out, &errs)
		if code != 0 {
			t.Fatalf("%v ended with %d: %s", words, code, errs.String())
		}
		return out.String()
	}
	for deed, want := range map[string]bool{"stop": true, "resume": false} {
		says("sending", deed)
		var told simulation
		err := json.Unmarshal([]byte(says("campaign", "simulate", "--json")), &told)
		if err != nil || told.Stopped != want {
			t.Errorf("after sending %s: stopped %v, %v", deed, told.Stopped, err)
		}
		if got := strings.Contains(says("campaign", "simulate"), "All sending is stopped"); got != want {
			t.Errorf("after sending %s people are told %v", deed, got)
		}
	}
}
