package config

import "sollecito/internal/brand"

// checkBrand reads how the merchant looks. What can be shown but is read with effort is no fault: the brand's warnings
// say it.
func (c *Config) checkBrand(fault func(string, string, ...any)) {
	given := brand.Given{
		Colour: c.BrandColor, Text: c.BrandText, Paper: c.BrandPaper,
		NightColour: c.BrandNight, NightText: c.BrandNightText, NightPaper: c.BrandNightPage,
	}
	colours, wrong := brand.Choose(given)
	for _, f := range wrong {
		fault(f.Setting, "%s", f.Says)
	}
	c.Brand = brand.Brand{Name: c.MerchantName, Colours: colours, Own: given != brand.Given{}}
	if c.BrandLogo == "" {
		return
	}
	logo, err := brand.ReadLogo(c.BrandLogo)
	if err != nil {
		fault("BRAND_LOGO", "%s", err)
		return
	}
	c.Brand.Logo = logo
}
