package campaign

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	yaml "github.com/goccy/go-yaml/ast"
)

// Bounds of a text. The subject's is that of a line no mail program folds.
const (
	mostSubject = 78
	mostBody    = 4000
)

// usually is about how long a variable is in a subject.
var usually = map[string]int{"amount": 10, "card": 17, "invoice": 14, "plan": 14, "merchant": 20}

var languageForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)

// lint are the phrases a dunning letter must not hold, by language, with commas between them. A star stands for any
// ending of a word.
type lint struct {
	shame  string // before the last step (security M16)
	threat string // at no step: no campaign can do it
	cut    string // where the campaign takes nothing away
	advert string // at no step: an advert makes it no service mail any more (security M15)
}

var lints = map[string]lint{
	"en": {
		shame: `final warning, final notice, final demand, final reminder, last warning, last notice, last reminder, last chance,
			delinquent*, bad debt*, deadbeat*, shame*, irresponsib*`,
		threat: `debt collect*, collection agenc*, collections agenc*, legal action, legal step*, legal proceeding*, court, lawyer*, attorney*,
			credit score, credit rating, credit bureau*, credit report*, bailiff*, sue you`,
		cut:    `suspend*, deactivat*, terminat*, cut off, shut down, shut off, lose access, losing access, block*`,
		advert: `discount*, % off, special offer*, limited offer*, upgrade now, upgrade to, upgrade today, coupon*, promo, promotion*, black friday, free trial, refer a friend, newsletter*`,
	},
	"it": {
		shame:  `ultimo avviso, ultimo sollecito, ultimo avvertimento, ultima possibilità, ultima occasione, moros*, insolvent*, vergogn*, debitor*`,
		threat: `recupero credit*, avvocat*, tribunale, azione legale, azioni legali, vie legali, ufficiale giudiziario, centrale rischi, cattivi pagatori, messa in mora`,
		cut:    `sospen*, sospes*, disattiv*, blocc*, interromp*, perder* l accesso`,
		advert: `scont*, % in meno, offerta speciale, offerte speciali, promozion*, coupon, black friday, prova gratuita, porta un amico, newsletter, passa subito`,
	},
	"de": {
		shame:  `letzte mahnung, letzte warnung, letzte chance, letzter hinweis, säumig*, schuldner*, scham*`,
		threat: `inkasso*, gericht*, anwalt*, anwält*, rechtsanw*, rechtliche schritte, schufa, mahnbescheid*`,
		cut:    `sperr*, gesperrt, deaktivier*, abschalt*, kündig*, gekündigt`,
		advert: `rabatt*, % günstiger, sonderangebot*, gutschein*, black friday, newsletter*, jetzt upgraden`,
	},
	"fr": {
		shame:  `dernier avertissement, dernier avis, dernier rappel, dernière chance, mauvais payeur*, honte*`,
		threat: `recouvrement, tribunal, avocat*, action en justice, actions en justice, poursuites, huissier*, mise en demeure`,
		cut:    `suspend*, désactiv*, bloqu*, résili*`,
		advert: `remise*, promotion*, offre spéciale, code promo, black friday, essai gratuit, parrain*, newsletter*`,
	},
	"es": {
		shame:  `último aviso, última advertencia, última oportunidad, moros*, vergüenza`,
		threat: `cobranza*, abogad*, tribunal*, juzgado*, acciones legales, vía judicial, burofax, asnef`,
		cut:    `suspend*, desactiv*, bloque*, cancelaremos`,
		advert: `descuento*, oferta especial, promoci*, cupón*, cupones, black friday, prueba gratuita, newsletter*`,
	},
}

// wordsOf answers the words of a line in small letters, a per cent sign as one of its own.
func wordsOf(line string) []string {
	line = strings.ReplaceAll(strings.ToLower(line), "%", " % ")
	return strings.FieldsFunc(line, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '%' })
}

// finds answers the first of a list's phrases that stands among the words, as it stands there; "" when none does.
func finds(list string, words []string) string {
	for phrase := range strings.SplitSeq(list, ",") {
		wanted := strings.Fields(phrase)
		for i := range words {
			if len(wanted) > 0 && i+len(wanted) <= len(words) && spells(wanted, words[i:]) {
				return strings.Join(words[i:i+len(wanted)], " ")
			}
		}
	}
	return ""
}

func spells(wanted, words []string) bool {
	for i, w := range wanted {
		stem, open := strings.CutSuffix(w, "*")
		if words[i] != stem && !(open && strings.HasPrefix(words[i], stem)) {
			return false
		}
	}
	return true
}

// texts checks the texts of the step at index i.
func (d *document) texts(at string, i int, texts map[string]Text) {
	for _, language := range slices.Sorted(maps.Keys(texts)) {
		path := at + "." + language
		if !languageForm.MatchString(language) {
			d.flaw(at, "%q is no language; write it as it or pt-BR", language)
			continue
		}
		if strings.Contains(language, "-") {
			path = at + ".'" + language + "'" // a dash is looked up between quotes
		}
		d.text(path, i, language, texts[language])
	}
}

