package l10n

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Day answers a day with its weekday: "Thursday 6 November". Here and below t must already be in the zone whose
// day is meant, and the space between day and month is one at which no line breaks.
func (l *Locale) Day(t time.Time) string { return l.format(l.dates.day, t) }

// DayYear answers a day with its year: "6 November 2025".
func (l *Locale) DayYear(t time.Time) string { return l.format(l.dates.dayYear, t) }

// YearLeads reports whether the year stands before the day: "2025年11月6日".
func (l *Locale) YearLeads() bool { return strings.HasPrefix(l.data.DayYear, "y") }

// DayMonth answers a day of the year: "6 November".
func (l *Locale) DayMonth(t time.Time) string { return l.format(l.dates.dayMonth, t) }

// ShortDay answers a day as a table has room for: "Thu 6 Nov".
func (l *Locale) ShortDay(t time.Time) string { return l.format(l.dates.shortDay, t) }

// Month answers the month's name as it stands alone: "November".
func (l *Locale) Month(t time.Time) string { return l.data.MonthsAlone[t.Month()-1] }

// Weekday answers a weekday's name: "Thursday".
func (l *Locale) Weekday(d time.Weekday) string { return l.data.Days[d] }

// Clock answers the time of day by the locale's habit: "10:00", in the United States "10:00 AM".
func (l *Locale) Clock(t time.Time) string { return l.format(l.dates.clock, t) }

// DayClock answers a day and a time: "Thursday 6 November, 10:00".
func (l *Locale) DayClock(t time.Time) string {
	return strings.NewReplacer("{1}", l.Day(t), "{0}", l.Clock(t)).Replace(l.data.DayClock)
}

// datePatterns are a locale's date patterns, cut into fields once.
type datePatterns struct {
	day, dayYear, dayMonth, shortDay, clock []dateField
}

// dateField is one field of a CLDR date pattern ("MMMM"), or the text between fields when field is empty.
type dateField struct {
	field string
	text  string
}

// dayPatterns stand in for CLDR's pattern of weekday, day and month. Polish declines weekdays, and CLDR's "czwartek,
// 6 listopada" fits neither after "do" nor after "od"; the weekday in brackets stays in the nominative wherever it is.
// Japanese business mail writes the weekday as one sign in brackets.
var dayPatterns = map[string]string{"pl": "d MMMM (EEEE)", "ja": "M月d日（EEE）"}

func parseDatePatterns(tag string, data localeData) (datePatterns, error) {
	var p datePatterns
	for _, target := range []struct {
		fields  *[]dateField
		pattern string
	}{
		{&p.day, cmp.Or(dayPatterns[tag], data.Day)}, {&p.dayYear, data.DayYear}, {&p.dayMonth, data.DayMonth},
		{&p.shortDay, data.ShortDay}, {&p.clock, data.Clock},
	} {
		fields, err := parseDatePattern(target.pattern)
		if err != nil {
			return datePatterns{}, err
		}
		*target.fields = bound(fields)
	}
	return p, nil
}

// bound lets no line end between the number of a day and its month, nor between a time and its half of the day: "18" at the
// end of a line and "November" at the head of the next one are read twice.
func bound(fields []dateField) []dateField {
	for i, from := range fields {
		for k := i + 1; k < len(fields) && from.field != ""; k++ {
			if fields[k].field == "" {
				continue
			}
			if inseparable(from.field, fields[k].field) {
				for n := i + 1; n < k; n++ {
					fields[n].text = strings.ReplaceAll(fields[n].text, " ", noBreakSpace)
				}
			}
			break
		}
	}
	return fields
}

// inseparable reports whether two neighbours in a date pattern stay on one line.
func inseparable(a, b string) bool {
	isDay := func(field string) bool { return field[0] == 'd' }
	isMonth := func(field string) bool { return field[0] == 'M' || field[0] == 'L' }
	return isDay(a) && isMonth(b) || isMonth(a) && isDay(b) || b == "a"
}

// parseDatePattern cuts a pattern of Unicode's date format syntax (UTS 35, part 4): runs of one letter are fields,
// the rest is text, quoted where it holds letters. It refuses fields that writeField does not know.
func parseDatePattern(pattern string) ([]dateField, error) {
	var fields []dateField
	for rest := pattern; rest != ""; {
		if rest[0] == '\'' {
			quoted, after, closed := strings.Cut(rest[1:], "'")
			if !closed {
				return nil, fmt.Errorf("date pattern %q: a quote is not closed", pattern)
			}
			if quoted == "" {
				quoted = "'"
			}
			fields = append(fields, dateField{text: quoted})
			rest = after
			continue
		}
		if !isLetter(rest[0]) {
			end := strings.IndexFunc(rest, func(r rune) bool { return r == '\'' || r < 0x80 && isLetter(byte(r)) })
			if end < 0 {
				end = len(rest)
			}
			fields = append(fields, dateField{text: rest[:end]})
			rest = rest[end:]
			continue
		}
		end := 1
		for end < len(rest) && rest[end] == rest[0] {
			end++
		}
		field := rest[:end]
		switch field {
		case "y", "M", "MM", "MMM", "MMMM", "LLLL", "d", "dd", "E", "EEE", "EEEE", "cccc", "H", "HH", "h", "hh", "mm", "a":
		default:
			return nil, fmt.Errorf("date pattern %q: the field %s is not supported", pattern, field)
		}
		fields = append(fields, dateField{field: field})
		rest = rest[end:]
	}
	return fields, nil
}

func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }

func (l *Locale) format(fields []dateField, t time.Time) string {
	var b strings.Builder
	for _, f := range fields {
		if f.field == "" {
			b.WriteString(f.text)
			continue
		}
		l.writeField(&b, f.field, t)
	}
	return b.String()
}

func (l *Locale) writeField(b *strings.Builder, field string, t time.Time) {
	switch field {
	case "y":
		b.WriteString(strconv.Itoa(t.Year()))
	case "M", "MM":
		writeNumber(b, int(t.Month()), len(field))
	case "MMM":
		b.WriteString(l.data.MonthsShort[t.Month()-1])
	case "MMMM":
		b.WriteString(l.data.Months[t.Month()-1])
	case "LLLL":
		b.WriteString(l.data.MonthsAlone[t.Month()-1])
	case "d", "dd":
		writeNumber(b, t.Day(), len(field))
		if t.Day() == 1 && field == "d" {
			b.WriteString(firstOfMonth[l.Language()])
		}
	case "E", "EEE":
		b.WriteString(l.data.DaysShort[t.Weekday()])
	case "EEEE", "cccc":
		b.WriteString(l.data.Days[t.Weekday()])
	case "H", "HH":
		writeNumber(b, t.Hour(), len(field))
	case "h", "hh":
		writeNumber(b, (t.Hour()+11)%12+1, len(field))
	case "mm":
		writeNumber(b, t.Minute(), len(field))
	case "a":
		if t.Hour() < 12 {
			b.WriteString(l.data.AM)
			return
		}
		b.WriteString(l.data.PM)
	}
}

// firstOfMonth is what languages add to the number of a month's first day where its month is named. CLDR has no place for
// it; the patterns with a plain "d" all name the month.
var firstOfMonth = map[string]string{"fr": "er", "pt-BR": "º"}

func writeNumber(b *strings.Builder, n, width int) {
	digits := strconv.Itoa(n)
	for i := len(digits); i < width; i++ {
		b.WriteByte('0')
	}
	b.WriteString(digits)
}
