package brand

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"
)

func hex(t *testing.T, text string) Colour {
	t.Helper()
	c, err := ParseColour(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The figures are those of WebAIM's contrast checker.
func TestContrast(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want float64
	}{{"#000", "#ffffff", 21}, {"#777777", "#FFF", 4.48}, {"#14566b", "#f6f4ef", 7.43}, {"#fff", "#fff", 1}} {
		a, b := hex(t, c.a), hex(t, c.b)
		if got := Contrast(a, b); math.Abs(got-c.want) > 0.01 || got != Contrast(b, a) {
			t.Errorf("%s on %s: %.3f, want %.2f", c.a, c.b, got, c.want)
		}
	}
}

// The figures are what Chromium computes for color-mix(in oklab, …).
func TestMixesAsBrowsersDo(t *testing.T) {
	t.Parallel()
	day, night := Standard().Card()
	if day.String() != "#fefefd" || night.String() != "#1f1e1c" {
		t.Errorf("cards are %s and %s", day, night)
	}
}

func TestColoursAreRead(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "#", "14566b", "#12", "#1234", "#gggggg", "#-12345", "#+12345", "teal", "#14566b;}", "rgb(1,2,3)", "#１２３"} {
		_, err := ParseColour(bad)
		if err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		c := Colour{rapid.Uint8().Draw(t, "r"), rapid.Uint8().Draw(t, "g"), rapid.Uint8().Draw(t, "b")}
		again, err := ParseColour(c.String())
		if err != nil || again != c || c.lab().colour() != c {
			t.Fatalf("%s is read as %s, and as %s through Oklab: %v", c, again, c.lab().colour(), err)
		}
	})
}

// Whatever single colour a merchant has: the text worked out for it, and the night's pair, are read with ease.
func TestWhatIsWorkedOutIsReadable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := Colour{rapid.Uint8().Draw(t, "r"), rapid.Uint8().Draw(t, "g"), rapid.Uint8().Draw(t, "b")}
		chosen, faults := Choose(Given{Colour: c.String()})
		if len(faults) > 0 || chosen.Day.Colour != c {
			t.Fatalf("%+v, %v", chosen, faults)
		}
		for _, w := range (Brand{Colours: chosen}).Warnings() {
			if w.Setting != "BRAND_COLOR" {
				t.Fatalf("%s: %s", c, w)
			}
		}
	})
}

func TestWarningsNameThePairAndAWayOut(t *testing.T) {
	t.Parallel()
	if w := (Brand{Colours: Standard()}).Warnings(); len(w) > 0 {
		t.Errorf("our own colours: %v", w)
	}
	for _, c := range []struct {
		name  string
		given Given
		says  []string
	}{
		{"a loud yellow", Given{Colour: "#ffcc00"}, []string{"BRAND_COLOR: a link on the paper by day (#ffcc00 on #f6f4ef) has a contrast of 1.", "people need 4.5", "Try #"}},
		{"text on it", Given{Colour: "#14566b", Text: "#777"}, []string{"BRAND_TEXT: the text of buttons by day (#777777 on #14566b)"}},
		{"a grey paper", Given{Paper: "#888"}, []string{"BRAND_PAPER: quiet text on the paper by day", "BRAND_PAPER: a fault on the paper by day", "BRAND_COLOR: a link on the paper"}},
		{"a light night", Given{NightPaper: "#eee"}, []string{"BRAND_NIGHT_PAPER: text on the paper at night"}},
		{"no way out", Given{Colour: "#ffcc00", Paper: "#000"}, []string{"No shade of it"}},
	} {
		colours, _ := Choose(c.given)
		var all []string
		for _, w := range (Brand{Colours: colours}).Warnings() {
			all = append(all, w.String())
		}
		for _, says := range c.says {
			if !strings.Contains(strings.Join(all, "\n"), says) {
				t.Errorf("%s: %q is not said:\n%s", c.name, says, strings.Join(all, "\n"))
			}
		}
	}
}

