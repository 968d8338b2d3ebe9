package web

import (
	"cmp"
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/intake"
	"sollecito/internal/staff"
	"sollecito/internal/webhook"
	"sollecito/views/desk"
)

const (
	rowsPerPage  = 50
	longestQuery = 200   // characters of a search that are looked for
	deepestRow   = 10000 // nobody turns pages further; a search finds what lies behind
)

// showToday draws the list of cases: one view, or what a search found over all customers.
func (s *Server) showToday(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	p := desk.TodayPage{Frame: s.deskFrame(r), View: r.URL.Query().Get("view"), Query: queryOf(r), MayRelease: who.Role.May(staff.Steer), MayWebhooks: who.Role.May(staff.Administer)}
	p.Nav = desk.NavToday
	from := offsetOf(r)
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		counts, err := s.Cases.CountViews(r.Context(), tx)
		if err != nil {
			return err
		}
		counts[dunning.ViewPerson] = p.Counts.NeedsPerson // the frame has counted it
		p.Views = viewsOf(counts)
		reconciled, err := intake.LastReconcile(r.Context(), tx)
		if err != nil {
			return err
		}
		if reconciled.Lately(s.Now()) {
			p.Missed, p.MissedAt = reconciled.Missed, s.at(reconciled.MissedAt)
		}
		p.Deaf, err = webhook.CountDead(r.Context(), tx, s.Now())
		if err != nil {
			return err
		}
		p.Imported, err = s.Cases.CountUnreleased(r.Context(), tx)
		if err != nil {
			return err
		}
		p.Tiles, err = s.tiles(r.Context(), tx, counts)
		if err != nil {
			return err
		}
		if p.Query != "" {
			p.View = ""
			p.Rows, p.Pager, err = s.search(r.Context(), tx, p.Query, from)
			return err
		}
		if !isView(p.Views, p.View) {
			p.View = firstView(counts)
		}
		view := dunning.View(p.View)
		found, err := s.Cases.ListView(r.Context(), tx, view, rowsPerPage, from)
		if err != nil {
			return err
		}
		for _, l := range found {
			p.Rows = append(p.Rows, s.row(l))
		}
		p.Pager = pager("/admin", url.Values{"view": {p.View}}, from, len(found), counts[view] > from+len(found))
		p.Pager.Total = counts[view]
		return nil
	})
	if err != nil {
		return err
	}
	s.show(w, r, http.StatusOK, desk.Today(p))
	return nil
}

// queryOf is what was typed into a page's search, cut where nobody types on.
func queryOf(r *http.Request) string {
	typed := r.URL.Query().Get("q")
	if !utf8.ValidString(typed) || utf8.RuneCountInString(typed) <= longestQuery {
		return typed
	}
	return string([]rune(typed)[:longestQuery])
}

func offsetOf(r *http.Request) int {
	from, err := strconv.Atoi(r.URL.Query().Get("from"))
	if err != nil || from < 0 {
		return 0
	}
	return min(from, deepestRow)
}

func viewsOf(counts map[dunning.View]int) []desk.View {
	byKey := make(map[string]int, len(counts))
	for view, n := range counts {
		byKey[string(view)] = n
	}
	return desk.Views(byKey)
}

func isView(views []desk.View, key string) bool {
	for _, v := range views {
		if v.Key == key {
			return true
		}
	}
	return false
}

// firstView is what staff see when they come in: what waits for them, else everything under way.
func firstView(counts map[dunning.View]int) string {
	if counts[dunning.ViewPerson] > 0 {
		return desk.ViewPerson
	}
	return desk.ViewOpen
}

// pager leads through the pages of a list by how many rows to pass over.
func pager(path string, query url.Values, from, shown int, more bool) desk.Pager {
	p := desk.Pager{From: from + 1, To: from + shown}
	if shown == 0 {
		p.From = 0
	}
	to := func(from int) string {
		query.Set("from", strconv.Itoa(from))
		return path + "?" + query.Encode()
	}
	if from > 0 {
		p.Previous = to(max(0, from-rowsPerPage))
	}
	if more && from+shown <= deepestRow {
		p.Next = to(from + shown)
	}
	return p
}

