package dunning

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
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

// lint are the words a dunning letter must not hold, by language. A star stands for any ending.
type lint struct {
	shame  string // before the last step (security M16)
	threat string // at no step: no campaign can do it
	cut    string // where the campaign takes nothing away
	advert string // at no step: an advert makes it no service mail any more (security M15)
}

var lints = map[string]lint{
	"en": {
		shame:  `(final|last) (warning|notice|demand|reminder|chance)|delinquent|bad debt|deadbeat|shame|irresponsib*`,
		threat: `debt collect*|collections? agenc*|legal (action|step*|proceeding*)|court|lawyer*|attorney*|credit (score|rating|bureau|report)*|bailiff*|sue you`,
		cut:    `suspend*|deactivat*|terminat*|cut off|shut (down|off)|los(e|ing) access|block*`,
		advert: `discount*|\d+ ?% off|special offer*|limited offer*|upgrade (now|to|today)|coupon*|promo(tion)?s?|black friday|free trial|refer a friend|newsletter*|bonus`,
	},
	"it": {
		shame:  `ultimo (avviso|sollecito|avvertimento)|ultima (possibilità|occasione)|moros*|insolvent*|vergogn*|debitor*`,
		threat: `recupero credit*|avvocat*|tribunale|azion* legal*|vie legali|ufficiale giudiziario|centrale rischi|cattivi pagatori|messa in mora`,
		cut:    `sospen*|sospes*|disattiv*|blocc*|interromp*|perder* l['’]accesso`,
		advert: `scont*|\d+ ?% in meno|offert* special*|promozion*|coupon|black friday|prova gratuita|porta un amico|newsletter|passa subito`,
	},
	"de": {
		shame:  `letzte (mahnung|warnung|chance)|letzter hinweis|säumig*|schuldner*|scham*`,
		threat: `inkasso*|gericht*|anwalt*|rechtsanw*|rechtliche schritte|gerichtsvollzieher*|schufa|mahnbescheid*`,
		cut:    `sperr*|gesperrt|deaktivier*|abschalt*|kündig*|gekündigt`,
		advert: `rabatt*|\d+ ?% günstiger|sonderangebot*|gutschein*|aktion*|black friday|newsletter|jetzt upgraden`,
	},
	"fr": {
		shame:  `dernier (avertissement|avis|rappel)|dernière chance|mauvais payeur*|honte`,
		threat: `recouvrement|tribunal|avocat*|action* en justice|poursuites|huissier*|mise en demeure`,
		cut:    `suspend*|désactiv*|bloqu*|résili*`,
		advert: `remise*|promotion*|offre spéciale|code promo|black friday|essai gratuit|parrain*|newsletter`,
	},
	"es": {
		shame:  `último aviso|última (advertencia|oportunidad)|moros*|vergüenza`,
		threat: `cobranza*|abogad*|tribunal*|juzgado|acciones legales|vía judicial|burofax|asnef`,
		cut:    `suspend*|desactiv*|bloque*|cancelaremos`,
		advert: `descuento*|oferta especial|promoción*|cupón*|black friday|prueba gratuita|newsletter`,
	},
}

// finds answers the first of a list's words in a text, "" when it holds none.
func finds(list, text string) string {
	if list == "" {
		return ""
	}
	ends := strings.ReplaceAll(list, "*", `\p{L}*`)
	for _, span := range regexp.MustCompile(`(?i)(?:^|[^\p{L}\p{N}])(` + ends + `)(?:[^\p{L}]|$)`).FindStringSubmatch(text) {
		return strings.TrimSpace(strings.Trim(span, ".,;:!?\"'()"))
	}
	return ""
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
			path = at // what stands behind a dash is not looked up
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
	subject := strings.TrimSpace(t.Subject)
	long := 0
	for _, p := range told.Subject {
		long += utf8.RuneCountInString(p.Text)
		if p.Variable != "" {
			long += max(usually[p.Variable], 8)
		}
	}
	switch {
	case subject == "":
		d.flaw(path+".subject", "a text has a subject")
	case !plainWords(t.Subject):
		d.flaw(path+".subject", "a subject is one line of words")
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

// consequenceDate holds a text to what the campaign does: an announcement names its date, and nobody names a date that
// does not come.
func (d *document) consequenceDate(path string, i int, told Told) {
	_, ahead := d.Consequence(i + 1)
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
	at := foreign.FindString(line)
	if at != "" {
		flaw("%q leads out of the letter; {{button}} is its only link, and an address is not a text's to give", at)
	}
	at = strings.TrimSpace(marked.FindString(line))
	if at != "" {
		flaw("%q is not read: a text has paragraphs, lists, **strong** and *emphasised* words", at)
	}
	base, _, _ := strings.Cut(language, "-")
	list := lints[base]
	word := finds(list.threat, line)
	if word != "" {
		flaw("%q threatens with what no campaign does; say what happens, and when", word)
	}
	word = finds(list.advert, line)
	if word != "" {
		flaw("%q makes an advert of a letter about a payment, which the law treats otherwise; leave it out", word)
	}
	word = finds(list.shame, line)
	if word != "" && i < len(d.Steps)-1 {
		flaw("%q shames or frightens, and this is not the last step; state the fact", word)
	}
	word = finds(list.cut, line)
	_, takes := d.Consequence(i)
	if word != "" && !takes {
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
