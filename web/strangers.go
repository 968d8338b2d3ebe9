package web

import (
	"database/sql"
	"net/http"
	"strconv"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/views"
)

// Limits on whoever has no link of ours, or tries cards that are not theirs, by the place they come from, in real time.
const (
	mostBadLinks      = 30 // guesses
	badLinksWithin    = 10 * time.Minute
	mostDeclinedThere = 20 // declined presses, whoever's page they were made on
	declinedWithin    = 24 * time.Hour
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
		left := s.Real().Truncate(badLinksWithin).Add(badLinksWithin).Sub(s.Real())
		w.Header().Set("Retry-After", strconv.Itoa(int(left.Seconds())+1))
	}
	w.Header().Set("Referrer-Policy", "same-origin") // it holds a form: no-referrer would make its POST carry Origin: null
	s.show(w, r, code, views.DeadLink(views.DeadLinkPage{Frame: s.frame(r, nobody)}))
	return nil
}

func declinedAt(r *http.Request) string { return "declined at " + placeOf(visitOf(r).ip) }

// guardCards refuses a place from which too many cards were declined lately: cards are being tried there.
func (s *Server) guardCards(r *http.Request) error {
	return s.DB.See(r.Context(), func(tx *sql.Tx) error {
		declined, err := database.Used(r.Context(), tx, declinedAt(r), declinedWithin, s.Real())
		if err == nil && declined >= mostDeclinedThere {
			err = fault.New(fault.TooMany, "Too many cards were declined here.")
		}
		return err
	})
}

// countDeclined counts a press that a bank declined against the place it came from, once.
func (s *Server) countDeclined(r *http.Request, v visitor, press string) error {
	out, err := s.outcomeOf(r, v, press)
	if err == errNoPress || err == nil && len(out.declined) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		fresh, err := database.Within(r.Context(), tx, "counted "+press, declinedWithin, 1, s.Real())
		if err != nil || !fresh {
			return err
		}
		_, err = database.Within(r.Context(), tx, declinedAt(r), declinedWithin, mostDeclinedThere, s.Real())
		return err
	})
}
