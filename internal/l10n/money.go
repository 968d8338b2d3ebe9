package l10n

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Money answers an amount as the language writes it: "€29.00", "29,00 €", "¥14,400". minor counts the currency's
// smallest units as Stripe does, and currency is an ISO 4217 code in either case. The symbol is CLDR's for this
// locale, so a sign other countries share is told apart ("US$" outside the United States). A currency CLDR does
// not know follows its number: "29.00 XYZ".
func (l *Locale) Money(minor int64, currency string) Isolated {
	code := strings.ToUpper(currency)
	number := l.amount(magnitude(minor), code)
	symbol, known := l.data.Symbols[code]
	if !known {
		if !l.data.knowsCurrency(code) {
			if minor < 0 {
				number = l.data.Minus + number
			}
			return Isolated(number + noBreakSpace + code)
		}
		symbol = code
	}
	if l.data.RightToLeft {
		symbol = together(symbol)
	}
	pattern := l.data.Money
	if minor < 0 {
		pattern = l.data.MoneyNegative
	}
	return Isolated(fillMoney(pattern, symbol, number))
}

const (
	noBreakSpace = "\u00a0"

	// In the patterns of the table the symbol and the number stand as these signs, CLDR's own for the first.
	symbolSign = "¤"
	numberSign = "#"
)

// amount writes the magnitude of a sum with its decimals.
func (l *Locale) amount(minor uint64, code string) string {
	scale := stripeDecimals(code)
	digits := strconv.FormatUint(minor, 10)
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale+1-len(digits)) + digits
	}
	whole, fraction := digits[:len(digits)-scale], digits[len(digits)-scale:]
	// Where people write fewer decimals than Stripe counts (500 is 5 krónur), zeros beyond them are left out; any
	// other digit is money and is shown.
	shown := min(l.data.decimals(code), scale)
	if strings.Trim(fraction[shown:], "0") == "" {
		fraction = fraction[:shown]
	}
	whole = l.group(whole, l.data.Group)
	if fraction == "" {
		return whole
	}
	return whole + l.data.Decimal + fraction
}

// fillMoney puts symbol and number into a pattern, with CLDR's currencySpacing: a no-break space parts a symbol
// that ends in a letter from the digits it would touch ("KWD 29.000", but "US$29.00").
func fillMoney(pattern, symbol, number string) string {
	if strings.Contains(pattern, symbolSign+numberSign) {
		r, _ := utf8.DecodeLastRuneInString(symbol)
		if touches(r) {
			symbol += noBreakSpace
		}
	}
	if strings.Contains(pattern, numberSign+symbolSign) {
		r, _ := utf8.DecodeRuneInString(symbol)
		if touches(r) {
			symbol = noBreakSpace + symbol
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(pattern, numberSign, number), symbolSign, symbol)
}

// leftToRight is a mark without width that counts as a letter written from the left.
const leftToRight = "\u200e"

// together keeps a symbol of Latin letters and a sign ("US$") from being torn apart in right-to-left text, where the sign
// would move to the letters' other side ("$US").
func together(symbol string) string {
	isLatin := func(r rune) bool { return unicode.Is(unicode.Latin, r) }
	if !strings.ContainsFunc(symbol, isLatin) {
		return symbol
	}
	first, _ := utf8.DecodeRuneInString(symbol)
	if !isLatin(first) {
		symbol = leftToRight + symbol
	}
	last, _ := utf8.DecodeLastRuneInString(symbol)
	if !isLatin(last) {
		symbol += leftToRight
	}
	return symbol
}

// touches is CLDR's currencyMatch, [[:^S:]&[:^Z:]]: neither a symbol nor a space.
func touches(r rune) bool {
	return !unicode.In(r, unicode.S, unicode.Z)
}

// stripeDecimals answers how many decimals Stripe's integer amounts of a currency carry. It is ISO 4217's number
// with the exceptions of https://docs.stripe.com/currencies: krónur and Ugandan shillings have no decimals any more
// and are still counted in hundredths, as forints and Taiwan dollars are.
func stripeDecimals(code string) int {
	switch code {
	case "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	}
	return 2
}
