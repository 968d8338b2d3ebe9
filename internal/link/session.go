package link

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"sollecito/internal/database"
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
	session := sessions.NewSession(s, name)
	session.Options = s.options()
	session.IsNew = true
	cookie, err := r.Cookie(name)
	if err != nil {
		return session, nil
	}
	var id string
	err = s.sign.Decode(name, cookie.Value, &id)
	if err != nil {
		return session, nil
	}
	row, err := s.load(r.Context(), Hash(id))
	if errors.Is(err, sql.ErrNoRows) {
		return session, nil
	}
	if err != nil {
		return session, fmt.Errorf("read session: %w", err)
	}
	for k, v := range row {
		session.Values[k] = v
	}
	session.ID = id
	session.IsNew = false
	return session, nil
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

// load answers the values of a living session, sql.ErrNoRows otherwise. Being seen keeps it alive; that is
// written at most once a minute.
func (s *Store) load(ctx context.Context, hash string) (map[string]string, error) {
	now := s.now()
	var data string
	var seen int64
	err := s.db.See(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `
			SELECT data, seen_at FROM customer_sessions
			WHERE hash = $1 AND ended_at = 0 AND seen_at > $2 AND created_at > $3`,
			hash, now.Add(-sessionIdle).Unix(), now.Add(-sessionMost).Unix()).Scan(&data, &seen)
	})
	if err != nil {
		return nil, err
	}
	if now.Unix()-seen >= 60 {
		err = s.db.Do(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE customer_sessions SET seen_at = $1 WHERE hash = $2`, now.Unix(), hash)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	var values map[string]string
	err = json.Unmarshal([]byte(data), &values)
	return values, err
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
