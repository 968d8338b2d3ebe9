package brand

import (
	"bytes"
	"fmt"
	"html"
	"io/fs"
	"strings"
	"unicode"
)

// The names of the pictures a page shows as the merchant's sign.
const (
	LogoFile = "brand-logo.png"
	SignFile = "brand-sign.svg"
)

// Files are the files a browser fetches that are the merchant's own: style sheet and banner in their colours, and their
// sign. shipped holds the files as they come along; what is not among the answers stays as it is there.
func (b Brand) Files(shipped fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{SignFile: b.sign()}
	if b.Logo != nil {
		files[LogoFile] = b.Logo.PNG
	}
	if !b.Own {
		return files, nil
	}
	styles, err := fs.ReadFile(shipped, "pay.css")
	if err != nil {
		return nil, fmt.Errorf("dress the style sheet: %w", err)
	}
	files["pay.css"] = append(bytes.Clone(styles), b.rules()...)
	banner, err := fs.ReadFile(shipped, "embed/v1.js")
	if err != nil {
		return nil, fmt.Errorf("dress the banner: %w", err)
	}
	files["embed/v1.js"], err = b.dress(banner)
	if err != nil {
		return nil, err
	}
	return files, nil
}

// rules come after the shipped ones and outside their layers, and so win over them.
func (b Brand) rules() string {
	day, night := b.Colours.Day, b.Colours.Night
	return fmt.Sprintf("\n:root { --brand: %s; --brand-text: %s; --paper: %s; --brand-night: %s; --brand-night-text: %s; --paper-night: %s }\n",
		day.Colour, day.Text, day.Paper, night.Colour, night.Text, night.Paper)
}

// dress puts the colours where the banner names those of a merchant who gave none. A merchant's own page still has the
// last word, by --pay-banner-accent.
func (b Brand) dress(banner []byte) ([]byte, error) {
	standard := namedInBanner(Standard())
	for i, own := range namedInBanner(b.Colours) {
		if bytes.Count(banner, []byte(standard[i])) != 1 {
			return nil, fmt.Errorf("dress the banner: it does not say %q once", standard[i])
		}
		banner = bytes.Replace(banner, []byte(standard[i]), []byte(own), 1)
	}
	return banner, nil
}

// namedInBanner is what the banner says of a brand's colours: for browsers that know only the day, and for others.
func namedInBanner(c Colours) []string {
	short := func(c Colour) string {
		if c == white {
			return "#fff"
		}
		return c.String()
	}
	return []string{
		fmt.Sprintf("--pay-banner-accent, %s)", c.Day.Colour),
		fmt.Sprintf("--pay-banner-on-accent, %s)", short(c.Day.Text)),
		fmt.Sprintf("--pay-banner-accent, light-dark(%s, %s))", c.Day.Colour, c.Night.Colour),
		fmt.Sprintf("--pay-banner-on-accent, light-dark(%s, %s))", short(c.Day.Text), c.Night.Text),
	}
}

// sign is the first letter of the name on the brand's colour.
func (b Brand) sign() []byte {
	letter := "•"
	for _, r := range b.Name {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			letter = strings.ToUpper(string(r))
			break
		}
	}
	day := b.Colours.Day
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="%s"/>`+
		`<text x="16" y="22.5" text-anchor="middle" font-family="system-ui,sans-serif" font-size="18" font-weight="650" fill="%s">%s</text></svg>`,
		day.Colour, day.Text, html.EscapeString(letter))
}
