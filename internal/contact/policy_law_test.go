package contact

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sollecito/internal/billing"
	"sollecito/internal/holiday"
)

// fortyPlaces are zones of every kind: both hemispheres' daylight saving, none, half and quarter hours, changes at
// midnight, the edges of the date line.
var fortyPlaces = []string{
	"Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Denver", "America/Phoenix", "America/Chicago",
	"America/New_York", "America/Halifax", "America/St_Johns", "America/Havana", "America/Asuncion", "America/Santiago",
	"America/Sao_Paulo", "America/Argentina/Buenos_Aires", "America/Nuuk", "Atlantic/Azores", "Atlantic/Reykjavik", "Europe/London",
	"Europe/Lisbon", "Europe/Rome", "Europe/Berlin", "Europe/Helsinki", "Europe/Moscow", "Africa/Casablanca", "Africa/Cairo",
	"Asia/Beirut", "Asia/Tehran", "Asia/Dubai", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Dhaka", "Asia/Tokyo", "Asia/Shanghai",
	"Australia/Adelaide", "Australia/Sydney", "Australia/Lord_Howe", "Australia/Eucla", "Pacific/Auckland", "Pacific/Chatham",
	"Pacific/Kiritimati",
}

var almanac = holiday.NewAlmanac()

// drawPolicy draws any hours, any days but none, wishes that can and cannot be kept, and countries of every kind.
func drawPolicy(t *rapid.T) Policy {
	p := Policy{
		From: rapid.IntRange(0, 23).Draw(t, "from"), Gap: time.Duration(rapid.IntRange(0, 96).Draw(t, "gap")) * time.Hour,
		Cap: rapid.IntRange(1, 7).Draw(t, "cap"), Window: 7 * 24 * time.Hour, Almanac: almanac,
	}
	p.To = rapid.IntRange(p.From+1, 24).Draw(t, "to")
	p.Days[rapid.IntRange(0, 6).Draw(t, "one day")] = true
	for day := range p.Days {
		p.Days[day] = p.Days[day] || rapid.Bool().Draw(t, "day")
	}
	wish := rapid.SampledFrom([]Hours{{}, {8, 12}, {12, 17}, {17, 21}, {0, 1}, {23, 24}}).Draw(t, "wish")
	country := rapid.SampledFrom([]string{"", "IT", "DE", "JP", "US", "GB", "CH", "VN"}).Draw(t, "country")
	return p.For(billing.Customer{Country: country}, Choices{Hours: wish}, "")
}

func drawZones(t *rapid.T, most int) []*time.Location {
	var zones []*time.Location
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(fortyPlaces), 1, most, rapid.ID).Draw(t, "zones") {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		zones = append(zones, zone)
	}
	return zones
}

// drawInstant is of 2024 to 2033: every daylight saving change of the forty places, and leap years.
func drawInstant(t *rapid.T, name string) time.Time {
	return time.Unix(rapid.Int64Range(1_704_067_200, 2_019_686_400).Draw(t, name), 0)
}

// TestNoSlotBreaksARule holds Slot to the policy, each rule reckoned again from its words.
func TestNoSlotBreaksARule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy, zones := drawPolicy(t), drawZones(t, 4)
		from, to := policy.From, policy.To
		if w := policy.Wished; max(from, w.From) < min(to, w.To) {
			from, to = max(from, w.From), min(to, w.To)
		}
		at := drawInstant(t, "start")
		var contacts []time.Time
		for range 6 {
			want := at.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "hours")) * time.Hour)
			slot := policy.Slot(want, zones, contacts).At
			if slot.Before(want) || slot.Sub(want) > 60*24*time.Hour {
				t.Fatalf("wanted %s, got %s", want, slot)
			}
			local := slot.In(zones[0])
			if local.Hour() < from || local.Hour() >= to || !policy.Days[local.Weekday()] || policy.Holidays.Rest(local) {
				t.Fatalf("%s is outside the hours %d to %d and days of the likeliest zone", local, from, to)
			}
			if n := len(contacts); n > 0 && slot.Sub(contacts[n-1]) < policy.Gap {
				t.Fatalf("only %s after the last contact", slot.Sub(contacts[n-1]))
			}
			inWeek := 1
			for _, c := range contacts {
				if slot.Sub(c) < 7*24*time.Hour {
					inWeek++
				}
			}
			if inWeek > policy.Cap {
				t.Fatalf("%d contacts in a week, at most %d allowed", inWeek, policy.Cap)
			}
			contacts = append(contacts, slot)
			at = slot
		}
	})
}

// TestNoAllowedQuarterIsPassedOver holds the search to walking the same days quarter by quarter.
func TestNoAllowedQuarterIsPassedOver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy, zones := drawPolicy(t), drawZones(t, 2)
		policy.Wished = Hours{}
		want := drawInstant(t, "want")
		got := policy.NextAllowed(want, zones)
		for at := want; at.Before(got) && at.Before(want.Add(8*24*time.Hour)); at = at.Truncate(15 * time.Minute).Add(15 * time.Minute) {
			if policy.Allowed(at, zones) {
				t.Fatalf("%s was free, %s was taken", at.In(zones[0]), got.In(zones[0]))
			}
		}
	})
}