func (s *Server) tiles(ctx context.Context, tx *sql.Tx, counts map[dunning.View]int) ([]desk.Tile, error) {
	owed, customers, err := s.Cases.InRecovery(ctx, tx)
	if err != nil {
		return nil, err
	}
	today := s.Now().In(s.Zone)
	month := time.Date(today.Year(), today.Month(), 1, 0, 0, 0, 0, s.Zone)
	back, err := s.Cases.CameBack(ctx, tx, month)
	if err != nil {
		return nil, err
	}
	due, err := s.Cases.CountDue(ctx, tx, today.Add(24*time.Hour))
	if err != nil {
		return nil, err
	}
	return []desk.Tile{
		{Label: "Needs a person", Count: counts[dunning.ViewPerson], Context: "answers, disputes, declines, consequences, unclear mails"},
		{Label: "In recovery", Money: owed, Context: counted(customers, "customer")},
		{Label: "Came back in " + today.Month().String(), Money: back, Context: "by any way of paying"},
		{Label: "Next 24 hours", Count: due, Context: "steps come due"},
	}, nil
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// row is a case in the list.
func (s *Server) row(l dunning.Listed) desk.Row {
	return desk.Row{
		CustomerID: l.CustomerID, Name: nameOf(l.Who), Email: l.Who.Email, State: s.stateOf(l.Case, l.Who, l.Pauses),
		Need: cmp.Or(heldWords[l.Held], needWords[l.Need]), Class: l.Class, Next: s.nextOf(l), Owes: l.Owes,
	}
}

// nameOf is a customer's name for a list, where those stand too of whom no name is left.
func nameOf(c billing.Customer) string {
	if c.ErasedAt > 0 {
		return "Erased customer"
	}
	return c.Name
}

// nextOf is what comes next: by itself at an instant, or once a person has decided.
func (s *Server) nextOf(l dunning.Listed) desk.Next {
	if l.Next == nil || l.NextStepAt == 0 {
		return desk.Next{}
	}
	if l.Need == dunning.NeedConsequence || l.Need == dunning.NeedFinal {
		return desk.Next{Title: stepTitle(l.Case, l.Walks, l.Number-1), Waits: true}
	}
	return desk.Next{At: s.at(l.NextStepAt), Title: stepTitle(l.Case, l.Walks, l.Number-1)}
}

// stateOf is where a case stands. Its days are the customer's own.
func (s *Server) stateOf(c dunning.Case, who billing.Customer, pauses []dunning.PauseReason) desk.State {
	state := desk.State{Status: string(c.Status), Day: c.Day(s.Now(), s.Cases.Zone(who))}
	if c.Status != dunning.Open {
		state.Closed = s.at(c.ClosedAt)
		return state
	}
	for _, reason := range pauses {
		state.Status = "paused"
		state.Pauses = append(state.Pauses, string(reason))
	}
	return state
}

// search lists the customers that what was typed may mean, with or without a case.
func (s *Server) search(ctx context.Context, tx *sql.Tx, typed string, from int) ([]desk.Row, desk.Pager, error) {
	found, err := billing.SearchCustomers(ctx, tx, typed, rowsPerPage+1, from)
	if err != nil {
		return nil, desk.Pager{}, err
	}
	more := len(found) > rowsPerPage
	found = found[:min(len(found), rowsPerPage)]
	ids := make([]string, len(found))
	for i, c := range found {
		ids[i] = c.ID
	}
	cases, err := s.Cases.LatestByCustomer(ctx, tx, ids)
	if err != nil {
		return nil, desk.Pager{}, err
	}
	var rows []desk.Row
	for _, c := range found {
		l, has := cases[c.ID]
		if has {
			rows = append(rows, s.row(l))
			continue
		}
		rows = append(rows, desk.Row{CustomerID: c.ID, Name: nameOf(c), Email: c.Email})
	}
	return rows, pager("/admin", url.Values{"q": {typed}}, from, len(rows), more), nil
}
