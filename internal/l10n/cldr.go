package l10n

import "strings"

// localeData is what CLDR says of one locale, as internal/l10n/gen writes it into cldr_table.go.
type localeData struct {
	Parent      string // the language whose messages a regional variant speaks; "" for a language
	Name        string // the language's own name, with a capital letter
	EnglishName string
	RightToLeft bool

	Decimal, Group, Minus string
	MinGrouping           int               // digits a leading group needs before numbers are grouped at all
	Money, MoneyNegative  string            // ¤ stands for the symbol, # for the number
	Symbols               map[string]string // by ISO code, where the symbol is not the code

	Months, MonthsShort, MonthsAlone [12]string // January first; Months and MonthsShort as they stand in a date
	Days, DaysShort                  [7]string  // Sunday first, as time.Weekday counts
	AM, PM                           string
	Day, DayYear, DayMonth, ShortDay string // CLDR date patterns
	Clock                            string // CLDR time pattern
	DayClock                         string // {1} stands for the day, {0} for the clock

	ListTwo, ListStart, ListMiddle, ListEnd string

	Plural func(n int64) category
}

// knowsCurrency reports whether CLDR names the currency, in which case a code without a symbol takes the symbol's
// place in the pattern.
func (localeData) knowsCurrency(code string) bool {
	return len(code) == 3 && strings.Contains(currencyCodes, " "+code+" ")
}

// decimals answers how many decimals people write in sums of a currency.
func (localeData) decimals(code string) int {
	switch {
	case strings.Contains(currenciesWithoutDecimals, " "+code+" "):
		return 0
	case strings.Contains(currenciesWithThreeDecimals, " "+code+" "):
		return 3
	}
	return 2
}
