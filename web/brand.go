package web

import (
	"net/http"

	"sollecito/internal/brand"
)

// brandRoutes serves the merchant's logo at an address that stays, so that mails sent long ago still show it after it was
// exchanged. Web mail loads it from another origin.
func (s *Server) brandRoutes(mux *http.ServeMux) {
	logo, err := s.Assets.Plain(brand.LogoFile, "public, max-age=86400")
	if err != nil { // the merchant has none
		return
	}
	mux.Handle("GET "+brand.LogoPath, crossOrigin(logo))
}
