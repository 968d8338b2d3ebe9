package dunning_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
)

// fourSteps is a campaign whose days and hour are easy to reckon with: days 0, 1, 2 and 5 at an hour of day.
func fourSteps(at string) campaign.Campaign {
	var clock campaign.TimeOfDay
	err := clock.UnmarshalText([]byte(at))
	if err != nil {
		panic(err)
	}
	plan := campaign.Campaign{Name: "steps", Version: 1}
	for _, day := range []int{0, 1, 2, 5} {
		plan.Steps = append(plan.Steps, campaign.Step{Key: fmt.Sprint("day-", day), Day: day, At: clock, Channels: []outbox.Channel{outbox.Email}})
	}
	return plan
}

// anyHour is the contact policy that moves nothing, so that the campaign's own reckoning shows.
var anyHour = contact.Policy{From: 0, To: 24, Days: [7]bool{true, true, true, true, true, true, true}}

// The instants of a campaign where calendars and clocks do strange things, exactly: each step comes once, on its own
// local day and hour, and none is left out.
func TestStepsOnStrangeDays(t *testing.T) {
	office := contact.DefaultPolicy()
	tests := []struct {
		name   string
		who    billing.Customer
		opened string // RFC 3339
		at     string // hour of the steps
		policy contact.Policy
		want   [4]string
	}{
		{"an ordinary week", billing.Customer{Country: "IT"}, "2026-11-02T05:00:00Z", "10:00", anyHour,
			[4]string{"2026-11-02T09:00:00Z", "2026-11-03T09:00:00Z", "2026-11-04T09:00:00Z", "2026-11-07T09:00:00Z"}},
		{"clocks go forward: the hour stays local", billing.Customer{Country: "IT"}, "2027-03-27T05:00:00Z", "10:00", anyHour,
			[4]string{"2027-03-27T09:00:00Z", "2027-03-28T08:00:00Z", "2027-03-29T08:00:00Z", "2027-04-01T08:00:00Z"}},
		{"clocks go back", billing.Customer{Country: "IT"}, "2026-10-24T05:00:00Z", "10:00", anyHour,
			[4]string{"2026-10-24T08:00:00Z", "2026-10-25T09:00:00Z", "2026-10-26T09:00:00Z", "2026-10-29T09:00:00Z"}},
		{"half past two does not exist that night", billing.Customer{Country: "IT"}, "2027-03-26T22:30:00Z", "02:30", anyHour,
			[4]string{"2027-03-26T22:30:00Z", "2027-03-27T01:30:00Z", "2027-03-28T01:30:00Z", "2027-03-31T00:30:00Z"}},
		{"half past two comes twice that night and counts once", billing.Customer{Country: "IT"}, "2026-10-23T22:30:00Z", "02:30", anyHour,
			[4]string{"2026-10-24T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z", "2026-10-29T01:30:00Z"}},
		{"the American clocks, in office hours and three in a week", billing.Customer{Zone: "America/New_York"}, "2027-03-12T06:00:00Z", "10:00", office,
			[4]string{"2027-03-12T15:00:00Z", "2027-03-15T13:00:00Z", "2027-03-16T13:00:00Z", "2027-03-19T15:00:00Z"}},
		{"half an hour of daylight saving", billing.Customer{Zone: "Australia/Lord_Howe"}, "2027-04-02T20:00:00Z", "10:00", anyHour,
			[4]string{"2027-04-02T23:00:00Z", "2027-04-03T23:30:00Z", "2027-04-04T23:30:00Z", "2027-04-07T23:30:00Z"}},
		{"the 29th of February", billing.Customer{Country: "IT"}, "2028-02-28T05:00:00Z", "10:00", anyHour,
			[4]string{"2028-02-28T09:00:00Z", "2028-02-29T09:00:00Z", "2028-03-01T09:00:00Z", "2028-03-04T09:00:00Z"}},
		{"no 29th of February", billing.Customer{Country: "IT"}, "2027-02-28T05:00:00Z", "10:00", anyHour,
			[4]string{"2027-02-28T09:00:00Z", "2027-03-01T09:00:00Z", "2027-03-02T09:00:00Z", "2027-03-05T09:00:00Z"}},
		{"the end of a month of 30 days", billing.Customer{Country: "IT"}, "2026-04-29T05:00:00Z", "10:00", anyHour,
			[4]string{"2026-04-29T08:00:00Z", "2026-04-30T08:00:00Z", "2026-05-01T08:00:00Z", "2026-05-04T08:00:00Z"}},
		{"the end of the year", billing.Customer{Country: "IT"}, "2026-12-31T05:00:00Z", "10:00", anyHour,
			[4]string{"2026-12-31T09:00:00Z", "2027-01-01T09:00:00Z", "2027-01-02T09:00:00Z", "2027-01-05T09:00:00Z"}},
		{"Almaty moves by an hour for good", billing.Customer{Zone: "Asia/Almaty"}, "2024-02-28T03:00:00Z", "10:00", anyHour,
			[4]string{"2024-02-28T04:00:00Z", "2024-02-29T04:00:00Z", "2024-03-01T05:00:00Z", "2024-03-04T05:00:00Z"}},
		{"Samoa leaves out a whole day", billing.Customer{Zone: "Pacific/Apia"}, "2011-12-28T18:00:00Z", "10:00", anyHour,
			[4]string{"2011-12-28T20:00:00Z", "2011-12-29T20:00:00Z", "2011-12-30T20:00:00Z", "2012-01-01T20:00:00Z"}},
		{"midnight is left out where clocks change at midnight", billing.Customer{Zone: "Africa/Cairo"}, "2026-04-22T22:00:00Z", "00:00", anyHour,
			[4]string{"2026-04-22T22:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z", "2026-04-27T21:00:00Z"}},
		{"nobody knows where: the merchant's own hours", billing.Customer{}, "2026-11-02T05:00:00Z", "10:00", office,
			[4]string{"2026-11-02T09:00:00Z", "2026-11-03T09:00:00Z", "2026-11-04T09:00:00Z", "2026-11-09T09:00:00Z"}},
		{"somewhere in the United States: hours that are good in all of it", billing.Customer{Country: "US"}, "2026-11-02T14:00:00Z", "10:00", office,
			[4]string{"2026-11-02T19:00:00Z", "2026-11-03T19:00:00Z", "2026-11-04T19:00:00Z", "2026-11-09T19:00:00Z"}},
		{"… and in summer", billing.Customer{Country: "US"}, "2026-07-06T14:00:00Z", "10:00", office,
			[4]string{"2026-07-06T19:00:00Z", "2026-07-07T19:00:00Z", "2026-07-08T19:00:00Z", "2026-07-13T19:00:00Z"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opened := instant(t, tt.opened)
			zones := contact.ZonesOf(tt.who, rome)
			c := dunning.Case{Status: dunning.Open, OpenedAt: opened.Unix(), OpenedDay: opened.In(zones[0]).Format(time.DateOnly)}
			in := dunning.Situation{Plan: fourSteps(tt.at), Class: billing.ClassMoney, Zones: zones, Policy: tt.policy, Now: opened}
			ahead := c.Ahead(in)
			if len(ahead) != len(tt.want) {
				t.Fatalf("%d steps, want %d", len(ahead), len(tt.want))
			}
			for i, p := range ahead {
				if !p.At.Equal(instant(t, tt.want[i])) {
					t.Errorf("%s comes at %s, %s, want %s", p.Step.Key, p.At.UTC().Format(time.RFC3339), p.At.In(zones[0]).Format(time.RFC1123), tt.want[i])
				}
			}
		})
	}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// A clock that is set back by two hours, right after each step and with news from Stripe meanwhile: no step is taken
// twice, none is left out, and each comes when it would have come.
func TestTheClockIsSetBack(t *testing.T) {
	walk := func(w *world, back time.Duration) []string {
		w.hear(w.failed("in_1", "do_not_honor"))
		var taken []string
		for {
			step, at := w.next(outbox.Sent)
			if step == "" {
				return taken
			}
			taken = append(taken, step+" "+at.UTC().Format(time.RFC3339))
			before := len(w.notices())
			w.now = w.now.Add(-back)
			w.hear()
			c := w.latest()
			w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Advance(ctx, tx, c.ID, w.now) })
			if got := len(w.notices()); got != before {
				t.Fatalf("%d notices after the clock was set back, %d before", got, before)
			}
		}
	}
	straight, disturbed := walk(setup(t), 0), walk(setup(t), 2*time.Hour)
	if len(straight) < 4 || fmt.Sprint(straight) != fmt.Sprint(disturbed) {
		t.Errorf("the steps come at\n%v\nand, with a clock set back, at\n%v", straight, disturbed)
	}
}

