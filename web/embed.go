package web

import "net/http"

func (s *Server) embedRoutes(mux *http.ServeMux) {}
