package l10n

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// The rules a proofreader of each language keeps are kept here: its signs, its spaces, one form of address, buttons a
// phone has room for. They judge the words between the placeholders; a placeholder is stood in for by a letter.

// everyText walks the shipped texts: the language, the key with its plural form, and the text.
func everyText(t *testing.T, judge func(l *Locale, key, text string)) {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range c.Locales() {
		for _, key := range slices.Sorted(maps.Keys(l.own.messages())) {
			for form := range categories {
				segments := l.own.messages()[key].in(form)
				if segments == nil {
					continue
				}
				place := key
				if form != other {
					place += "." + categoryName(form)
				}
				judge(l, place, withStandIns(segments))
			}
		}
	}
}

// standIn takes the place of an argument: a letter of no language, so that no rule of signs meets it.
const standIn = "§"

func withStandIns(segments []segment) string {
	var b strings.Builder
	for _, s := range segments {
		if s.argument != "" {
			b.WriteString(standIn)
			continue
		}
		b.WriteString(s.text)
	}
	return b.String()
}

// asciiSubject is the one text with a typewriter's apostrophe: the header of a mail in plain ASCII needs no encoding.
const asciiSubject = "mail.first.subject"

// quotes are the marks each language quotes with, and its apostrophe.
var quotes = map[string]string{
	"en": "“”‘’", "de": "„“‚‘’", "fr": "«»’", "es": "«»“”", "pt-BR": "“”", "it": "«»“”’", "nl": "“”‘’", "pl": "„”’", "ja": "「」『』", "ar": "«»",
}

const anyQuote = "“”„‚‘’«»‹›「」『』"

var (
	typewriter  = regexp.MustCompile(`\.\.\.|['"´]|  |\t|--`)
	stuckOut    = regexp.MustCompile(`[  \x{202f}][.,:;?!…](\s|$)`)
	unset       = regexp.MustCompile(`[^\x{202f}][;?!]|[^\x{202f}]:(\s|$)|^[;:?!]`)
	latinInKana = regexp.MustCompile(`[\p{Han}\p{Hiragana}\p{Katakana}][.,:;?!()]|[(][\p{Han}\p{Hiragana}\p{Katakana}]`)
	latinArabic = regexp.MustCompile(`\p{Arabic}\s*[,;?]`)
	spacedSpace = regexp.MustCompile(`[。、？！「（] | [。、？！）」]`)
	orphan      = regexp.MustCompile(`(^|[^\pL])[aiouwzAIOUWZ] `)
	loud        = regexp.MustCompile(`[!！]`)
)

// typos answers what a proofreader would strike in a text, "" for nothing.
func typos(language, text string) string {
	if found := typewriter.FindString(text); found != "" {
		return fmt.Sprintf("%q is how a typewriter writes", found)
	}
	for _, r := range text {
		if strings.ContainsRune(anyQuote, r) && !strings.ContainsRune(quotes[language], r) {
			return fmt.Sprintf("%q is another language's mark", r)
		}
	}
	if loud.MatchString(text) {
		return "nobody raises their voice"
	}
	switch language {
	case "fr":
		if found := unset.FindString(text); found != "" {
			return fmt.Sprintf("before %q stands a narrow no-break space", found)
		}
	case "ja":
		if found := latinInKana.FindString(text) + spacedSpace.FindString(text); found != "" {
			return fmt.Sprintf("%q holds another script's sign or a space", found)
		}
	case "pl":
		if found := orphan.FindString(text); found != "" {
			return fmt.Sprintf("a line may end in %q: a no-break space holds it", found)
		}
	case "ar":
		if found := latinArabic.FindString(text); found != "" {
			return fmt.Sprintf("%q ends in a Latin sign", found)
		}
	}
	if language != "fr" {
		if found := stuckOut.FindString(text); found != "" {
			return fmt.Sprintf("a space stands before %q", found)
		}
	}
	if language == "es" && (strings.Count(text, "¿") != strings.Count(text, "?") || strings.Count(text, "¡") != strings.Count(text, "!")) {
		return "a question or a call is not opened"
	}
	return ""
}

// hidden are read after a visible word, by ears alone, and begin with what parts them from it.
var hidden = regexp.MustCompile(`_(what|of)$|^common\.change_language$`)

func TestTypography(t *testing.T) {
	t.Parallel()
	everyText(t, func(l *Locale, key, text string) {
		if l.Tag() == source && key == asciiSubject {
			return
		}
		if why := typos(l.Tag(), text); why != "" {
			t.Errorf("%s: %s: %s: %s", l.Tag(), key, why, text)
		}
		if !hidden.MatchString(key) && strings.TrimSpace(text) != text {
			t.Errorf("%s: %s begins or ends with a space: %q", l.Tag(), key, text)
		}
	})
}

// The rules are held to what they must strike, or they would guard nothing.
func TestTyposAreFound(t *testing.T) {
	t.Parallel()
	for _, wrong := range []struct{ language, text string }{
		{"en", "Saving..."}, {"en", "It didn't"}, {"en", "a  b"}, {"en", "«Yes»"}, {"en", "Paid !"}, {"en", "Hurry!"}, {"nl", "Is dat zo ?"},
		{"de", "“So”"}, {"fr", "Une question ?"}, {"fr", "Carte: § ; §"}, {"fr", "l'abonnement"}, {"es", "Seguro?"}, {"es", "¿Seguro"},
		{"ja", "ですか?"}, {"ja", "はい. いいえ"}, {"ja", "はい。 いいえ"}, {"ja", "“はい”"}, {"ar", "نعم, لا"}, {"ar", "نعم؛ لماذا?"}, {"pl", "«Tak»"}, {"pl", "Visa z końcówką"},
	} {
		if typos(wrong.language, wrong.text) == "" {
			t.Errorf("%s: nothing is found wrong with %q", wrong.language, wrong.text)
		}
	}
	for _, right := range []struct{ language, text string }{
		{"fr", "Une question\u202f? §\u202f: à 10:00"}, {"es", "¿Seguro?"}, {"ja", "カード：Visa（末尾§）。はい、10:00"}, {"ar", "هل هذا صحيح؟ نعم، Stripe"}, {"de", "„So“ geht’s: §"},
	} {
		if why := typos(right.language, right.text); why != "" {
			t.Errorf("%s: %q: %s", right.language, right.text, why)
		}
	}
}

