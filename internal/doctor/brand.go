package doctor

import "sollecito/internal/brand"

// looks tells which of the merchant's colours are read with effort.
func looks(b brand.Brand) Report {
	const check = "brand"
	var r Report
	for _, w := range b.Warnings() {
		r = append(r, warn(check, w.Mend, "SOLLECITO_%s: %s", w.Setting, w.Says))
	}
	switch {
	case len(r) > 0:
	case b.Own && b.Logo != nil:
		r = append(r, ok(check, "the colours are read with ease, and the logo is light"))
	case b.Own:
		r = append(r, ok(check, "the colours are read with ease; without SOLLECITO_BRAND_LOGO the name's first letter stands for a logo"))
	case b.Logo != nil:
		r = append(r, ok(check, "the logo is light; pages wear Sollecito's own colours without SOLLECITO_BRAND_COLOR"))
	default:
		r = append(r, ok(check, "pages and mails wear Sollecito's own colours; docs/brand.md says how to give them yours"))
	}
	return r
}