func TestNothingIsSearchedForever(t *testing.T) {
	t.Parallel()
	rome, honolulu := zone(t, "Europe/Rome"), zone(t, "Pacific/Honolulu")
	now := time.Date(2026, 11, 4, 7, 0, 0, 0, rome)
	noDay := Policy{From: 9, To: 10}
	if got := noDay.NextAllowed(now, []*time.Location{rome}); !got.Equal(now) {
		t.Errorf("a policy without a day: %s", got)
	}
	night := Policy{From: 2, To: 3, Days: [7]bool{time.Sunday: true}} // on 29 March 2026 there is no such hour
	spring := time.Date(2026, 3, 28, 12, 0, 0, 0, rome)
	if got, want := night.NextAllowed(spring, []*time.Location{rome}), time.Date(2026, 4, 5, 2, 0, 0, 0, rome); !got.Equal(want) {
		t.Errorf("an hour that does not exist: %s", got.In(rome))
	}
	narrow := DefaultPolicy()
	if got, want := narrow.NextAllowed(now, []*time.Location{rome, honolulu}), time.Date(2026, 11, 4, 9, 0, 0, 0, rome); !got.Equal(want) {
		t.Errorf("zones without a shared hour: %s", got.In(rome))
	}
}

func TestHolidaysAndWishedHours(t *testing.T) {
	t.Parallel()
	rome := zone(t, "Europe/Rome")
	zones := []*time.Location{rome}
	policy := DefaultPolicy()
	policy.KeepHolidays()
	policy = policy.For(billing.Customer{}, Choices{}, "IT")
	eve := time.Date(2026, 12, 24, 18, 30, 0, 0, rome) // a Thursday; the 25th is Christmas, the 26th a Saturday
	slot := policy.Slot(eve, zones, nil)
	if want := time.Date(2026, 12, 28, 9, 0, 0, 0, rome); !slot.At.Equal(want) || !slices.Contains(slot.Why, ReasonRest) {
		t.Errorf("after Christmas: %s because %v", slot.At.In(rome), slot.Why)
	}
	weekend := policy.Slot(time.Date(2026, 11, 6, 20, 0, 0, 0, rome), zones, nil)
	if slices.Contains(weekend.Why, ReasonRest) || !slices.Contains(weekend.Why, ReasonHours) {
		t.Errorf("a weekend is called %v", weekend.Why)
	}
	policy.Wished = Hours{14, 16}
	slot = policy.Slot(time.Date(2026, 11, 4, 10, 0, 0, 0, rome), zones, nil)
	if want := time.Date(2026, 11, 4, 14, 0, 0, 0, rome); !slot.At.Equal(want) {
		t.Errorf("in the afternoon: %s", slot.At.In(rome))
	}
	policy.From, policy.To = 9, 12 // and no afternoon is left
	slot = policy.Slot(time.Date(2026, 11, 4, 10, 0, 0, 0, rome), zones, nil)
	if want := time.Date(2026, 11, 4, 10, 0, 0, 0, rome); !slot.At.Equal(want) {
		t.Errorf("a wish nobody can keep: %s", slot.At.In(rome))
	}
}

func TestWhoWritesEveryDayWritesOnHolidays(t *testing.T) {
	t.Parallel()
	rome := zone(t, "Europe/Rome")
	policy := DefaultPolicy()
	err := policy.ParseDays("mon-sun")
	if err != nil {
		t.Fatal(err)
	}
	policy.KeepHolidays()
	christmas := time.Date(2026, 12, 25, 10, 0, 0, 0, rome)
	got := policy.For(billing.Customer{Country: "IT"}, Choices{}, "").NextAllowed(christmas, []*time.Location{rome})
	if !got.Equal(christmas) {
		t.Errorf("put off to %s", got)
	}
}

func TestWhoseHolidaysTheyAre(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		who  billing.Customer
		want string
	}{
		{billing.Customer{Country: "FR", Zone: "Europe/Rome"}, "FR"},
		{billing.Customer{Zone: "America/Denver"}, "US"},
		{billing.Customer{}, "IT"},
		{billing.Customer{Zone: "UTC"}, "IT"},
	} {
		if got := countryOf(tt.who, CountryOfZone("Europe/Rome")); got != tt.want {
			t.Errorf("%+v has the holidays of %q", tt.who, got)
		}
	}
	if CountryOfZone("UTC") != "" {
		t.Error("UTC lies in a country")
	}
}

func BenchmarkSlot(b *testing.B) {
	policy := DefaultPolicy()
	policy.KeepHolidays()
	who := billing.Customer{Country: "US"}
	policy = policy.For(who, Choices{}, "")
	zones := ZonesOf(who, time.UTC)
	want := time.Date(2026, 12, 24, 23, 0, 0, 0, time.UTC)
	for b.Loop() {
		policy.Slot(want, zones, nil)
	}
}
