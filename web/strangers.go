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
	wait, err := s.guessed(r, "bad link", mostBadLinks, badLinksWithin)
	if err != nil {
		return err
	}
	code := http.StatusNotFound
	if wait > 0 {
		code = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
	}
	w.Header().Set("Referrer-Policy", "same-origin") // it holds a form: no-referrer would make its POST carry Origin: null
	s.show(w, r, code, views.DeadLink(views.DeadLinkPage{Frame: s.frame(r, nobody)}))
	return nil
}

// guessed counts something that opens nothing by the place it came from, and answers how long nothing more from there is
// looked at, 0 while there were not too many.
func (s *Server) guessed(r *http.Request, what string, most int64, within time.Duration) (time.Duration, error) {
	name := what + " " + placeAt(r)
	often := false
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		used, err := database.Used(r.Context(), tx, name, within, s.Real())
		if err != nil || used >= most {
			often = used >= most
			return err
		}
		_, err = database.Within(r.Context(), tx, name, within, most, s.Real())
		return err
	})
	if err != nil || !often {
		return 0, err
	}
	return database.Reopens(within, s.Real()).Sub(s.Real()), nil
}

// placeAt is the network a request comes from, as limits count it.
func placeAt(r *http.Request) string { return placeOf(visitOf(r).ip) }

// guardCards refuses a place from which too many cards were declined lately: cards are being tried there.
func (s *Server) guardCards(r *http.Request) error { return s.Desk.Guard(r.Context(), placeAt(r)) }