// A merchant who follows the proposals, one setting after the other, ends with nothing to mend.
func TestFollowingTheProposalsMends(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := Colour{rapid.Uint8().Draw(t, "r"), rapid.Uint8().Draw(t, "g"), rapid.Uint8().Draw(t, "b")}
		colours, _ := Choose(Given{Colour: c.String()})
		for _, w := range (Brand{Colours: colours}).Warnings() {
			mended, found := strings.CutPrefix(w.Mend, "Try ")
			if !found {
				t.Fatalf("%s: %s", c, w)
			}
			colours, _ = Choose(Given{Colour: strings.TrimSuffix(mended, ".")})
		}
		if left := (Brand{Colours: colours}).Warnings(); len(left) > 0 {
			t.Fatalf("%s: %v", c, left)
		}
	})
}

func picture(t *testing.T, width, height int, alpha uint8) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7919 >> 3)
	}
	for x := range width {
		for y := range height {
			c := img.NRGBAAt(x, y)
			img.SetNRGBA(x, y, color.NRGBA{c.R, c.G, c.B, alpha})
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLogos(t *testing.T) {
	t.Parallel()
	whole := picture(t, 64, 64, 255)
	for _, c := range []struct {
		name    string
		content []byte
		says    string // "" for one that is taken
	}{
		{"square", whole, ""},
		{"wide", picture(t, 300, 64, 100), ""},
		{"an SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "must be a PNG"},
		{"nothing", nil, "must be a PNG"},
		{"half", whole[:len(whole)/2], "damaged"},
		{"high", picture(t, 64, 65, 255), "square or wide"},
		{"a line", picture(t, 640, 64, 255), "at most 5 times"},
		{"vast", picture(t, 2049, 1024, 255), "at most 2048"},
	} {
		l, err := newLogo(c.content)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.name == "wide" && (l.Solid || !l.Word()) || c.name == "square" && (!l.Solid || l.Word()) {
			t.Errorf("%s: %+v", c.name, *l)
		}
	}
	l, err := newLogo(picture(t, 120, 40, 255))
	if err != nil {
		t.Fatal(err)
	}
	wide, high := l.At(32)
	if wide != 96 || high != 32 {
		t.Errorf("drawn %d by %d", wide, high)
	}
	heavy := &Logo{PNG: make([]byte, 21<<10), Width: 50, Height: 50}
	if w := (Brand{Colours: Standard(), Logo: heavy}).Warnings(); len(w) != 2 || !strings.Contains(w[0].Says, "21 KB") || !strings.Contains(w[1].Says, "50 pixels high") {
		t.Errorf("warnings of a heavy, small picture: %v", w)
	}
}

func TestFilesWearTheBrand(t *testing.T) {
	t.Parallel()
	shipped := fstest.MapFS{
		"pay.css":     {Data: []byte("@layer tokens { :root { --brand: #14566b } }")},
		"embed/v1.js": {Data: []byte("var(--pay-banner-accent, #14566b) var(--pay-banner-on-accent, #fff) var(--pay-banner-accent, light-dark(#14566b, #8ecbdd)) var(--pay-banner-on-accent, light-dark(#fff, #06252f))")},
	}
	colours, _ := Choose(Given{Colour: "#7a1fa2", Paper: "#fff8f0"})
	files, err := Brand{Name: "<Ümit & Co>", Colours: colours, Own: true}.Files(shipped)
	if err != nil {
		t.Fatal(err)
	}
	for name, has := range map[string]string{
		"pay.css": "--brand: #7a1fa2; --brand-text: #ffffff; --paper: #fff8f0;", "embed/v1.js": "accent, #7a1fa2) var(--pay-banner-on-accent, #fff) var(--pay-banner-accent, light-dark(#7a1fa2, " + colours.Night.Colour.String(), SignFile: ">Ü</text>",
	} {
		if !strings.Contains(string(files[name]), has) {
			t.Errorf("%s has no %q:\n%s", name, has, files[name])
		}
	}
	files, err = Brand{Name: "Lumen", Colours: Standard()}.Files(shipped)
	if err != nil || len(files) != 1 {
		t.Errorf("without colours: %d files, %v", len(files), err)
	}
	shipped["embed/v1.js"].Data = []byte("const colours = []")
	_, err = Brand{Colours: colours, Own: true}.Files(shipped)
	if err == nil {
		t.Error("a banner that cannot be dressed goes out in other colours")
	}
}
