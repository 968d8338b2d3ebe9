package web

import (
	"database/sql"
	"net/http"
	"strconv"
	"time"

	"sollecito/internal/database"
	"sollecito/views"
)

// Limits on whoever has no link of ours, by the place they come from, in real time.
const (
	mostBadLinks   = 30 // guesses
	badLinksWithin = 10 * time.Minute
)

// refuseLink answers a link that opens nothing, whatever is wrong with it: the same page, which asks for the address. Of
// too many from one place no more is looked at for a while; a good link works there all the same.
func (s *Server) refuseLink(w http.ResponseWriter, r *http.Request) error {
	name := "bad link " + placeOf(visitOf(r).ip)
	often := false
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		used, err := database.Used(r.Context(), tx, name, badLinksWithin, s.Real())
		if err != nil || used >= mostBadLinks {
			often = used >= mostBadLinks
			return err
		}
		_, err = database.Within(r.Context(), tx, name, badLinksWithin, mostBadLinks, s.Real())
		return err
	})
	if err != nil {
		return err
	}
	code := http.StatusNotFound
	if often {
		code = http.StatusTooManyRequests
		left := database.Reopens(badLinksWithin, s.Real()).Sub(s.Real())
		w.Header().Set("Retry-After", strconv.Itoa(int(left.Seconds())+1))
	}
	w.Header().Set("Referrer-Policy", "same-origin") // it holds a form: no-referrer would make its POST carry Origin: null
	s.show(w, r, code, views.DeadLink(views.DeadLinkPage{Frame: s.frame(r, nobody)}))
	return nil
}

// placeAt is the network a request comes from, as limits count it.
func placeAt(r *http.Request) string { return placeOf(visitOf(r).ip) }

// guardCards refuses a place from which too many cards were declined lately: cards are being tried there.
func (s *Server) guardCards(r *http.Request) error { return s.Desk.Guard(r.Context(), placeAt(r)) }
