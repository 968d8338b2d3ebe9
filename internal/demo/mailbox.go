package demo

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"sollecito/internal/sandbox"
)

// mailbox is every letter that went out: those kept from earlier runs in a data folder, then those the catcher has
// caught in this one.
type mailbox struct {
	catcher *sandbox.Catcher
	path    string // of the file that keeps them; "" for none

	mu      sync.Mutex
	earlier []sandbox.Mail
	written int // of this run's
}

// openMailbox reads the letters of earlier runs. A last line that was cut off by a crash is dropped.
func openMailbox(catcher *sandbox.Catcher, path string) (*mailbox, error) {
	b := &mailbox{catcher: catcher, path: path}
	if path == "" {
		return b, nil
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the kept mails: %w", err)
	}
	whole := raw[:bytes.LastIndexByte(raw, '\n')+1]
	if len(whole) < len(raw) {
		err = os.Truncate(path, int64(len(whole)))
		if err != nil {
			return nil, fmt.Errorf("read the kept mails: %w", err)
		}
	}
	for line := range bytes.Lines(whole) {
		var mail sandbox.Mail
		err = json.Unmarshal(line, &mail)
		if err != nil {
			return nil, fmt.Errorf("read the kept mails: %w", err)
		}
		b.earlier = append(b.earlier, mail)
	}
	return b, nil
}

// all answers the letters, oldest first. Their ids count on over all runs.
func (b *mailbox) all() []sandbox.Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append(b.earlier[:len(b.earlier):len(b.earlier)], b.fresh()...)
}

func (b *mailbox) fresh() []sandbox.Mail {
	caught := b.catcher.Mails()
	for i := range caught {
		caught[i].ID = fmt.Sprintf("mail_%d", len(b.earlier)+i+1)
	}
	return caught
}

// find answers one letter.
func (b *mailbox) find(id string) (sandbox.Mail, bool) {
	for _, mail := range b.all() {
		if mail.ID == id {
			return mail, true
		}
	}
	return sandbox.Mail{}, false
}

// keep writes down the letters that came since the last time.
func (b *mailbox) keep() error {
	if b.path == "" {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	caught := b.fresh()
	if len(caught) == b.written {
		return nil
	}
	f, err := os.OpenFile(b.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep the mails: %w", err)
	}
	w := bufio.NewWriter(f)
	lines := json.NewEncoder(w)
	for _, mail := range caught[b.written:] {
		err = errors.Join(err, lines.Encode(mail))
	}
	err = errors.Join(err, w.Flush(), f.Close())
	if err != nil {
		return fmt.Errorf("keep the mails: %w", err)
	}
	b.written = len(caught)
	return nil
}
