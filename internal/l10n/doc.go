// Package l10n says things in the reader's language: messages with their plurals, money, dates and lists. It is
// the one source of all of them, so a page never shows an amount written one way and a mail the same amount
// written another way. It knows nothing of the product and imports nothing of it.
//
// # Messages
//
// A language is one file, locales/<tag>.toml, in go-i18n's format, the one translation tools know: tables nest
// into dotted keys, a message with plurals is a table of CLDR categories, and {{.Amount}} is a placeholder.
//
//	[pay]
//	title = "Pay {{.Amount}} to {{.Merchant}}"
//	[pay.invoices]
//	one   = "**{{.Count}} invoice** is open"
//	other = "**{{.Count}} invoices** are open"
//
// **…** marks words of weight; a page may set them in <strong>, plain text drops the marks. Nothing else is
// markup: the text is never HTML. The words id, description, hash, leftdelim, rightdelim, zero, one, two, few,
// many and other belong to the format and cannot be the names of keys. Every language falls back to English,
// key by key.
//
// go-i18n only reads the files. Its Localizer parses and runs a text/template per call and answers one string,
// while a page needs the message cut into pieces (which part is an amount to isolate, which part is strong) and a
// reminder run asks for a million of them; so messages are cut into segments once, when their language is first spoken.
//
// # Locale data
//
// Patterns, symbols, names and plural rules come from one release of Unicode's CLDR, reduced by internal/l10n/gen
// to the committed table in cldr_table.go. The table holds more languages than have message files today: adding a
// language whose data is there takes one file of messages.
//
// Digits are Latin in every language, which is also CLDR's own default for Arabic ("ar"): one policy for the whole
// page, so that sums, dates, card digits and invoice numbers on it can be compared at a glance.
package l10n

//go:generate go run ./gen -cldr ${CLDR} -out cldr_table.go
