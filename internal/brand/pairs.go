package brand

import "fmt"

// What WCAG 2.2 asks of text (1.4.3) and of what must be seen to be used (1.4.11).
const (
	readable = 4.5
	visible  = 3.0
)

// Warning is a pair of colours that people read with effort, or a picture that is heavier than it need be. Setting is
// whose change mends it.
type Warning struct {
	Setting string // without SOLLECITO_
	Says    string
	Mend    string
}

func (w Warning) String() string {
	return fmt.Sprintf("SOLLECITO_%s: %s. %s", w.Setting, w.Says, w.Mend)
}

// pair is two colours that stand on each other somewhere.
type pair struct {
	setting      string // of the colour that is proposed to change
	above, below Colour
	what         string // "the text of buttons on BRAND_COLOR"
	least        float64
	// mended is the pair's ratio when the setting's colour is another.
	mended func(Colour) float64
	now    Colour // of the setting
}

// Warnings are all pairs in use that fall short, with the nearest colour that would do, and what is to be said of the
// logo.
func (b Brand) Warnings() []Warning {
	var all []Warning
	if b.Colours == (Colours{}) {
		return nil // nobody has chosen yet
	}
	pairs := append(pairsOf(b.Colours.Day, dayInks, "BRAND_", false), pairsOf(b.Colours.Night, nightInks, "BRAND_NIGHT_", true)...)
	for _, p := range pairs {
		ratio := Contrast(p.above, p.below)
		if ratio >= p.least {
			continue
		}
		all = append(all, Warning{
			Setting: p.setting,
			Says:    fmt.Sprintf("%s (%s on %s) has a contrast of %.2f, and people need %.1f", p.what, p.above, p.below, floor(ratio), p.least),
			Mend:    nearest(p, pairs),
		})
	}
	if b.Logo != nil {
		all = append(all, b.Logo.warnings()...)
	}
	return all
}

// floor keeps 4.498 from being told as 4.50, which would be enough.
func floor(ratio float64) float64 { return float64(int(ratio*100)) / 100 }

// nearest proposes the colour closest to the one given with which every pair of the same setting is read.
func nearest(p pair, all []pair) string {
	for i := range 101 {
		for _, towards := range []Colour{black, white} {
			c := p.now.shades(towards)[i]
			fits := true
			for _, other := range all {
				fits = fits && (other.setting != p.setting || other.mended(c) >= other.least)
			}
			if fits {
				return fmt.Sprintf("Try %s.", c)
			}
		}
	}
	return "No shade of it is read everywhere it stands: change the other colour of the pair."
}

// pairsOf are the pairs of one half of the day.
func pairsOf(l Look, inks inks, prefix string, night bool) []pair {
	mixed := func(paper Colour) Colour { return paper.mix(white, cardByDay) }
	name := "by day"
	if night {
		mixed = func(paper Colour) Colour { return paper.mix(white, cardAtNight) }
		name = "at night"
	}
	colour, text, paper := prefix+"COLOR", prefix+"TEXT", prefix+"PAPER"
	card := mixed(l.Paper)
	onColour := func(what string, below func(Colour) Colour) pair {
		return pair{
			setting: colour, now: l.Colour, above: l.Colour, below: below(l.Colour), what: what + " " + name, least: readable,
			mended: func(c Colour) float64 { return Contrast(c, below(c)) },
		}
	}
	still := func(ground Colour) func(Colour) Colour { return func(Colour) Colour { return ground } }
	pairs := []pair{
		{
			setting: text, now: l.Text, above: l.Text, below: l.Colour, what: "the text of buttons " + name, least: readable,
			mended: func(c Colour) float64 { return Contrast(c, l.Colour) },
		},
		onColour("a link on the paper", still(l.Paper)),
		onColour("a link on a card", still(card)),
		onColour("a link on its own tint", func(c Colour) Colour { return card.mix(c, washed) }),
	}
	if !night {
		pairs = append(pairs, onColour("a link in a mail", still(white)))
	}
	for _, ink := range []struct {
		colour Colour
		what   string
		least  float64
	}{
		{inks.ink, "text", readable}, {inks.muted, "quiet text", readable}, {inks.good, "good news", readable}, {inks.wait, "a notice", readable},
		{inks.bad, "a fault", readable}, {inks.edge, "the edge of a field", visible},
	} {
		pairs = append(pairs, pair{
			setting: paper, now: l.Paper, above: ink.colour, below: l.Paper, what: ink.what + " on the paper " + name, least: ink.least,
			mended: func(c Colour) float64 { return min(Contrast(ink.colour, c), Contrast(ink.colour, mixed(c))) },
		})
	}
	return pairs
}
