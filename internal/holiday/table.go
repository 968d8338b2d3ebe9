package holiday

import (
	"slices"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/aa"
	"github.com/rickar/cal/v2/ar"
	"github.com/rickar/cal/v2/at"
	"github.com/rickar/cal/v2/au"
	"github.com/rickar/cal/v2/be"
	"github.com/rickar/cal/v2/bg"
	"github.com/rickar/cal/v2/br"
	"github.com/rickar/cal/v2/ca"
	"github.com/rickar/cal/v2/ch"
	"github.com/rickar/cal/v2/cz"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/dk"
	"github.com/rickar/cal/v2/es"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/gr"
	"github.com/rickar/cal/v2/hr"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/it"
	"github.com/rickar/cal/v2/jp"
	"github.com/rickar/cal/v2/lt"
	"github.com/rickar/cal/v2/lv"
	"github.com/rickar/cal/v2/mw"
	"github.com/rickar/cal/v2/nc"
	"github.com/rickar/cal/v2/nl"
	"github.com/rickar/cal/v2/no"
	"github.com/rickar/cal/v2/nz"
	"github.com/rickar/cal/v2/pl"
	"github.com/rickar/cal/v2/ro"
	"github.com/rickar/cal/v2/ru"
	"github.com/rickar/cal/v2/se"
	"github.com/rickar/cal/v2/si"
	"github.com/rickar/cal/v2/sk"
	"github.com/rickar/cal/v2/ua"
	"github.com/rickar/cal/v2/us"
	"github.com/rickar/cal/v2/za"
)

// list is what a country or a region of it celebrates.
type list = []*cal.Holiday

// nation is a country: what it celebrates everywhere, and what its regions celebrate instead, by the second half of
// their ISO 3166-2 code. named are regions as people write them, in lower case.
type nation struct {
	everywhere list
	regions    map[string]list
	named      map[string]string
}

// nations answers the countries whose holidays are known, by ISO 3166 alpha-2. The library has no Portugal, Finland,
// Luxembourg and Estonia, and lacks what other countries have decided of late; theirs are written here.
func nations() map[string]nation {
	return map[string]nation{
		"AR": {everywhere: ar.Holidays},
		"AT": {everywhere: at.Holidays},
		"AU": {regions: map[string]list{
			"ACT": au.HolidaysACT, "NSW": au.HolidaysNSW, "NT": au.HolidaysNT, "QLD": au.HolidaysQLD,
			"SA": au.HolidaysSA, "TAS": au.HolidaysTAS, "VIC": au.HolidaysVIC, "WA": au.HolidaysWA,
		}, named: map[string]string{
			"australian capital territory": "ACT", "new south wales": "NSW", "northern territory": "NT", "queensland": "QLD",
			"south australia": "SA", "tasmania": "TAS", "victoria": "VIC", "western australia": "WA",
		}},
		"BE": {everywhere: be.Holidays},
		"BG": {everywhere: bg.Holidays},
		"BR": {everywhere: and(br.Holidays, since(2024, on(time.November, 20)))}, // Consciência Negra, Lei 14.759/2023
		"CA": {everywhere: ca.Holidays},
		"CH": {everywhere: ch.Holidays, regions: map[string]list{
			"ZH": ch.HolidaysZH, "BE": ch.HolidaysBE, "LU": ch.HolidaysLU, "UR": ch.HolidaysUR, "SZ": ch.HolidaysSZ, "OW": ch.HolidaysOW,
			"NW": ch.HolidaysNW, "GL": ch.HolidaysGL, "ZG": ch.HolidaysZG, "FR": ch.HolidaysFR, "SO": ch.HolidaysSO, "BS": ch.HolidaysBS,
			"BL": ch.HolidaysBL, "SH": ch.HolidaysSH, "AR": ch.HolidaysAR, "AI": ch.HolidaysAI, "SG": ch.HolidaysSG, "GR": ch.HolidaysGR,
			"AG": ch.HolidaysAG, "TG": ch.HolidaysTG, "VD": ch.HolidaysVD, "TI": ch.HolidaysTI, "VS": ch.HolidaysVS, "NE": ch.HolidaysNE,
			"GE": ch.HolidaysGE, "JU": ch.HolidaysJU,
		}},
		"CZ": {everywhere: cz.Holidays},
		"DE": {everywhere: de.Holidays, regions: map[string]list{
			"BW": de.HolidaysBW, "BY": de.HolidaysBY, "BE": de.HolidaysBE, "BB": de.HolidaysBB, "HB": de.HolidaysHB, "HH": de.HolidaysHH,
			"HE": de.HolidaysHE, "MV": de.HolidaysMV, "NI": de.HolidaysNI, "NW": de.HolidaysNW, "RP": de.HolidaysRP, "SL": de.HolidaysSL,
			"SN": de.HolidaysSN, "ST": de.HolidaysST, "SH": de.HolidaysSH, "TH": de.HolidaysTH,
		}, named: map[string]string{
			"baden-württemberg": "BW", "bayern": "BY", "bavaria": "BY", "berlin": "BE", "brandenburg": "BB", "bremen": "HB", "hamburg": "HH",
			"hessen": "HE", "hesse": "HE", "mecklenburg-vorpommern": "MV", "niedersachsen": "NI", "lower saxony": "NI",
			"nordrhein-westfalen": "NW", "north rhine-westphalia": "NW", "nrw": "NW", "rheinland-pfalz": "RP", "rhineland-palatinate": "RP",
			"saarland": "SL", "sachsen": "SN", "saxony": "SN", "sachsen-anhalt": "ST", "saxony-anhalt": "ST", "schleswig-holstein": "SH",
			"thüringen": "TH", "thuringia": "TH",
		}},
		"DK": {everywhere: dk.Holidays},
		"EE": {everywhere: list{
			aa.NewYear, on(time.February, 24), aa.GoodFriday, aa.WorkersDay, on(time.June, 23), on(time.June, 24), on(time.August, 20),
			on(time.December, 24), aa.ChristmasDay, aa.ChristmasDay2,
		}},
		"ES": {everywhere: es.Holidays},
		"FI": {everywhere: list{
			aa.NewYear, aa.Epiphany, aa.GoodFriday, aa.EasterMonday, aa.WorkersDay, aa.AscensionDay,
			{Func: cal.CalcWeekdayFrom, Month: time.June, Day: 19, Weekday: time.Friday, Offset: 1},
			on(time.December, 6), on(time.December, 24), aa.ChristmasDay, aa.ChristmasDay2,
		}},
		"FR": {everywhere: fr.Holidays},
		"GB": {everywhere: gb.Holidays},
		"GR": {everywhere: gr.Holidays},
		"HR": {everywhere: hr.Holidays},
		"IE": {everywhere: ie.Holidays},
		"IT": {everywhere: and(it.Holidays, since(2026, on(time.October, 4)))}, // San Francesco, Legge 151/2025
		"JP": {everywhere: jp.Holidays},
		"LT": {everywhere: lt.Holidays},
		"LU": {everywhere: list{
			aa.NewYear, aa.EasterMonday, aa.WorkersDay, on(time.May, 9), aa.AscensionDay, aa.PentecostMonday, on(time.June, 23),
			aa.AssumptionOfMary, aa.AllSaintsDay, aa.ChristmasDay, aa.ChristmasDay2,
		}},
		"LV": {everywhere: lv.Holidays},
		"MW": {everywhere: mw.Holidays},
		"NC": {everywhere: nc.Holidays},
		"NL": {everywhere: nl.Holidays},
		"NO": {everywhere: no.Holidays},
		"NZ": {everywhere: and(nz.Holidays, matariki()...)},
		"PL": {everywhere: and(pl.Holidays, since(2025, on(time.December, 24)))},
		"PT": {everywhere: list{
			aa.NewYear, aa.GoodFriday, on(time.April, 25), aa.WorkersDay, aa.CorpusChristi, on(time.June, 10), aa.AssumptionOfMary,
			on(time.October, 5), aa.AllSaintsDay, on(time.December, 1), aa.ImmaculateConception, aa.ChristmasDay,
		}},
		"RO": {everywhere: and(ro.Holidays, since(2024, on(time.January, 6)), since(2024, on(time.January, 7)))},
		"RU": {everywhere: and(ru.Holidays, // the first eight days of the year, article 112 of the labour code
			on(time.January, 2), on(time.January, 3), on(time.January, 4), on(time.January, 5), on(time.January, 6), on(time.January, 8))},
		"SE": {everywhere: se.Holidays},
		"SI": {everywhere: si.Holidays},
		"SK": {everywhere: sk.Holidays},
		"UA": {everywhere: ua.Holidays},
		"US": {everywhere: us.Holidays},
		"ZA": {everywhere: za.Holidays},
	}
}

