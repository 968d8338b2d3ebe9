package web

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
	"sollecito/views/desk"
)

// showImported lists the customers whose cases rest since the first import, with what each would get.
func (s *Server) showImported(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	p := desk.ImportedPage{Frame: s.deskFrame(r), Query: queryOf(r), PerDay: dunning.ReleasedPerDay}
	p.Nav = desk.NavToday
	from := offsetOf(r)
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		resting, owed, err := s.Cases.Imported(r.Context(), tx)
		if err != nil {
			return err
		}
		p.Waiting, err = s.Cases.CountUnreleased(r.Context(), tx)
		if err != nil {
			return err
		}
		p.Released, p.Owes = resting-p.Waiting, owed
		all, err := s.Cases.Unreleased(r.Context(), tx, p.Query, 0, 0)
		if err != nil {
			return err
		}
		p.Found = len(all)
		p.From = from
		shown := pageOf(all, from)
		for _, id := range shown { // each as if it alone were released now
			found, err := s.Cases.ReleaseOf(r.Context(), tx, []string{id}, s.Zone, s.Now())
			if err != nil {
				return err
			}
			p.Rows = append(p.Rows, s.waitingRows(found)...)
		}
		p.Pager = pager("/admin/imported", searched(p.Query), from, len(shown), len(all) > from+len(shown))
		p.Pager.Total = len(all)
		return nil
	})
	if err != nil {
		return err
	}
	s.show(w, r, http.StatusOK, desk.Imported(p))
	return nil
}

// searched is a search as an address carries it.
func searched(typed string) url.Values {
	if typed == "" {
		return url.Values{}
	}
	return url.Values{"q": {typed}}
}

// pageOf is one page of a list, from the offset on.
func pageOf[T any](all []T, from int) []T {
	from = min(from, len(all))
	return all[from:min(len(all), from+rowsPerPage)]
}

func (s *Server) waitingRows(found []dunning.Waiting) []desk.WaitingRow {
	var rows []desk.WaitingRow
	for _, w := range found {
		row := desk.WaitingRow{
			CaseID: w.ID, CustomerID: w.CustomerID, Name: w.Who.Name, Email: w.Who.Email,
			Owes: w.Owes, Class: w.Class, Since: s.at(w.Since), Channel: string(w.Channel),
		}
		for _, reason := range w.Others {
			row.Others = append(row.Others, string(reason))
		}
		if w.Comes {
			row.First = desk.Next{At: w.First.At.In(s.Zone), Title: stepTitle(w.Case, w.Walks, w.First.Index)}
		}
		rows = append(rows, row)
	}
	return rows
}

// choice is which of the waiting cases a release is about.
type choice struct {
	all   bool // all that the query finds, not only some
	query string
	cases []string
}

// chosen reads the choice off the form: all, one page of the list, or those that were ticked. Only cases that still
// wait are in it.
func (s *Server) chosen(ctx context.Context, tx *sql.Tx, form url.Values) (choice, error) {
	c := choice{all: form.Get("all") != "", query: form.Get("q")}
	all, err := s.Cases.Unreleased(ctx, tx, c.query, 0, 0)
	if err != nil || c.all {
		c.cases = all
		return c, err
	}
	if form.Has("page") {
		from, err := strconv.Atoi(form.Get("page"))
		if err != nil || from < 0 {
			return c, nil
		}
		c.cases = pageOf(all, from)
		return c, nil
	}
	for _, id := range all {
		if slices.Contains(form["case"], id) {
			c.cases = append(c.cases, id)
		}
	}
	return c, nil
}

// askRelease shows what releasing the chosen cases would do, before it is done.
func (s *Server) askRelease(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	return s.drawRelease(w, r, r.URL.Query(), http.StatusOK, "")
}