// When a renewal is told of before it fails, exactly, for cards whose last day and renewals whose day are close.
func TestPrecautionsOnStrangeDays(t *testing.T) {
	tests := []struct {
		name        string
		who         billing.Customer
		renews      string
		month, year int64
		look        string // when the renewal is looked at
		told        string // when the notice may go, "" for none
	}{
		{"the card's last month is the renewal's", billing.Customer{Country: "IT"}, "2026-12-02T09:00:00Z", 12, 2026, "2026-11-18T09:00:00Z", ""},
		{"it is the month before", billing.Customer{Country: "IT"}, "2026-12-02T09:00:00Z", 11, 2026, "2026-11-18T09:00:00Z", "2026-11-18T09:00:00Z"},
		{"on the 29th of February at noon it is good", billing.Customer{Country: "IT"}, "2028-02-29T12:00:00Z", 2, 2028, "2028-02-15T12:00:00Z", ""},
		{"just before March it is charged in March", billing.Customer{Country: "IT"}, "2028-02-29T23:30:00Z", 2, 2028, "2028-02-15T23:30:00Z", "2028-02-16T08:00:00Z"},
		{"the last of a month of 30 days", billing.Customer{Country: "IT"}, "2026-11-30T22:00:00Z", 11, 2026, "2026-11-16T22:00:00Z", ""},
		{"the first of the year", billing.Customer{Country: "IT"}, "2027-01-01T00:30:00Z", 12, 2026, "2026-12-18T00:30:00Z", "2026-12-18T08:00:00Z"},
		{"a weekend waits for Monday", billing.Customer{Country: "IT"}, "2026-12-05T09:00:00Z", 11, 2026, "2026-11-21T09:00:00Z", "2026-11-23T08:00:00Z"},
		{"clocks go back on the way", billing.Customer{Country: "IT"}, "2026-11-08T07:30:00Z", 10, 2026, "2026-10-25T07:30:00Z", "2026-10-26T08:00:00Z"},
		{"clocks go forward on the way", billing.Customer{Country: "IT"}, "2027-04-11T07:30:00Z", 3, 2027, "2027-03-28T07:30:00Z", "2027-03-29T07:00:00Z"},
		{"somewhere in the United States", billing.Customer{Country: "US"}, "2026-12-02T09:00:00Z", 11, 2026, "2026-11-18T09:00:00Z", "2026-11-18T19:00:00Z"},
		{"nobody knows where", billing.Customer{}, "2026-12-02T05:00:00Z", 11, 2026, "2026-11-18T05:00:00Z", "2026-11-18T09:00:00Z"},
		{"a card without a date", billing.Customer{Country: "IT"}, "2026-12-02T09:00:00Z", 0, 0, "2026-11-18T09:00:00Z", ""},
	}
	w := setup(t)
	w.cases = dunning.NewCases(dunning.Rules{
		Campaigns: campaign.NewStore(campaign.Shipped()), Policy: contact.DefaultPolicy(), Zone: time.UTC,
		Before: dunning.Before{Expiring: true, Renewals: true, Lead: 14 * 24 * time.Hour},
	})
	for n, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			id := fmt.Sprintf("cus_%02d", n)
			renews := instant(t, tt.renews)
			tt.who.ID, tt.who.Email, tt.who.DefaultMethod = id, "chiara@bellini.example", "pm_"+id
			account := billing.Account{
				Customer: tt.who,
				Methods:  []billing.Method{{ID: "pm_" + id, CustomerID: id, Type: "card", Last4: "4242", Fingerprint: "fp", ExpMonth: tt.month, ExpYear: tt.year}},
				Subscriptions: []billing.Subscription{{
					ID: "sub_" + id, CustomerID: id, Status: "active", Automatic: true, PeriodEnd: renews.Unix(), Amount: billing.Money{Minor: 2900, Currency: "eur"},
				}},
			}
			read := func() {
				w.do(func(ctx context.Context, tx *sql.Tx) error { return billing.SavePart(ctx, tx, account, w.now.Unix()) })
			}
			look := func() (at time.Time) {
				w.do(func(ctx context.Context, tx *sql.Tx) error {
					next, ok, err := w.cases.NextLook(ctx, tx, w.now)
					if err != nil || !ok {
						return err
					}
					at = time.Unix(next, 0)
					ids, err := w.cases.Ahead(ctx, tx, at.Add(-time.Second), 10)
					if err != nil || len(ids) > 0 {
						return fmt.Errorf("%v are looked at a second before %s: %w", ids, at, err)
					}
					ids, err = w.cases.Ahead(ctx, tx, at, 10)
					if err != nil || len(ids) != 1 || ids[0] != id {
						return fmt.Errorf("%v are looked at, want %s: %w", ids, id, err)
					}
					return w.cases.LookAhead(ctx, tx, id, at)
				})
				return at
			}
			w.now = renews.Add(-20 * 24 * time.Hour)
			read()
			at := look()
			if !at.Equal(instant(t, tt.look)) {
				t.Errorf("looked at %s, want %s", at.UTC(), tt.look)
			}
			// Two hours back, read again, and forward once more.
			w.now = at.Add(-2 * time.Hour)
			read()
			again := look()
			if !again.Equal(at) {
				t.Errorf("with the clock set back it is looked at %s", again.UTC())
			}
			var notices []outbox.Notice
			w.do(func(ctx context.Context, tx *sql.Tx) error {
				var err error
				notices, err = outbox.OfCustomer(ctx, tx, id)
				return err
			})
			switch {
			case tt.told == "" && len(notices) != 0:
				t.Errorf("told of %s", notices[0].SubjectID)
			case tt.told != "" && len(notices) != 1:
				t.Errorf("%d notices, want one", len(notices))
			case tt.told != "" && notices[0].DueAt != instant(t, tt.told).Unix():
				t.Errorf("told at %s, want %s", time.Unix(notices[0].DueAt, 0).UTC().Format(time.RFC3339), tt.told)
			}
		})
	}
}

