package brand

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
)

// LogoPath is where mails find the picture.
const LogoPath = "/brand/logo.png"

// Logo is a picture that every program shows: a PNG. An SVG is refused, since mail programs show none and it may carry
// script; so is every other kind.
type Logo struct {
	PNG           []byte
	Width, Height int  // of the picture itself, in pixels
	Solid         bool // no part of it is see-through
}

const (
	mostBytes  = 256 << 10 // refused beyond: each page and mail would wait for it
	easyBytes  = 20 << 10  // said beyond
	mostPixels = 2048      // along one side
	mostWide   = 5         // times its height
)

// ReadLogo reads and checks the picture at path. What it answers is fit to be shown; the error says what is not.
func ReadLogo(path string) (*Logo, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, mostBytes+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if len(content) > mostBytes {
		return nil, fmt.Errorf("%s is larger than %d KB; save it smaller, best below %d KB", path, mostBytes>>10, easyBytes>>10)
	}
	return newLogo(content)
}

func newLogo(content []byte) (*Logo, error) {
	head, err := png.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, errors.New("must be a PNG, which every browser and mail program shows; export it as one")
	}
	l := &Logo{PNG: content, Width: head.Width, Height: head.Height}
	if l.Width > mostPixels || l.Height > mostPixels {
		return nil, fmt.Errorf("is %d by %d pixels; give it at most %d along each side", l.Width, l.Height, mostPixels)
	}
	if l.Height > l.Width || l.Width > mostWide*l.Height {
		return nil, fmt.Errorf("is %d by %d pixels; it must be square or wide, at most %d times as wide as high", l.Width, l.Height, mostWide)
	}
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, errors.New("is a damaged PNG; export it anew")
	}
	solid, ok := picture.(interface{ Opaque() bool })
	l.Solid = ok && solid.Opaque()
	return l, nil
}

// Word reports whether the picture is so wide that it is the name itself, which then is not written beside it.
func (l *Logo) Word() bool { return l.Width > 2*l.Height }

// At is the picture's size when it is drawn so high.
func (l *Logo) At(height int) (wide, high int) {
	return (l.Width*height + l.Height/2) / l.Height, height
}

func (l *Logo) warnings() []Warning {
	var all []Warning
	if len(l.PNG) > easyBytes {
		all = append(all, Warning{
			"BRAND_LOGO", fmt.Sprintf("the picture has %d KB, and every page and mail waits for it", (len(l.PNG)+1023)>>10),
			fmt.Sprintf("Save it below %d KB; 128 pixels of height are enough.", easyBytes>>10),
		})
	}
	if l.Height < 64 {
		all = append(all, Warning{
			"BRAND_LOGO", fmt.Sprintf("the picture is %d pixels high, and is blurred on sharp screens", l.Height), "Export it 128 pixels high.",
		})
	}
	return all
}
