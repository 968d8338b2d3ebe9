package contact

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever was set, regulated credit only narrows it: no slot lies at an hour or on a day that is now shut, or was before,
// nor too near to the messages before it.
func TestRegulateOnlyNarrows(t *testing.T) {
	berlin := []*time.Location{zone(t, "Europe/Berlin")}
	rapid.Check(t, func(t *rapid.T) {
		set := DefaultPolicy()
		set.From = rapid.IntRange(0, 23).Draw(t, "from")
		set.To = rapid.IntRange(set.From+1, 24).Draw(t, "to")
		set.Cap = rapid.IntRange(1, mostPerWeek).Draw(t, "cap")
		any := false
		for i := range set.Days {
			set.Days[i] = rapid.Bool().Draw(t, "day")
			any = any || set.Days[i] && i != int(time.Sunday)
		}
		narrow := set
		err := narrow.Regulate()
		if hours := set.From < regulatedTo && set.To > regulatedFrom; (err == nil) != (hours && any) {
			t.Fatalf("%d-%d on %v: %v", set.From, set.To, set.Days, err)
		}
		if err != nil {
			return
		}
		if narrow.Cap > set.Cap || narrow.Gap < set.Gap || narrow.Almanac == nil {
			t.Fatalf("%+v became %+v", set, narrow)
		}
		start := time.Date(2026, 3, 27, 0, 0, 0, 0, berlin[0]) // the clocks change two days later
		var before []time.Time
		for range 5 {
			v := narrow.Slot(start.Add(time.Duration(rapid.IntRange(0, 10*24*60).Draw(t, "minutes"))*time.Minute), berlin, before)
			local := v.At.In(berlin[0])
			if !set.Allowed(v.At, berlin) || local.Hour() < 8 || local.Hour() >= 20 || local.Weekday() == time.Sunday {
				t.Fatalf("a message may go at %s, by %+v", local, narrow)
			}
			if n := len(before); n > 0 && v.At.Sub(before[n-1]) < 48*time.Hour || n > 1 && v.At.Sub(before[n-2]) < 7*24*time.Hour {
				t.Fatalf("%s comes too soon after %v", v.At, before)
			}
			before, start = append(before, v.At), v.At
		}
	})
}
