package contact

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sollecito/internal/billing"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestNextAllowed(t *testing.T) {
	rome, tokyo, york, la := zone(t, "Europe/Rome"), zone(t, "Asia/Tokyo"), zone(t, "America/New_York"), zone(t, "America/Los_Angeles")
	tests := []struct {
		name  string
		at    time.Time
		zones []*time.Location
		want  time.Time
	}{
		{"within hours stays", time.Date(2026, 11, 4, 10, 7, 0, 0, rome), []*time.Location{rome}, time.Date(2026, 11, 4, 10, 7, 0, 0, rome)},
		{"too early waits for nine", time.Date(2026, 11, 4, 3, 0, 0, 0, rome), []*time.Location{rome}, time.Date(2026, 11, 4, 9, 0, 0, 0, rome)},
		{"six in the evening is over", time.Date(2026, 11, 4, 18, 0, 0, 0, rome), []*time.Location{rome}, time.Date(2026, 11, 5, 9, 0, 0, 0, rome)},
		{"Friday evening waits for Monday", time.Date(2026, 11, 6, 20, 0, 0, 0, rome), []*time.Location{rome}, time.Date(2026, 11, 9, 9, 0, 0, 0, rome)},
		{"the customer's own place counts", time.Date(2026, 11, 4, 10, 0, 0, 0, rome), []*time.Location{tokyo}, time.Date(2026, 11, 5, 9, 0, 0, 0, tokyo)},
		{"two zones share an hour", time.Date(2026, 11, 4, 9, 0, 0, 0, york), []*time.Location{york, la}, time.Date(2026, 11, 4, 9, 0, 0, 0, la)},
		{"zones without a shared hour fall back to the first", time.Date(2026, 11, 4, 5, 0, 0, 0, rome), []*time.Location{rome, tokyo}, time.Date(2026, 11, 4, 9, 0, 0, 0, rome)},
		{"the night the clocks go back", time.Date(2026, 10, 24, 22, 0, 0, 0, rome), []*time.Location{rome}, time.Date(2026, 10, 26, 9, 0, 0, 0, rome)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := DefaultPolicy().NextAllowed(tt.at, tt.zones)
			if !got.Equal(tt.want) {
				t.Errorf("got %s, want %s", got.In(tt.zones[0]), tt.want)
			}
		})
	}
}

func TestSlotKeepsGapCapAndHoursForEveryHistory(t *testing.T) {
	places := []string{"Europe/Rome", "Asia/Tokyo", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Los_Angeles"}
	rapid.Check(t, func(t *rapid.T) {
		policy := DefaultPolicy()
		where, err := time.LoadLocation(rapid.SampledFrom(places).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		zones := []*time.Location{where}
		at := time.Unix(rapid.Int64Range(1_700_000_000, 1_900_000_000).Draw(t, "start"), 0)
		var contacts []time.Time
		for range 12 {
			want := at.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "hours")) * time.Hour)
			slot := policy.Slot(want, zones, contacts)
			if slot.At.Before(want) {
				t.Fatalf("moved earlier: %s before %s", slot.At, want)
			}
			if !policy.Allowed(slot.At, zones) {
				t.Fatalf("%s is outside the hours of %s", slot.At.In(where), where)
			}
			if n := len(contacts); n > 0 && slot.At.Sub(contacts[n-1]) < policy.Gap {
				t.Fatalf("only %s after the last contact", slot.At.Sub(contacts[n-1]))
			}
			recent := 1
			for _, c := range contacts {
				if slot.At.Sub(c) < policy.Window {
					recent++
				}
			}
			if recent > policy.Cap {
				t.Fatalf("%d contacts within %s", recent, policy.Window)
			}
			contacts = append(contacts, slot.At)
			at = slot.At
		}
	})
}

