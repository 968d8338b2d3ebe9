package brand

// Look is three colours that a page is drawn from: the brand's own, which buttons are filled with and links are
// written in, the text on it, and the paper everything lies on.
type Look struct{ Colour, Text, Paper Colour }

// Colours are the six colours of a brand: by day, and where the reader's device is dark.
type Colours struct{ Day, Night Look }

// Brand is how a merchant looks.
type Brand struct {
	Name    string // the merchant's
	Colours Colours
	Logo    *Logo // nil for none: pages then show a sign made of the name's first letter
	Own     bool  // any of the six colours was given
}

// Standard are the colours of a merchant who gave none.
func Standard() Colours {
	return Colours{
		Day:   Look{Colour{0x14, 0x56, 0x6b}, white, Colour{0xf6, 0xf4, 0xef}},
		Night: Look{Colour{0x8e, 0xcb, 0xdd}, Colour{0x06, 0x25, 0x2f}, Colour{0x16, 0x15, 0x13}},
	}
}

// The texts of our pages, by day and at night; what a merchant's paper has to be read with.
var (
	dayInks   = inks{Colour{0x1e, 0x1c, 0x19}, Colour{0x5f, 0x5a, 0x52}, Colour{0x2a, 0x68, 0x3d}, Colour{0x7d, 0x4f, 0x00}, Colour{0xa1, 0x35, 0x2a}, Colour{0x85, 0x7e, 0x72}}
	nightInks = inks{Colour{0xee, 0xea, 0xe3}, Colour{0xb3, 0xac, 0xa1}, Colour{0x8e, 0xcb, 0x9c}, Colour{0xe3, 0xb5, 0x66}, Colour{0xf0, 0xa3, 0x98}, Colour{0x8b, 0x84, 0x79}}
)

// inks are the colours of static/pay.css that are written on the merchant's paper.
type inks struct{ ink, muted, good, wait, bad, edge Colour }

// Given are the six colours as somebody wrote them, "" for what is to be worked out.
type Given struct{ Colour, Text, Paper, NightColour, NightText, NightPaper string }

// Fault is a setting that cannot be used.
type Fault struct {
	Setting string // without SOLLECITO_
	Says    string
}

// Choose reads the colours that were given and works out the others from them: the text that is read best on the
// brand's colour, and for the night a tint of it that is light enough. It answers what could not be read.
func Choose(given Given) (Colours, []Fault) {
	chosen := Standard()
	var faults []Fault
	read := func(setting, text string, into *Colour) bool {
		if text == "" {
			return false
		}
		c, err := ParseColour(text)
		if err != nil {
			faults = append(faults, Fault{setting, err.Error()})
			return false
		}
		*into = c
		return true
	}
	read("BRAND_PAPER", given.Paper, &chosen.Day.Paper)
	read("BRAND_NIGHT_PAPER", given.NightPaper, &chosen.Night.Paper)
	if read("BRAND_COLOR", given.Colour, &chosen.Day.Colour) {
		chosen.Day.Text = textOn(chosen.Day.Colour)
		chosen.Night.Colour = tintFor(chosen.Day.Colour, chosen.Night.Paper)
		chosen.Night.Text = textOn(chosen.Night.Colour)
	}
	if read("BRAND_NIGHT_COLOR", given.NightColour, &chosen.Night.Colour) {
		chosen.Night.Text = textOn(chosen.Night.Colour)
	}
	read("BRAND_TEXT", given.Text, &chosen.Day.Text)
	read("BRAND_NIGHT_TEXT", given.NightText, &chosen.Night.Text)
	return chosen, faults
}

// textOn is white, or the darkest shade of the ground, whichever is read better on it.
func textOn(ground Colour) Colour {
	dark := ground.mix(black, 0.8)
	if Contrast(white, ground) >= Contrast(dark, ground) {
		return white
	}
	if Contrast(dark, ground) < readable {
		return black
	}
	return dark
}

// tintFor is the first tint of a colour that is read with ease on a dark paper and what lies on it.
func tintFor(c, paper Colour) Colour {
	const ease = 7
	for _, tint := range c.shades(white) {
		if Contrast(tint, paper.mix(white, cardAtNight)) >= ease {
			return tint
		}
	}
	return white
}

// How much white is in a card that lies on the paper, as static/pay.css mixes it.
const (
	cardByDay   = 0.88
	cardAtNight = 0.05
	washed      = 0.11 // of the brand's colour in the ground of what it marks
)

// Card is the ground of what lies on the paper.
func (c Colours) Card() (day, night Colour) {
	return c.Day.Paper.mix(white, cardByDay), c.Night.Paper.mix(white, cardAtNight)
}
