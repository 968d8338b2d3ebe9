package jobs

import (
	"context"
	"sync"

	"sollecito/internal/mail"
	"sollecito/views/email"
)

// forms keeps the pages that letters are filled into, drawn and encoded once each. There are as many as letters differ in
// how they are built: in language, reason, number of invoices. The zero value is ready.
type forms struct {
	mu   sync.Mutex
	kept map[email.Build]*form
}

// form is one page, as it is drawn and as it goes.
type form struct {
	email.Form
	encoded *mail.Form
}

// mostForms bounds what is kept: some 15 KB each.
const mostForms = 500

// fill answers the form of a letter and what the letter says in its places.
func (f *forms) fill(ctx context.Context, l email.Letter) (*mail.Form, []string, error) {
	build, words := l.Build()
	f.mu.Lock()
	known := f.kept[build]
	f.mu.Unlock()
	if known != nil {
		return known.encoded, known.Fill(words), nil
	}
	drawn, err := l.Form(ctx) // two may draw the same one at the same time
	if err != nil {
		return nil, nil, err
	}
	known = &form{drawn, mail.NewForm(drawn.Markup)}
	known.Markup = nil // encoded it is needed alone
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kept == nil || len(f.kept) >= mostForms {
		f.kept = map[email.Build]*form{}
	}
	f.kept[build] = known
	return known.encoded, known.Fill(words), nil
}
