package link

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// How long a customer's session lives, in real time.
const (
	sessionIdle = 30 * time.Minute
	sessionMost = 24 * time.Hour
)

// Store keeps customers' sessions in the database behind gorilla/sessions: the cookie carries a random id whose
// hash finds the row. A session belongs to one customer and dies with its link. The well-known values are set
// and read with the functions below; everything else a page wants to remember is a string by a string key.
type Store struct {
	db     *database.DB
	now    func() time.Time // real time
	cookie string
	secure bool
	sign   securecookie.Codec
}

// NewStore makes the store. With a secure base address the cookie is a __Host- one; else (demo, loopback) a plain
// name, since browsers drop the prefix over http. The cookie is signed with key, so that a made-up one never reaches
// the database.
func NewStore(db *database.DB, addresses Addresses, key string, now func() time.Time) *Store {
	sign := securecookie.New([]byte(key), nil).MaxAge(int(sessionMost / time.Second))
	s := &Store{db: db, now: now, cookie: "sollecito", secure: addresses.Secure(), sign: sign}
	if s.secure {
		s.cookie = "__Host-sollecito"
	}
	return s
}

var _ sessions.Store = (*Store)(nil)

// CookieName is the name of the session's cookie.
func (s *Store) CookieName() string { return s.cookie }

// Get answers the request's session, the same one however often it is asked.
func (s *Store) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New reads the session the cookie names. A missing, ended or unknown one gives a new, empty session.
func (s *Store) New(r *http.Request, name string) (*sessions.Session, error) {
	v := Visit{}
	err := s.db.See(r.Context(), func(tx *sql.Tx) error {
		var err error
		v, err = s.Visit(r, tx)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		session := sessions.NewSession(s, name)
		session.Options = s.options()
		session.IsNew = true
		return session, nil
	}
	if err != nil {
		return sessions.NewSession(s, name), err
	}
	return v.Session, s.Seen(r.Context(), v)
}

// Visit is an open session and the link it was opened with.
type Visit struct {
	Session *sessions.Session
	Link    Link
	seen    int64
}

// Clone is the visit with a session of its own, whose values may be changed.
func (v Visit) Clone() Visit {
	session, options := *v.Session, *v.Session.Options
	session.Values, session.Options = maps.Clone(v.Session.Values), &options
	v.Session = &session
	return v
}

// Visit answers the session the request's cookie names, or fault.NotFound when there is none, or it has ended. Whether
// its link still works is for the caller to ask, as is telling that the session was Seen.
func (s *Store) Visit(r *http.Request, tx *sql.Tx) (Visit, error) {
	cookie, err := r.Cookie(s.cookie)
	if err != nil {
		return Visit{}, errDead
	}
	id := ""
	err = s.sign.Decode(s.cookie, cookie.Value, &id)
	if err != nil {
		return Visit{}, errDead
	}
	v, data := Visit{Session: sessions.NewSession(s, s.cookie)}, ""
	now := s.now()
	err = tx.QueryRowContext(r.Context(), `
		SELECT s.data, s.seen_at, `+linkColumns+`
		FROM customer_sessions s JOIN links l ON l.id = s.link_id
		WHERE s.hash = $1 AND s.ended_at = 0 AND s.seen_at > $2 AND s.created_at > $3`,
		Hash(id), now.Add(-sessionIdle).Unix(), now.Add(-sessionMost).Unix()).Scan(append([]any{&data, &v.seen}, v.Link.into()...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return Visit{}, errDead
	}
	if err != nil {
		return Visit{}, fmt.Errorf("read session: %w", err)
	}
	var values map[string]string
	err = json.Unmarshal([]byte(data), &values)
	if err != nil {
		return Visit{}, fmt.Errorf("read session: %w", err)
	}
	for k, value := range values {
		v.Session.Values[k] = value
	}
	v.Session.ID, v.Session.Options = id, s.options()
	return v, nil
}

// Seen keeps a session alive because its customer is here. It is written at most once a minute.
func (s *Store) Seen(ctx context.Context, v Visit) error {
	now := s.now().Unix()
	if now-v.seen < 60 {
		return nil
	}
	return s.db.Do(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE customer_sessions SET seen_at = $1 WHERE hash = $2`, now, Hash(v.Session.ID))
		return err
	})
}

// Save writes the session and its cookie. Without an id it is a new one; with MaxAge below zero it ends.
func (s *Store) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	now := s.now().Unix()
	if session.Options.MaxAge < 0 {
		http.SetCookie(w, sessions.NewCookie(session.Name(), "", session.Options))
		if session.ID == "" {
			return nil
		}
		return s.db.Do(r.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(r.Context(), `UPDATE customer_sessions SET ended_at = $1 WHERE hash = $2`, now, Hash(session.ID))
			return err
		})
	}
	data, err := json.Marshal(stringsOf(session.Values))
	if err != nil {
		return fmt.Errorf("write session: %w", err)
	}
	fresh := session.ID == ""
	if fresh {
		session.ID = NewToken()
	}
	err = s.db.Do(r.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(r.Context(), `
			INSERT INTO customer_sessions (hash, customer_id, link_id, data, created_at, seen_at, ended_at)
			VALUES ($1, $2, $3, $4, $5, $5, 0)
			ON CONFLICT (hash) DO UPDATE SET data = excluded.data, seen_at = excluded.seen_at`,
			Hash(session.ID), Value(session, KeyCustomer), Value(session, KeyLink), string(data), now)
		return err
	})
	if err != nil {
		return fmt.Errorf("write session: %w", err)
	}
	if !fresh {
		return nil
	}
	signed, err := s.sign.Encode(session.Name(), session.ID)
	if err != nil {
		return fmt.Errorf("sign session: %w", err)
	}
	http.SetCookie(w, sessions.NewCookie(session.Name(), signed, session.Options))
	return nil
}

func (s *Store) options() *sessions.Options {
	return &sessions.Options{Path: "/", MaxAge: int(sessionMost / time.Second), Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// Sweep forgets sessions that ended or ran out more than a day ago.
func (s *Store) Sweep(ctx context.Context) error {
	return s.db.Do(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM customer_sessions WHERE created_at < $1`, s.now().Add(-2*sessionMost).Unix())
		return err
	})
}

// The values every customer's session holds.
const (
	KeyCustomer = "customer"
	KeyLink     = "link"
)

// Value answers a session's string, "" when it holds none.
func Value(session *sessions.Session, key string) string {
	value, _ := session.Values[key].(string)
	return value
}

func stringsOf(values map[any]any) map[string]string {
	all := make(map[string]string, len(values))
	for k, v := range values {
		key, okK := k.(string)
		value, okV := v.(string)
		if okK && okV {
			all[key] = value
		}
	}
	return all
}

// End ends the session with this id at once.
func (s *Store) End(ctx context.Context, id string) error {
	return s.db.Do(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE customer_sessions SET ended_at = $1 WHERE hash = $2 AND ended_at = 0`, s.now().Unix(), Hash(id))
		return err
	})
}

// EndAll ends everybody's sessions at once. The links that opened them stay.
func (s *Store) EndAll(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE customer_sessions SET ended_at = $1 WHERE ended_at = 0`, s.now().Unix())
	if err != nil {
		return fmt.Errorf("end the customers' sessions: %w", err)
	}
	return nil
}