// elsewhere is what is kept for a country that is not in the table: the two days on which nearly everybody's office
// is closed.
func elsewhere() list { return list{aa.NewYear, aa.ChristmasDay} }

// on is a holiday of a fixed date.
func on(month time.Month, day int) *cal.Holiday {
	return &cal.Holiday{Month: month, Day: day, Func: cal.CalcDayOfMonth}
}

// and answers a list with more holidays.
func and(known list, more ...*cal.Holiday) list { return slices.Concat(known, more) }

// since is a holiday that was made one for the year and those after it.
func since(year int, h *cal.Holiday) *cal.Holiday {
	h.StartYear = year
	return h
}

// matariki are the days of the Māori new year, as the Te Kāhui o Matariki Public Holiday Act 2022 sets them for each year.
func matariki() list {
	var all list
	for n, day := range []string{
		"06-24", "07-14", "06-28", "06-20", "07-10", "06-25", "07-14", "07-06", "06-21", "07-11", "07-02", "06-24", "07-07", "06-29", "07-18", "07-10",
		"06-25", "07-15", "07-06", "07-19", "07-11", "07-03", "06-24", "07-07", "06-29", "07-19", "07-03", "06-25", "07-15", "06-30", "06-21",
	} {
		at, err := time.Parse("01-02", day)
		if err != nil {
			panic(err) // a constant
		}
		year := 2022 + n
		all = append(all, &cal.Holiday{Month: at.Month(), Day: at.Day(), StartYear: year, EndYear: year, Func: cal.CalcDayOfMonth})
	}
	return all
}

// datesIn answers the days a list gives a year: each holiday's own date and the working day that stands in for it when
// it falls on a weekend, whichever year that is a holiday of.
func datesIn(of list, year int) []time.Time {
	var all []time.Time
	for _, h := range of {
		for _, y := range []int{year - 1, year, year + 1} {
			actual, observed := h.Calc(y)
			for _, day := range []time.Time{actual, observed} {
				if !day.IsZero() && day.Year() == year {
					all = append(all, day)
				}
			}
		}
	}
	return all
}