func TestParseDaysAndHours(t *testing.T) {
	p := DefaultPolicy()
	for _, text := range []string{"", "9", "18-9", "9-25", "-1-5", "a-b"} {
		if p.ParseHours(text) == nil {
			t.Errorf("hours %q were taken", text)
		}
	}
	for _, text := range []string{"", "mon-", "monday", "fri-xyz"} {
		if p.ParseDays(text) == nil {
			t.Errorf("days %q were taken", text)
		}
	}
	err := p.ParseDays("fri-mon")
	if err != nil {
		t.Fatal(err)
	}
	if want := [7]bool{time.Friday: true, time.Saturday: true, time.Sunday: true, time.Monday: true}; p.Days != want {
		t.Errorf("fri-mon gave %v", p.Days)
	}
}

func TestZonesOf(t *testing.T) {
	utc := time.UTC
	tests := []struct {
		customer billing.Customer
		want     int
		first    string
	}{
		{billing.Customer{Zone: "Asia/Tokyo", Country: "IT"}, 1, "Asia/Tokyo"},
		{billing.Customer{Country: "IT"}, 1, "Europe/Rome"},
		{billing.Customer{Country: "US", State: "ca"}, 1, "America/Los_Angeles"},
		{billing.Customer{Country: "US", State: "TX"}, 2, "America/Chicago"},
		{billing.Customer{}, 1, "UTC"},
		{billing.Customer{Zone: "Mars/Olympus", Country: "XX"}, 1, "UTC"},
	}
	for _, tt := range tests {
		zones := ZonesOf(tt.customer, utc)
		if len(zones) != tt.want || zones[0].String() != tt.first {
			t.Errorf("%+v: got %v", tt.customer, zones)
		}
	}
	// By the first, which is the one most people live in, days and hours are told.
	for place, want := range map[string]string{
		"AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "CA": "America/Toronto", "RU": "Europe/Moscow", "UA": "Europe/Kyiv", "US": "America/New_York",
		"US-ID": "America/Denver", "US-TN": "America/Chicago", "CL": "America/Santiago", "MX": "America/Mexico_City", "ID": "Asia/Jakarta",
	} {
		country, state, _ := strings.Cut(place, "-")
		if got := ZonesOf(billing.Customer{Country: country, State: state}, utc)[0].String(); got != want {
			t.Errorf("days and hours of somebody in %s are told by %s, not %s", place, got, want)
		}
	}
	if got := len(ZonesOf(billing.Customer{Country: "US"}, utc)); got < 10 {
		t.Errorf("a customer somewhere in the US has only %d zones", got)
	}
}

// Where clocks skip an hour or the beginning of a day, a time within it is the same instant by another name, never one of the
// day before.
func TestATimeThatClocksSkip(t *testing.T) {
	for _, tt := range []struct {
		zone      string
		y         int
		m         time.Month
		d, h, min int
		want      string
	}{
		{"America/Santiago", 2026, time.September, 6, 0, 0, "2026-09-06 01:00 -0300"},
		{"America/Santiago", 2026, time.September, 6, 0, 30, "2026-09-06 01:30 -0300"},
		{"America/Santiago", 2026, time.August, 37, 10, 0, "2026-09-06 10:00 -0300"},
		{"Africa/Cairo", 2027, time.April, 30, 0, 0, "2027-04-30 01:00 +0300"},
		{"America/Havana", 2027, time.March, 14, 0, 0, "2027-03-14 01:00 -0400"},
		{"Europe/Rome", 2027, time.March, 28, 2, 30, "2027-03-28 03:30 +0200"},
		{"America/New_York", 2027, time.March, 14, 2, 30, "2027-03-14 03:30 -0400"},
		{"Australia/Lord_Howe", 2026, time.October, 4, 2, 15, "2026-10-04 02:45 +1100"},
		{"Asia/Kathmandu", 2028, time.February, 29, 9, 0, "2028-02-29 09:00 +0545"},
		{"Pacific/Apia", 2027, time.February, 29, 9, 0, "2027-03-01 09:00 +1300"},
	} {
		zone, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := At(tt.y, tt.m, tt.d, tt.h, tt.min, zone).Format("2006-01-02 15:04 -0700"); got != tt.want {
			t.Errorf("%s, %d %s at %02d:%02d is %s, want %s", tt.zone, tt.d, tt.m, tt.h, tt.min, got, tt.want)
		}
	}
}
