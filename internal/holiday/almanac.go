package holiday

import (
	"strings"
	"sync"
	"time"
)

// Almanac answers which days are public holidays where. It reckons a place's year once and keeps it, since a search
// for the next allowed hour and a simulated campaign ask the same days again and again. It is safe for concurrent use.
type Almanac struct {
	nations map[string]nation

	mu    sync.RWMutex
	years map[placeYear]*yearDays
}

type placeYear struct {
	place string
	year  int
}

// yearDays has one bit per day of a year, by time.Time.YearDay.
type yearDays [6]uint64

// NewAlmanac makes an almanac that has reckoned nothing yet.
func NewAlmanac() *Almanac {
	return &Almanac{nations: nations(), years: map[placeYear]*yearDays{}}
}

// Days are the holidays of one place; the zero Days has none.
type Days struct {
	almanac *Almanac
	place   string // "DE-BY", "DE", "" for none
}

// Of answers the holidays of a country (ISO 3166 alpha-2) and its region, as a code or as people write it. Where the
// region decides and is not known, a day that is a holiday in any of them counts as one: nobody is sure that the
// customer is at work. A country that is not in the table has New Year's Day and Christmas Day; an empty one has none.
func (a *Almanac) Of(country, region string) Days {
	if country == "" {
		return Days{}
	}
	place := strings.ToUpper(country)
	code := a.nations[place].code(region)
	if code != "" {
		place += "-" + code
	}
	return Days{almanac: a, place: place}
}

func (n nation) code(region string) string {
	region = strings.TrimSpace(region)
	code, ok := n.named[strings.ToLower(region)]
	if ok {
		return code
	}
	code = strings.ToUpper(region)
	code = code[strings.LastIndexByte(code, '-')+1:]
	_, ok = n.regions[code]
	if ok {
		return code
	}
	return ""
}

// Rest reports whether the local date of an instant, in the instant's own zone, is a holiday.
func (d Days) Rest(local time.Time) bool {
	if d.almanac == nil {
		return false
	}
	day := local.YearDay() - 1
	return d.almanac.year(d.place, local.Year())[day/64]&(1<<(day%64)) != 0
}

func (a *Almanac) year(place string, year int) *yearDays {
	key := placeYear{place, year}
	a.mu.RLock()
	days := a.years[key]
	a.mu.RUnlock()
	if days != nil {
		return days
	}
	days = a.reckon(place, year)
	a.mu.Lock()
	a.years[key] = days
	a.mu.Unlock()
	return days
}

func (a *Almanac) reckon(place string, year int) *yearDays {
	var days yearDays
	country, region, _ := strings.Cut(place, "-")
	n, known := a.nations[country]
	var lists []list
	switch {
	case !known:
		lists = []list{elsewhere()}
	case region != "":
		lists = []list{n.regions[region]}
	default:
		lists = []list{n.everywhere}
		for _, of := range n.regions {
			lists = append(lists, of)
		}
	}
	for _, of := range lists {
		for _, date := range datesIn(of, year) {
			day := date.YearDay() - 1
			days[day/64] |= 1 << (day % 64)
		}
	}
	return &days
}
