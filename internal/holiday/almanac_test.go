package holiday_test

import (
	"sync"
	"testing"
	"time"

	"sollecito/internal/holiday"
)

func TestHolidaysOfACountryAndItsRegions(t *testing.T) {
	t.Parallel()
	almanac := holiday.NewAlmanac()
	tests := []struct {
		country, region, day string
		rest                 bool
	}{
		{"IT", "", "2026-04-06", true},    // Easter Monday
		{"IT", "", "2026-12-08", true},    // Immaculate Conception
		{"IT", "MI", "2026-12-07", false}, // Saint Ambrose is Milan's alone, and not in the table
		{"it", "", "2026-08-15", true},
		{"FR", "", "2026-07-14", true},
		{"GB", "", "2026-12-28", true}, // Boxing Day is a Saturday; Monday stands in for it
		{"US", "", "2026-07-03", true}, // Independence Day is a Saturday; Friday stands in for it
		{"US", "", "2021-12-31", true}, // New Year's Day of 2022 was a Saturday
		{"US", "", "2026-11-26", true}, // Thanksgiving
		{"US", "", "2026-11-25", false},
		{"PT", "", "2026-04-25", true},
		{"PT", "", "2026-06-04", true}, // Corpus Christi
		{"FI", "", "2026-06-19", true}, // Midsummer's Eve
		{"FI", "", "2027-06-25", true}, // the Friday between the 19th and the 25th
		{"LU", "", "2026-06-23", true},
		{"EE", "", "2026-02-24", true},
		{"JP", "", "2026-05-04", true}, // Greenery Day
		{"DE", "BY", "2026-01-06", true},
		{"DE", "Bayern", "2026-01-06", true},
		{"DE", "DE-BY", "2026-01-06", true},
		{"DE", "Berlin", "2026-01-06", false},
		{"DE", "", "2026-01-06", true}, // a holiday in three of the Länder, and nobody knows which it is
		{"DE", "Atlantis", "2026-01-06", true},
		{"DE", "Hamburg", "2026-10-03", true},
		{"AU", "VIC", "2026-11-03", true}, // Melbourne Cup
		{"BR", "", "2026-11-20", true},    // Consciência Negra
		{"BR", "", "2023-11-20", false},   // a year before it became one everywhere
		{"IT", "", "2027-10-04", true},    // Saint Francis
		{"IT", "", "2025-10-04", false},
		{"PL", "", "2026-12-24", true}, // Christmas Eve
		{"PL", "", "2024-12-24", false},
		{"RO", "", "2027-01-06", true},
		{"RO", "", "2027-01-07", true},
		{"RU", "", "2027-01-08", true},
		{"NZ", "", "2027-06-25", true}, // Matariki
		{"NZ", "", "2028-07-14", true},
		{"NZ", "", "2027-07-14", false},
		{"AU", "QLD", "2026-11-03", false},
		{"VN", "", "2026-01-01", true}, // not in the table
		{"VN", "", "2026-09-02", false},
		{"", "", "2026-01-01", false},
	}
	for _, tt := range tests {
		day, err := time.Parse(time.DateOnly, tt.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := almanac.Of(tt.country, tt.region).Rest(day); got != tt.rest {
			t.Errorf("%s %q on %s: rest is %t", tt.country, tt.region, tt.day, got)
		}
	}
}

func TestTheDateIsThatOfTheInstantsOwnZone(t *testing.T) {
	t.Parallel()
	tokyo := time.FixedZone("tokyo", 9*3600)
	christmasEve := time.Date(2026, 12, 24, 20, 0, 0, 0, time.UTC)
	italy := holiday.NewAlmanac().Of("IT", "")
	if italy.Rest(christmasEve) || !italy.Rest(christmasEve.In(tokyo)) {
		t.Error("the date is not that of the zone asked about")
	}
	if (holiday.Days{}).Rest(christmasEve.In(tokyo)) {
		t.Error("nowhere has a holiday")
	}
}

func TestManyMayAskAtOnce(t *testing.T) {
	t.Parallel()
	almanac := holiday.NewAlmanac()
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for year := 1990; year < 2060; year++ {
				if !almanac.Of([]string{"IT", "DE", "JP", "US"}[n%4], "").Rest(time.Date(year, 1, 1, 12, 0, 0, 0, time.UTC)) {
					t.Errorf("%d begins without a holiday", year)
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkRest(b *testing.B) {
	days := holiday.NewAlmanac().Of("DE", "")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for b.Loop() {
		days.Rest(at)
	}
}
