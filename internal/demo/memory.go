package demo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sollecito/internal/sandbox"

	"sollecito/internal/link"
)

// role is one of the cast as the running demo knows them. Token is that of their own link.
type role struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Scenario string `json:"scenario"`
	Story    string `json:"story"`
	Token    string `json:"token"`
	Invoice  string `json:"invoice,omitempty"` // that failed
	Press    string `json:"press,omitempty"`   // their last one of a button that charges
	Old      string `json:"old,omitempty"`     // token of a link that no longer works
	Handed   string `json:"handed,omitempty"`  // token of a link with which somebody else may pay
	Spare    string `json:"spare,omitempty"`   // a payment method that nothing is charged to
}

// record is what a demo has to know to go on after a restart, beside its database and its mails. It is one file, so
// that clock and stand-in are always of the same instant.
type record struct {
	Seeded  bool            `json:"seeded"`
	Offset  time.Duration   `json:"offset"`  // of the clock, in nanoseconds
	StaffID string          `json:"staff"`   //
	Secret  string          `json:"secret"`  // of the staff member's second factor, for the visitors to sign in with
	Key     string          `json:"key"`     // SOLLECITO_SESSION_KEY, under which the portal keeps it
	Cast    []role          `json:"cast"`    //
	Webhook string          `json:"webhook"` // where the stand-in's events go
	Stripe  string          `json:"stripe"`  // the address the stand-in listened on
	Sandbox json.RawMessage `json:"sandbox,omitempty"`
}

// memory holds the record and keeps it in the data folder.
type memory struct {
	folder string
	keeps  bool // a temporary folder is not worth writing to

	mu   sync.Mutex
	rec  record
	last []byte // as written
}

const (
	recordFile   = "demo.json"
	databaseFile = "demo.db"
	mailsFile    = "mails.jsonl"
	logoFile     = "logo.png"
	ratesFile    = "interest.yaml"
)

// openMemory reads the folder's record, if there is one. What a demo that was ended in the middle of its seed left
// behind is cleared away. A database of that name which no demo made is left alone and refused.
func openMemory(folder string, keeps bool) (*memory, error) {
	m := &memory{folder: folder, keeps: keeps}
	raw, err := os.ReadFile(m.path(recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(m.path(databaseFile))
		if err == nil {
			return nil, fmt.Errorf("%s holds a %s without the %s that belongs to it: name another folder with --data", folder, databaseFile, recordFile)
		}
		return m, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the demo's folder: %w", err)
	}
	err = json.Unmarshal(raw, &m.rec)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read (%w): name another folder with --data", m.path(recordFile), err)
	}
	if m.rec.Seeded {
		return m, nil
	}
	m.rec = record{}
	for _, name := range []string{databaseFile, databaseFile + "-wal", databaseFile + "-shm", mailsFile} {
		err = os.Remove(m.path(name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("clear an unfinished demo away: %w", err)
		}
	}
	return m, nil
}

func (m *memory) path(name string) string { return filepath.Join(m.folder, name) }

// seeded reports whether the story has been told and people may come in.
func (m *memory) seeded() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rec.Seeded
}

func (m *memory) record() record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rec
}

// raise lifts the curtain.
func (m *memory) raise(roles []role) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rec.Cast, m.rec.Seeded = roles, true
}

func (m *memory) setStaff(id, secret string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rec.StaffID, m.rec.Secret = id, secret
}

// sessionKey answers the portal's session key, made at the first start.
func (m *memory) sessionKey() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rec.Key == "" {
		m.rec.Key = link.NewToken()
	}
	return m.rec.Key
}

func (m *memory) setAddresses(webhook, stripe string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rec.Webhook, m.rec.Stripe = webhook, stripe
}

// begin writes down that a seed is under way, so that one which is never finished is known as such.
func (m *memory) begin() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.keeps || m.rec.Seeded {
		return nil
	}
	return m.replace(m.rec)
}

// write keeps the record with the stand-in's whole state, when something changed since the last time. Until the
// story has been told there is nothing worth keeping.
func (m *memory) write(offset time.Duration, s *sandbox.Server) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.keeps || !m.rec.Seeded {
		return nil
	}
	var state bytes.Buffer
	err := s.Save(&state)
	if err != nil {
		return err
	}
	rec := m.rec
	rec.Offset, rec.Sandbox = offset, state.Bytes()
	return m.replace(rec)
}

func (m *memory) replace(rec record) error {
	raw, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("keep the demo: %w", err)
	}
	if bytes.Equal(raw, m.last) {
		return nil
	}
	err = replaceFile(m.path(recordFile), raw)
	if err != nil {
		return fmt.Errorf("keep the demo: %w", err)
	}
	m.last = raw
	return nil
}

// replaceFile writes a file so that a reader, also one after a crash, finds the old content or the new one.
func replaceFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename there is nothing of that name
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
