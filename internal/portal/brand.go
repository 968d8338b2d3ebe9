package portal

import (
	"sollecito/internal/brand"
	"sollecito/internal/config"
	"sollecito/internal/link"
	"sollecito/static"
	"sollecito/views"
	"sollecito/views/email"
)

// How high the merchant's sign stands on pages and in mails, in pixels.
const (
	signOnPages = 32
	signInMails = 36
)

// worn is the brand the portal wears: a configuration that was put together by a program may name none.
func worn(c *config.Config) brand.Brand {
	b := c.Brand
	b.Name = c.MerchantName
	if b.Colours == (brand.Colours{}) {
		b.Colours = brand.Standard()
	}
	return b
}

// lookOf are the files that browsers fetch, as far as they are the merchant's own.
func lookOf(c *config.Config) (map[string][]byte, error) { return worn(c).Files(static.Files) }

// host is the merchant as the customer pages show them.
func host(c *config.Config) views.Merchant {
	m := views.Merchant{Name: c.MerchantName, LegalAddress: c.MerchantAddr, SupportEmail: c.SupportEmail, HomeURL: c.HomeURL, Icon: brand.SignFile}
	m.Sign = views.Picture{File: brand.SignFile, Width: signOnPages, Height: signOnPages}
	logo := c.Brand.Logo
	if logo == nil {
		return m
	}
	m.Sign = views.Picture{File: brand.LogoFile, Plate: !logo.Solid, Word: logo.Word()}
	m.Sign.Width, m.Sign.Height = logo.At(signOnPages)
	if !logo.Word() {
		m.Icon = brand.LogoFile
	}
	return m
}

// writer is the merchant as mails show them.
func writer(c *config.Config, addresses link.Addresses) email.Merchant {
	m := email.Merchant{Name: c.MerchantName, LegalAddress: c.MerchantAddr, SupportEmail: c.SupportEmail, Colours: worn(c).Colours}
	logo := c.Brand.Logo
	if logo == nil {
		return m
	}
	m.Logo = email.Picture{URL: addresses.To(brand.LogoPath), Plate: !logo.Solid, Word: logo.Word()}
	m.Logo.Width, m.Logo.Height = logo.At(signInMails)
	return m
}