func (d *document) text(path string, i int, language string, t Text) {
	told, flaws := t.read()
	for _, f := range flaws {
		if f.subject {
			d.flaw(path+".subject", "%s", f.says)
			continue
		}
		d.bodyFlaw(path+".body", f.line, f.says)
	}
	long := 0
	for _, p := range told.Subject {
		long += utf8.RuneCountInString(p.Text)
		if p.Variable != "" {
			long += max(usually[p.Variable], 8)
		}
	}
	switch {
	case blank(t.Subject):
		d.flaw(path+".subject", "a text has a subject")
	case lineFlaw(t.Subject) != "":
		d.flaw(path+".subject", "a subject is one line of words; %s", lineFlaw(t.Subject))
	case long > mostSubject:
		d.flaw(path+".subject", "the subject has about %d letters with its variables filled in; a mailbox shows %d at most", long, mostSubject)
	case naming(told.Subject, varButton):
		d.flaw(path+".subject", "a subject has no button; {{button}} stands in the body")
	}
	switch {
	case len(told.Before)+len(told.After) == 0:
		d.flaw(path+".body", "a text has a body; leave text out for the shipped words")
	case len(t.Body) > mostBody:
		d.flaw(path+".body", "the body has %d bytes; a letter that is read has a few hundred, and %d are the most", len(t.Body), mostBody)
	}
	d.consequenceDate(path, i, told)
	d.lintLine(path+".subject", -1, i, language, t.Subject)
	for n, line := range strings.Split(t.Body, "\n") {
		d.lintLine(path+".body", n, i, language, line)
	}
}

// blank reports whether nothing of a line is seen.
func blank(line string) bool {
	return !strings.ContainsFunc(line, func(r rune) bool {
		return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && r != '\u2800'
	})
}

// lineFlaw answers what keeps a subject or a title from being one line that is read as it stands, "" when nothing does. What
// joins letters and emoji, and the marks that give a sign between words its direction, belong to the words; what turns all
// that follows does not, not even where it is closed: a line is shown beside others.
func lineFlaw(line string) string {
	const arabicMark, lastTag = '\u061C', '\U000E007F'
	for _, r := range line {
		switch {
		case unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp):
			return fmt.Sprintf("leave out the line break or control sign in it (%U)", r)
		case '\u200C' <= r && r <= '\u200F', r == arabicMark, '\U000E0020' <= r && r <= lastTag, unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		case unicode.Is(unicode.Cf, r):
			return fmt.Sprintf("leave out %U, which nobody sees; joiners (U+200C, U+200D) and marks of direction (U+200E, U+200F, U+061C) may stay", r)
		}
	}
	return ""
}

// unseen reports whether a sign steers how words are shown, or shows nothing, and no language writes it.
func unseen(r rune) bool {
	return unicode.IsControl(r) && r != '\t' || unicode.In(r, unicode.Zl, unicode.Zp) ||
		r == '\u200B' || r == '\u2060' || r == '\uFEFF' || '\u202A' <= r && r <= '\u202E' || '\u2066' <= r && r <= '\u2069'
}

// consequenceDate holds a text to what the campaign does: an announcement names its date, and nobody names a date that
// does not come.
func (d *document) consequenceDate(path string, i int, told Told) {
	ahead := d.takesFrom(i + 1)
	names := told.Names("consequence.date")
	switch {
	case d.Steps[i].Announces && ahead && !names:
		d.flaw(path+".body", "this step announces a consequence, so its text names the day: write {{consequence.date}}")
	case names && !ahead:
		d.flaw(path+".body", "{{consequence.date}} has no day here: no step after this one takes anything away")
	}
}

// lintLine looks for words a letter must not hold, in the subject (n below 0) or the n-th line of the body.
func (d *document) lintLine(path string, n, i int, language, line string) {
	flaw := func(format string, args ...any) {
		if n < 0 {
			d.flaw(path, format, args...)
			return
		}
		d.bodyFlaw(path, n, fmt.Sprintf(format, args...))
	}
	if n >= 0 && strings.ContainsFunc(line, unseen) {
		flaw("a sign that nobody sees stands in this line; write its words anew")
	}
	at := foreign.FindString(line)
	if at != "" {
		flaw("%q leads out of the letter; {{button}} is its only link, and an address is not a text's to give", at)
	}
	at = strings.TrimSpace(marked.FindString(line))
	if at != "" {
		flaw("%q is not read: a text has paragraphs, lists, **strong** and *emphasised* words", at)
	}
	base, _, _ := strings.Cut(language, "-")
	list, words := lints[base], wordsOf(line)
	word := finds(list.threat, words)
	if word != "" {
		flaw("%q threatens with what no campaign does; say what happens, and when", word)
	}
	word = finds(list.advert, words)
	if word != "" {
		flaw("%q makes an advert of a letter about a payment, which the law treats otherwise; leave it out", word)
	}
	word = finds(list.shame, words)
	if word != "" && i < len(d.Steps)-1 {
		flaw("%q shames or frightens, and this is not the last step; state the fact", word)
	}
	word = finds(list.cut, words)
	if word != "" && !d.takesFrom(i) {
		flaw("%q threatens with what this campaign does not do: no step from here on takes anything away", word)
	}
}

// bodyFlaw notes what is wrong at a line of a body, from 0. A body written with | stands below its key, line by line;
// of one written otherwise the line of its key is told.
func (d *document) bodyFlaw(path string, line int, says string) {
	at := d.line(path)
	block, is := d.find(path).(*yaml.LiteralNode)
	if is && block.Start != nil && strings.HasPrefix(block.Start.Value, "|") {
		at = block.Start.Position.Line + 1 + line
	}
	d.flaws = append(d.flaws, Flaw{at, says})
}
