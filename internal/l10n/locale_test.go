package l10n

import (
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// everyLanguage loads a catalogue in which each language of the table has a file with the given messages, so that
// money and dates are tested also where no messages exist yet.
func everyLanguage(t *testing.T, files map[string]string) *Catalog {
	t.Helper()
	all := fstest.MapFS{}
	for tag, data := range cldr() {
		if data.Parent == "" {
			all["locales/"+tag+".toml"] = &fstest.MapFile{Data: []byte(files[tag])}
		}
	}
	c, err := load(all)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return c
}

func TestMoney(t *testing.T) {
	t.Parallel()
	c := everyLanguage(t, nil)
	for _, test := range []struct {
		tag                               string
		eur, usd, jpy, kwd, negative, big string
	}{
		{"en", "€29.00", "US$29.00", "¥14,400", "KWD\u00a029.000", "-€29.00", "€1,234,567.89"},
		{"en-US", "€29.00", "$29.00", "¥14,400", "KWD\u00a029.000", "-€29.00", "€1,234,567.89"},
		{"it", "29,00\u00a0€", "29,00\u00a0USD", "14.400\u00a0JPY", "29,000\u00a0KWD", "-29,00\u00a0€", "1.234.567,89\u00a0€"},
		{"de", "29,00\u00a0€", "29,00\u00a0$", "14.400\u00a0¥", "29,000\u00a0KWD", "-29,00\u00a0€", "1.234.567,89\u00a0€"},
		{"fr", "29,00\u00a0€", "29,00\u00a0$US", "14\u202f400\u00a0JPY", "29,000\u00a0KWD", "-29,00\u00a0€", "1\u202f234\u202f567,89\u00a0€"},
		{"es", "29,00\u00a0€", "29,00\u00a0US$", "14.400\u00a0JPY", "29,000\u00a0KWD", "-29,00\u00a0€", "1.234.567,89\u00a0€"},
		{"pt-BR", "€\u00a029,00", "US$\u00a029,00", "JP¥\u00a014.400", "KWD\u00a029,000", "-€\u00a029,00", "€\u00a01.234.567,89"},
		{"nl", "€\u00a029,00", "US$\u00a029,00", "JP¥\u00a014.400", "KWD\u00a029,000", "€\u00a0-29,00", "€\u00a01.234.567,89"},
		{"pl", "29,00\u00a0€", "29,00\u00a0USD", "14\u00a0400\u00a0JPY", "29,000\u00a0KWD", "-29,00\u00a0€", "1\u00a0234\u00a0567,89\u00a0€"},
		{"ja", "€29.00", "$29.00", "￥14,400", "KWD\u00a029.000", "-€29.00", "€1,234,567.89"},
		{"ar", "\u200f29.00\u00a0€", "\u200f29.00\u00a0US$\u200e", "\u200f14,400\u00a0JP¥\u200e", "\u200f29.000\u00a0د.ك.\u200f", "\u200f\u200e-29.00\u00a0€", "\u200f1,234,567.89\u00a0€"},
	} {
		l := c.byTag[test.tag]
		for _, amount := range []struct {
			minor    int64
			currency string
			want     string
		}{
			{2900, "eur", test.eur}, {2900, "USD", test.usd}, {14400, "jpy", test.jpy}, {29000, "kwd", test.kwd},
			{-2900, "eur", test.negative}, {123456789, "eur", test.big},
		} {
			got := l.Money(amount.minor, amount.currency)
			if string(got) != amount.want {
				t.Errorf("%s: Money(%d, %s) = %+q, want %+q", test.tag, amount.minor, amount.currency, got, amount.want)
			}
		}
	}
}

func TestMoneyOfUnusualCurrencies(t *testing.T) {
	t.Parallel()
	c := everyLanguage(t, nil)
	for _, test := range []struct {
		tag      string
		minor    int64
		currency string
		want     Isolated
	}{
		{"en", 0, "eur", "€0.00"},
		{"en", 5, "eur", "€0.05"},
		{"en", -5, "kwd", "-KWD\u00a00.005"},
		{"en", 2900, "xyz", "29.00\u00a0XYZ"},
		{"de", -2900, "xyz", "-29,00\u00a0XYZ"},
		{"en", 2900, "", "29.00\u00a0"},
		{"en", 2900, "¤#¤", "29.00\u00a0¤#¤"},
		// Stripe counts these in hundredths although nobody writes them; a remainder is money and is never hidden.
		{"en", 50000, "isk", "ISK\u00a0500"},
		{"en", 50000, "ugx", "UGX\u00a0500"},
		{"en", 123450, "huf", "HUF\u00a01,234.50"},
		{"en", 123400, "huf", "HUF\u00a01,234"},
		{"en", 123450, "twd", "NT$1,234.50"},
		// Four digits stay together where the language has it so.
		{"es", 123456, "eur", "1234,56\u00a0€"},
		{"es", 1234567, "eur", "12.345,67\u00a0€"},
		{"pl", 123456, "eur", "1234,56\u00a0€"},
		{"de", 123456, "eur", "1.234,56\u00a0€"},
		{"en", -9223372036854775808, "jpy", "-¥9,223,372,036,854,775,808"},
		{"en", 9223372036854775807, "usd", "US$92,233,720,368,547,758.07"},
	} {
		got := c.byTag[test.tag].Money(test.minor, test.currency)
		if got != test.want {
			t.Errorf("%s: Money(%d, %q) = %+q, want %+q", test.tag, test.minor, test.currency, got, test.want)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	c := everyLanguage(t, nil)
	morning := time.Date(2025, 11, 6, 10, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		tag                                               string
		day, dayYear, dayMonth, shortDay, month, dayClock string
	}{
		{"en", "Thursday 6 November", "6 November 2025", "6 November", "Thu 6 Nov", "November", "Thursday 6 November, 10:00"},
		{"en-US", "Thursday, November 6", "November 6, 2025", "November 6", "Thu, Nov 6", "November", "Thursday, November 6, 10:00 AM"},
		{"it", "giovedì 6 novembre", "6 novembre 2025", "6 novembre", "gio 6 nov", "novembre", "giovedì 6 novembre, 10:00"},
		{"de", "Donnerstag, 6. November", "6. November 2025", "6. November", "Do., 6. Nov.", "November", "Donnerstag, 6. November, 10:00"},
		{"fr", "jeudi 6 novembre", "6 novembre 2025", "6 novembre", "jeu. 6 nov.", "novembre", "jeudi 6 novembre, 10:00"},
		{"es", "jueves, 6 de noviembre", "6 de noviembre de 2025", "6 de noviembre", "jue, 6 nov", "noviembre", "jueves, 6 de noviembre, 10:00"},
		{"pt-BR", "quinta-feira, 6 de novembro", "6 de novembro de 2025", "6 de novembro", "qui., 6 de nov.", "novembro", "quinta-feira, 6 de novembro 10:00"},
		{"nl", "donderdag 6 november", "6 november 2025", "6 november", "do 6 nov", "november", "donderdag 6 november, 10:00"},
		{"pl", "6 listopada (czwartek)", "6 listopada 2025", "6 listopada", "czw., 6 lis", "listopad", "6 listopada (czwartek), 10:00"},
		{"ja", "11月6日（木）", "2025年11月6日", "11月6日", "11月6日(木)", "11月", "11月6日（木） 10:00"},
		{"ar", "الخميس، 6 نوفمبر", "6 نوفمبر 2025", "6 نوفمبر", "الخميس، 6 نوفمبر", "نوفمبر", "الخميس، 6 نوفمبر، 10:00 ص"},
	} {
		l := c.byTag[test.tag]
		for _, date := range []struct{ name, got, want string }{
			{"Day", l.Day(morning), test.day}, {"DayYear", l.DayYear(morning), test.dayYear},
			{"DayMonth", l.DayMonth(morning), test.dayMonth}, {"ShortDay", l.ShortDay(morning), test.shortDay},
			{"Month", l.Month(morning), test.month}, {"DayClock", l.DayClock(morning), test.dayClock},
		} {
			if got := strings.ReplaceAll(date.got, noBreakSpace, " "); got != date.want {
				t.Errorf("%s: %s = %q, want %q", test.tag, date.name, got, date.want)
			}
		}
	}
}

// No line ends within an amount, between a day and its month, or between a time and its half of the day, in any language.
func TestNoLineBreaksWithinADateOrAnAmount(t *testing.T) {
	t.Parallel()
	c := everyLanguage(t, nil)
	for tag, l := range c.byTag {
		for month := time.January; month <= time.December; month++ {
			at := time.Date(2026, month, 18, 15, 0, 0, 0, time.UTC)
			short, name, alone := l.data.MonthsShort[month-1], l.data.Months[month-1], l.Clock(at)
			if strings.ContainsAny(l.DayMonth(at)+alone, " \u2009") {
				t.Errorf("%s: %q, %q", tag, l.DayMonth(at), alone)
			}
			for _, said := range []struct{ date, month string }{{l.Day(at), name}, {l.DayYear(at), name}, {l.ShortDay(at), short}, {l.DayClock(at), name}} {
				day, word := strings.Index(said.date, "18"), strings.Index(said.date, said.month)
				if tag == "ja" {
					word = strings.Index(said.date, "月")
				}
				if day < 0 || word < 0 {
					t.Fatalf("%s: %q does not name the 18th and %q", tag, said.date, said.month)
				}
				if between := said.date[min(day, word):max(day, word)]; strings.Contains(between, " ") {
					t.Errorf("%s: a line may break within %q", tag, said.date)
				}
			}
		}
		for _, currency := range []string{"eur", "usd", "gbp", "jpy", "pln", "brl", "chf", "kwd", "huf", "xof", "xyz"} {
			for _, minor := range []int64{0, 2900, -2900, 123456789} {
				if got := string(l.Money(minor, currency)); strings.ContainsAny(got, " \u2009") {
					t.Errorf("%s: a line may break within %q", tag, got)
				}
			}
		}
	}
}

func TestClockAtTheEdgesOfTheDay(t *testing.T) {
	t.Parallel()
	c := everyLanguage(t, nil)
	for _, test := range []struct{ at, british, american string }{
		{"00:05", "00:05", "12:05 AM"}, {"09:00", "09:00", "9:00 AM"}, {"12:00", "12:00", "12:00 PM"}, {"23:59", "23:59", "11:59 PM"},
	} {
		at, err := time.Parse("15:04", test.at)
		if err != nil {
			t.Fatal(err)
		}
		if c.byTag["en"].Clock(at) != test.british || strings.ReplaceAll(c.byTag["en-US"].Clock(at), noBreakSpace, " ") != test.american {
			t.Errorf("%s is %q and %q", test.at, c.byTag["en"].Clock(at), c.byTag["en-US"].Clock(at))
		}
	}
}

func TestNumbersAndLists(t *testing.T) {
	t.Parallel()
	c := everyLanguage(t, nil)
	for _, test := range []struct{ got, want string }{
		{c.byTag["en"].Number(-1234567), "-1,234,567"},
		{c.byTag["de"].Number(1234), "1.234"},
		{c.byTag["es"].Number(1234), "1234"},
		{c.byTag["ar"].Number(-5), "\u200e-5"},
		{c.byTag["en"].List(nil), ""},
		{c.byTag["en"].List([]string{"a"}), "a"},
		{c.byTag["en"].List([]string{"a", "b"}), "a and b"},
		{c.byTag["en"].List([]string{"a", "b", "c"}), "a, b and c"},
		{c.byTag["en-US"].List([]string{"a", "b", "c"}), "a, b, and c"},
		{c.byTag["it"].List([]string{"a", "{0}", "{1}", "d"}), "a, {0}, {1} e d"},
		{c.byTag["ja"].List([]string{"a", "b", "c"}), "a、b、c"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestDirectionAndNames(t *testing.T) {
	t.Parallel()
	c := everyLanguage(t, nil)
	var names []string
	for _, l := range c.Locales() {
		names = append(names, l.Name())
		if (l.Dir() == "rtl") != (l.Tag() == "ar") {
			t.Errorf("%s is written %s", l.Tag(), l.Dir())
		}
	}
	want := []string{"Deutsch", "English", "Español", "Français", "Italiano", "Nederlands", "Polski", "Português", "العربية", "日本語"}
	if !reflect.DeepEqual(names, want) {
		t.Errorf("names are %q, want %q", names, want)
	}
}

// The first of a month is an ordinal where a language has it so; the other days are not.
func TestFirstOfAMonth(t *testing.T) {
	t.Parallel()
	c := everyLanguage(t, nil)
	first, next := time.Date(2026, time.December, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, time.December, 2, 12, 0, 0, 0, time.UTC)
	for tag, want := range map[string][2]string{
		"fr": {"mardi 1er décembre", "mercredi 2 décembre"}, "pt-BR": {"terça-feira, 1º de dezembro", "quarta-feira, 2 de dezembro"},
		"it": {"martedì 1 dicembre", "mercoledì 2 dicembre"}, "ja": {"12月1日（火）", "12月2日（水）"},
	} {
		breaks := strings.NewReplacer(noBreakSpace, " ")
		got := [2]string{breaks.Replace(c.byTag[tag].Day(first)), breaks.Replace(c.byTag[tag].Day(next))}
		if got != want {
			t.Errorf("%s: %q, want %q", tag, got, want)
		}
	}
}
