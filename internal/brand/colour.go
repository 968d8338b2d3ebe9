package brand

import (
	"fmt"
	"math"
	"strconv"
)

// Colour is a colour of sRGB without transparency.
type Colour struct{ R, G, B uint8 }

var (
	white = Colour{255, 255, 255}
	black = Colour{0, 0, 0}
)

// ParseColour reads #rrggbb or #rgb, in letters of either case.
func ParseColour(text string) (Colour, error) {
	digits := ""
	if len(text) > 1 && text[0] == '#' {
		digits = text[1:]
	}
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || len(digits) != 6 {
		return Colour{}, fmt.Errorf("must be a colour as #14566b; got %q", text)
	}
	return Colour{uint8(n >> 16), uint8(n >> 8), uint8(n)}, nil
}

// String is the colour as CSS writes it: #14566b.
func (c Colour) String() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// Contrast is the ratio of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio").
func Contrast(a, b Colour) float64 {
	light, dark := a.luminance(), b.luminance()
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

// luminance is the relative luminance of WCAG 2.2, from 0 to 1.
func (c Colour) luminance() float64 {
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func linear(channel uint8) float64 {
	v := float64(channel) / 255
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func channel(linear float64) uint8 {
	v := linear * 12.92
	if linear > 0.0031308 {
		v = 1.055*math.Pow(linear, 1/2.4) - 0.055
	}
	return uint8(math.Round(255 * min(max(v, 0), 1)))
}

// lab is a colour in Oklab, the space in which our style sheets mix: lightness from 0 to 1, and two axes of hue.
type lab struct{ l, a, b float64 }

// Matrices from Björn Ottosson, "A perceptual color space for image processing", as CSS Color 4 uses them.
func (c Colour) lab() lab {
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	long := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	middle := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	short := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return lab{
		0.2104542553*long + 0.7936177850*middle - 0.0040720468*short,
		1.9779984951*long - 2.4285922050*middle + 0.4505937099*short,
		0.0259040371*long + 0.7827717662*middle - 0.8086757660*short,
	}
}

func (p lab) colour() Colour {
	long := p.l + 0.3963377774*p.a + 0.2158037573*p.b
	middle := p.l - 0.1055613458*p.a - 0.0638541728*p.b
	short := p.l - 0.0894841775*p.a - 1.2914855480*p.b
	long, middle, short = long*long*long, middle*middle*middle, short*short*short
	return Colour{
		channel(4.0767416621*long - 3.3077115913*middle + 0.2309699292*short),
		channel(-1.2684380046*long + 2.6097574011*middle - 0.3413193965*short),
		channel(-0.0041960863*long - 0.7034186147*middle + 1.7076147010*short),
	}
}

// mix takes this much of the other colour into c, from 0 to 1, as color-mix(in oklab, …) does.
func (c Colour) mix(other Colour, share float64) Colour {
	from, to := c.lab(), other.lab()
	return lab{from.l + share*(to.l-from.l), from.a + share*(to.a-from.a), from.b + share*(to.b-from.b)}.colour()
}

// shades are the hundred steps from c to white or to black, the nearest first. Hue fades with them, so that every
// step is a colour a screen can show.
func (c Colour) shades(towards Colour) []Colour {
	steps := make([]Colour, 0, 101)
	for i := range 101 {
		steps = append(steps, c.mix(towards, float64(i)/100))
	}
	return steps
}
