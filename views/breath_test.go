package views

import (
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// spaced is a space after a Japanese stop or comma, where none belongs: it comes of markup set on lines of its own.
var spaced = regexp.MustCompile(`[。、][ \n]+[\p{Han}\p{Hiragana}\p{Katakana}（]`)

// Japanese sentences follow each other without a space, in every page.
func TestJapaneseSentencesStandWithoutSpaces(t *testing.T) {
	f := frameFor(catalog(t), "ja", plainAsset)
	for _, s := range samples(f) {
		document(t, s.page).Find("main p, main h1, main li, footer p").Each(func(_ int, p *goquery.Selection) {
			if p.HasClass("fine") || p.Find("p, div").Length() > 0 { // its parts stand on lines of their own
				return
			}
			text := strings.Join(strings.Fields(p.Text()), " ")
			found := spaced.FindString(text)
			if found != "" {
				t.Errorf("%s: %q in %s", s.name, found, text)
			}
		})
	}
}
