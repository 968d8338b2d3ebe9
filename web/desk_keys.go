package web

import (
	"cmp"
	"database/sql"
	"net/http"

	"sollecito/internal/apikey"
	"sollecito/internal/fault"
	"sollecito/internal/staff"
	"sollecito/views/desk"
)

func (s *Server) showKeys(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	p, err := s.keysPage(r)
	if err != nil {
		return err
	}
	for _, key := range p.Keys {
		if key.ID == r.URL.Query().Get("end") && key.EndedAt.IsZero() {
			p.Ending = &key
		}
	}
	s.show(w, r, http.StatusOK, desk.Keys(p))
	return nil
}

func (s *Server) keysPage(r *http.Request) (desk.KeysPage, error) {
	p := desk.KeysPage{Frame: s.deskFrame(r)}
	p.Nav = desk.NavKeys
	members, err := s.Members.List(r.Context())
	if err != nil {
		return p, err
	}
	names := make(map[string]string, len(members))
	for _, m := range members {
		names[m.ID] = cmp.Or(m.Name, m.Email)
	}
	var all []apikey.Key
	err = s.DB.See(r.Context(), func(tx *sql.Tx) (err error) {
		all, err = s.Keys.List(r.Context(), tx)
		return err
	})
	for _, k := range all {
		p.Keys = append(p.Keys, desk.APIKey{
			ID: k.ID, Name: k.Name, Beginning: k.Beginning, MadeBy: cmp.Or(names[k.MadeBy], k.MadeBy), MadeAt: s.at(k.MadeAt),
			UsedAt: s.at(k.UsedAt), EndedBy: cmp.Or(names[k.EndedBy], k.EndedBy), EndedAt: s.at(k.EndedAt),
		})
	}
	return p, err
}

// makeKey makes a key. It is on the answer itself, since nothing but its hash is kept; sent again the form says that there
// is one of this name.
func (s *Server) makeKey(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	var made apikey.Key
	var secret string
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) (err error) {
		made, secret, err = s.Keys.Make(r.Context(), tx, r.PostFormValue("name"), who.ID)
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "key.made", made.ID, made.Beginning)
	})
	if err != nil && !fault.Is(err, fault.Invalid) {
		return err
	}
	p, pageErr := s.keysPage(r)
	if pageErr != nil {
		return pageErr
	}
	if err != nil {
		p.Name, p.Faults = r.PostFormValue("name"), []desk.Fault{{Field: "name", Text: fault.MessageOf(err) + "."}}
		s.show(w, r, http.StatusUnprocessableEntity, desk.Keys(p))
		return nil
	}
	p.Made = &desk.MadeKey{Name: made.Name, Secret: secret}
	s.show(w, r, http.StatusOK, desk.Keys(p))
	return nil
}

func (s *Server) endKey(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	id := r.PathValue("id")
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		key, ended, err := s.Keys.End(r.Context(), tx, id, who.ID)
		if err != nil || !ended { // a colleague was faster, and it is as it was asked for
			return err
		}
		return s.audit(r, tx, who, "key.ended", id, key.Beginning)
	})
	if err != nil {
		return err
	}
	return s.tellDesk(w, r, "/admin/keys", "key_ended")
}