// The gap and the cap are lengths of time and not numbers of days: clocks that change neither shorten nor stretch them.
func TestThePolicyOverClockChanges(t *testing.T) {
	york := []*time.Location{mustZone("America/New_York")}
	week := contact.DefaultPolicy()
	week.Days = anyHour.Days
	tests := []struct {
		name     string
		zones    []*time.Location
		want     string
		contacts []string
		at       string
	}{
		{"a day's gap ends an hour later by a clock that went forward", york, "2027-03-14T13:00:00Z", []string{"2027-03-13T15:00:00Z"}, "2027-03-14T15:00:00Z"},
		{"… and an hour earlier by one that went back", york, "2026-11-01T14:00:00Z", []string{"2026-10-31T15:00:00Z"}, "2026-11-01T15:00:00Z"},
		{"a gap that ends after hours waits for the morning", york, "2027-03-14T13:00:00Z", []string{"2027-03-13T22:30:00Z"}, "2027-03-15T13:00:00Z"},
		{"the cap is seven times 24 hours", york, "2027-03-15T13:00:00Z", []string{"2027-03-08T16:00:00Z", "2027-03-10T16:00:00Z", "2027-03-12T16:00:00Z"}, "2027-03-15T16:00:00Z"},
		{"a last contact in the future of a clock set back still counts", york, "2027-03-10T15:00:00Z", []string{"2027-03-10T17:00:00Z"}, "2027-03-11T17:00:00Z"},
		{"the 29th of February is a day", []*time.Location{rome}, "2028-02-28T17:30:00Z", nil, "2028-02-29T08:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var contacts []time.Time
			for _, c := range tt.contacts {
				contacts = append(contacts, instant(t, c))
			}
			got := week.Slot(instant(t, tt.want), tt.zones, contacts).At
			if !got.Equal(instant(t, tt.at)) {
				t.Errorf("at %s, want %s", got.UTC().Format(time.RFC3339), tt.at)
			}
		})
	}
}
