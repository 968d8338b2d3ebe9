package web

import (
	"net/http"

	"sollecito/internal/brand"
)

// brandRoutes serves the merchant's logo at an address that stays: mails that were sent long ago still show it after it
// was exchanged. Mail programs that are pages themselves load it from another origin.
func (s *Server) brandRoutes(mux *http.ServeMux) {
	logo, err := s.Assets.Plain(brand.LogoFile, "public, max-age=86400")
	if err != nil { // the merchant has none
		return
	}
	mux.Handle("GET "+brand.LogoPath, crossOrigin(logo))
}
