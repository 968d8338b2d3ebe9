package email

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/a-h/templ"

	"sollecito/internal/brand"
)

// HTML draws the letter as a page of tables, under 30 KB, that reads in programs twenty years apart: with images
// off, in the dark, inverted, on a phone and from right to left. Style attributes are allowed here and nowhere
// else, because mail programs drop style sheets.
func (l Letter) HTML(ctx context.Context) (string, error) {
	var b strings.Builder
	b.Grow(16 << 10)
	err := page(l).Render(ctx, &b)
	if err != nil {
		return "", fmt.Errorf("draw letter %q: %w", l.Subject, err)
	}
	return b.String(), nil
}

// font is repeated at every cell: Outlook forgets it at each table.
const font = "font-family:system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif;"

func css(rules string) templ.SafeCSS { return templ.SafeCSS(font + rules) }

// start and end are the sides of a line in the letter's direction. Mail programs know no logical properties.
func (l Letter) start() string {
	if l.dir() == "rtl" {
		return "right"
	}
	return "left"
}

func (l Letter) end() string {
	if l.dir() == "rtl" {
		return "left"
	}
	return "right"
}

// gap is padding of a cell that keeps its distance on the end side only.
func (l Letter) gap() string {
	if l.dir() == "rtl" {
		return "padding:10px 0 10px 16px;"
	}
	return "padding:10px 16px 10px 0;"
}

func (l Letter) beside() string {
	if l.dir() == "rtl" {
		return "padding:0 12px 0 0;"
	}
	return "padding:0 0 0 12px;"
}

// tracking tightens large Latin type; scripts that join their letters must not be touched.
func (l Letter) tracking(rule string) string {
	if l.dir() == "rtl" || l.tag() == "ja" {
		return ""
	}
	return rule
}

// sumSize is smaller where several sums stand below each other.
func (l Letter) sumSize() string {
	if len(l.Amounts) > 1 {
		return "font-size:32px;line-height:38px;" + l.tracking("letter-spacing:-.8px;")
	}
	return "font-size:46px;line-height:50px;" + l.tracking("letter-spacing:-1.4px;")
}

// picture is the logo's address when it is one a mail may load.
func (l Letter) picture() string {
	url := l.Merchant.Logo.URL
	if strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://") {
		return url
	}
	return ""
}

// plate lays a see-through picture on white, so that dark strokes are seen where the mail is dark.
func (l Letter) plate() templ.SafeCSS {
	rules := "display:block;border:0;border-radius:10px"
	if l.Merchant.Logo.Plate {
		rules = "display:block;border:0;border-radius:6px;background:#ffffff"
	}
	return templ.SafeCSS(rules)
}

// colours are the merchant's own, or those of a merchant who gave none.
func (l Letter) colours() brand.Colours {
	if l.Merchant.Colours == (brand.Colours{}) {
		return brand.Standard()
	}
	return l.Merchant.Colours
}

func (l Letter) day() brand.Look { return l.colours().Day }

// words draws a paragraph without a space of its own between the spans: an amount is often followed by a full stop.
func words(paragraph Paragraph) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b strings.Builder
		for _, span := range paragraph {
			text := escapeLines(span.Text)
			if span.Isolated {
				text = "<bdi>" + text + "</bdi>"
			}
			if span.Strong {
				text = "<strong>" + text + "</strong>"
			}
			b.WriteString(text)
		}
		_, err := io.WriteString(w, b.String())
		return err
	})
}

func escapeLines(text string) string {
	return strings.ReplaceAll(templ.EscapeString(text), "\n", "<br>")
}

// filler keeps the first words of the letter itself out of the line a mailbox shows after the subject.
var filler = templ.Raw(strings.Repeat("&zwnj;&nbsp;", 60))

// headStyle is what only newer programs understand: narrow screens and the dark.
func (l Letter) headStyle() string {
	colours := l.colours()
	_, card := colours.Card()
	night := colours.Night
	return strings.NewReplacer(
		"$paper", night.Paper.String(), "$card", card.String(), "$colour", night.Colour.String(), "$text", night.Text.String(),
	).Replace(headStyle)
}

const headStyle = `<style>
:root { color-scheme: light dark; supported-color-schemes: light dark }
@media (max-width: 480px) { .pad { padding-left: 20px !important; padding-right: 20px !important } .wide, .wide a { width: 100% !important; box-sizing: border-box } }
@media (prefers-color-scheme: dark) {
  .ground { background: $paper !important } .card { background: $card !important; border-color: #3d3a35 !important }
  .ink { color: #eeeae3 !important } .muted, .muted a { color: #b3aca1 !important } .line { border-color: #3d3a35 !important } .link { color: $colour !important }
  .btn { background: $colour !important } .btn a { color: $text !important; border-color: $colour !important }
}
</style>`

// amountGap is the room above a sum: the first stands apart, the others follow closely.
func amountGap(i int) string {
	if i == 0 {
		return "28px"
	}
	return "14px"
}