func (s *Server) drawRelease(w http.ResponseWriter, r *http.Request, form url.Values, status int, changed string) error {
	p := desk.ReleasePage{Frame: s.deskFrame(r), Changed: changed, PerDay: dunning.ReleasedPerDay}
	p.Nav = desk.NavToday
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		c, err := s.chosen(r.Context(), tx, form)
		if err != nil {
			return err
		}
		planned, err := s.Cases.ReleaseOf(r.Context(), tx, c.cases, s.Zone, s.Now())
		if err != nil {
			return err
		}
		p.All, p.Query = c.all, c.query
		s.addEffect(&p, planned)
		from := offsetOf(r)
		shown := pageOf(planned, from)
		p.Rows = s.waitingRows(shown)
		if c.all {
			query := searched(c.query)
			query.Set("all", "1")
			p.Pager = pager("/admin/imported/release", query, from, len(shown), len(planned) > from+len(shown))
			p.Pager.Total = len(planned)
			return nil
		}
		for _, w := range planned {
			p.Cases = append(p.Cases, w.ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if p.Count == 0 {
		return s.tellDesk(w, r, "/admin/imported", "nobody")
	}
	s.show(w, r, status, desk.Release(p))
	return nil
}

// addEffect adds up what a release does: first messages by the day on which they go out, what is owed by currency.
func (s *Server) addEffect(p *desk.ReleasePage, planned []dunning.Waiting) {
	p.Count = len(planned)
	var owed []billing.Money
	mails := map[string]*desk.ReleaseDay{}
	for _, w := range planned {
		owed = append(owed, w.Owes...)
		switch {
		case len(w.Others) > 0:
			p.Resting++
			continue
		case !w.Comes || w.Channel == "":
			p.Nothing++
			continue
		case len(w.Who.Addresses()) == 0:
			p.NoAddress++
		}
		day := w.First.At.In(s.Zone)
		key := day.Format(time.DateOnly)
		if mails[key] == nil {
			mails[key] = &desk.ReleaseDay{Day: day}
		}
		if w.Channel == outbox.Email {
			mails[key].Mails++
		} else {
			mails[key].Notices++
		}
	}
	for _, day := range mails {
		p.Days = append(p.Days, *day)
	}
	slices.SortFunc(p.Days, func(a, b desk.ReleaseDay) int { return a.Day.Compare(b.Day) })
	p.Owes = billing.Totals(owed)
}

// releaseImported lets the chosen cases go, as many a day as dunning.ReleasedPerDay, each batch in a transaction of its
// own, of which the audit log tells: pressed twice, or after a crash in the middle, it goes on with those that still wait.
// When more wait than the question had shown, it is asked again.
func (s *Server) releaseImported(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	shown, err := strconv.Atoi(r.PostFormValue("shown"))
	if err != nil {
		shown = 0
	}
	now := s.Now()
	var planned []dunning.Waiting
	err = s.DB.See(r.Context(), func(tx *sql.Tx) error {
		c, err := s.chosen(r.Context(), tx, r.PostForm)
		if err != nil {
			return err
		}
		planned, err = s.Cases.ReleaseOf(r.Context(), tx, c.cases, s.Zone, now)
		return err
	})
	if err != nil {
		return err
	}
	if len(planned) > shown {
		return s.drawRelease(w, r, r.PostForm, http.StatusConflict, "More customers wait than you were shown. Nothing has happened yet; please look again.")
	}
	for batch := range slices.Chunk(planned, dunning.ReleasedPerDay) {
		// In the order in which an import holds them, so that neither waits for the other.
		slices.SortFunc(batch, func(a, b dunning.Waiting) int { return strings.Compare(a.CustomerID, b.CustomerID) })
		err = s.DB.Do(r.Context(), func(tx *sql.Tx) error { return s.releaseBatch(r, tx, who, batch, now) })
		if err != nil {
			return err
		}
	}
	s.Wake()
	return s.tellDesk(w, r, "/admin/imported", "imported")
}

// releaseBatch lets those of some cases go that still wait, and tells the audit log how many they were.
func (s *Server) releaseBatch(r *http.Request, tx *sql.Tx, who staff.Member, batch []dunning.Waiting, now time.Time) error {
	released := 0
	for _, w := range batch {
		did, err := s.Cases.Release(r.Context(), tx, w.ID, who.Name, w.From, now)
		if err != nil {
			return fmt.Errorf("release %s: %w", w.ID, err)
		}
		if did {
			released++
		}
	}
	if released == 0 {
		return nil
	}
	return s.audit(r, tx, who, "imported.released", "", counted(released, "customer"))
}