// others are the forms of address each language does not use here: it keeps to one. Polish speaks to nobody as a man or a
// woman, Arabic gives no orders to a man alone, Japanese ends its sentences politely.
var others = map[string]string{
	"de":    `du|dich|dir|dein(e[mnrs]?)?|euch|eure[mnrs]?`,
	"fr":    `tu|toi|te|ton|ta|tes|t’\p{L}+`,
	"es":    `tú|tu|tus|ti|te|contigo|vosotr[oa]s|vuestr[oa]s?|os`,
	"pt-BR": `tu|teus?|tuas?|ti|contigo|vós|vossos?|vossas?|senhora?`,
	"it":    `tu|tuo|tua|tuoi|tue|ti|te`,
	"nl":    `je|jij|jou|jouw|jullie`,
	"pl":    `Pan|Pani|Pana|Panu|Panią|Państw\p{L}*|\p{L}+(łeś|łaś|łbyś|łabyś)`,
	"ja":    `\p{L}*(だ|である|[^まで]した|った|する|れる|せる|ない|あなた)`,
	"ar":    `[وف]?(اضغط|أدخل|افتح|اكتب|أضف|أزل|أنشئ|اختر|ادفع|حاول|انتظر|راجع|غيّر|أخبرنا|تعطِ|دعنا|أرسلها|أرسله)`,
}

// addresses finds them: words of their own, in Japanese the end of a sentence.
func addresses(language string) *regexp.Regexp {
	if language == "ja" {
		return regexp.MustCompile(`(` + others[language] + `)。`)
	}
	return regexp.MustCompile(`(?:^|[^\pL\pM])((?i:` + others[language] + `))(?:$|[^\pL\pM’])`)
}

func TestOneFormOfAddress(t *testing.T) {
	t.Parallel()
	wrong := map[string]*regexp.Regexp{}
	for language := range others {
		wrong[language] = addresses(language)
	}
	everyText(t, func(l *Locale, key, text string) {
		match := wrong[l.Tag()]
		if match == nil { // English has one
			return
		}
		if found := match.FindString(text); found != "" {
			t.Errorf("%s: %s speaks to its reader in another form, %q: %s", l.Tag(), key, strings.TrimSpace(found), text)
		}
	})
	for language, said := range map[string]string{
		"de": "Prüfe deine Karte.", "fr": "Vérifie ta carte.", "es": "Revisa tu tarjeta.", "pt-BR": "Veja o teu cartão.", "it": "Controlla la tua carta.",
		"nl": "Controleer je kaart.", "pl": "Czy Pani zapłaciła?", "ja": "カードを保存する。", "ar": "يُرجى الانتظار، ثم افتح الرابط.",
	} {
		if !wrong[language].MatchString(said) {
			t.Errorf("%s: %q is not found", language, said)
		}
	}
}

// button matches the keys of what is pressed.
var button = regexp.MustCompile(`^(act|mail\.button)\.|^banner\.(pay|see|approve|card|not_today|close)$|_press$|\.press$|^promise\.confirm_|` +
	`\.(deed|keep|show|another|change|take_back|end_deed|end_keep|look_again)$|^code\.(send|again)$`)

// A button has two lines of a phone 360 pixels wide, about thirty letters each, and no word wider than a line. What fills
// it is as long as it gets: a sum of five digits, a long weekday, a card.
func TestButtonsFitOnAPhone(t *testing.T) {
	t.Parallel()
	const line, most = 30, 60
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	buttons := map[string]bool{}
	for _, l := range c.Locales() {
		filled := Args{"Amount": l.Money(1234500, "eur"), "Day": l.Day(longestDay), "Card": "Mastercard •••• 4444", "Merchant": "Lumen Studio"}
		for _, key := range slices.Sorted(maps.Keys(l.own.messages())) {
			if !button.MatchString(key) {
				continue
			}
			buttons[key] = true
			said := l.Text(key, filled)
			if n := breadth(said); n > most {
				t.Errorf("%s: %s is %d letters wide, more than %d: %s", l.Tag(), key, n, most, said)
			}
			for word := range strings.FieldsFuncSeq(said, unicode.IsSpace) {
				if l.Tag() != "ja" && breadth(word) > line {
					t.Errorf("%s: %s holds a word wider than a line: %s", l.Tag(), key, word)
				}
			}
		}
	}
	if len(buttons) < 40 || !buttons["act.pay"] || !buttons["cancel.deed"] {
		t.Errorf("only %d buttons were looked at", len(buttons))
	}
}

// longestDay is a Wednesday in September.
var longestDay = time.Date(2026, time.September, 30, 12, 0, 0, 0, time.UTC)

// breadth counts letters, and a sign of Japanese as two.
func breadth(text string) int {
	n := utf8.RuneCountInString(text)
	for _, r := range text {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) {
			n++
		}
	}
	return n
}
