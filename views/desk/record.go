package desk

import (
	"time"

	"github.com/a-h/templ"
)

// NoticePage is the exact kept copy of one message, GET /admin/notices/{id}. The HTML part is not drawn into this
// page: HTMLURL serves it alone, with a Content-Security-Policy that runs nothing.
type NoticePage struct {
	Frame
	ID           string
	CustomerID   string
	CustomerName string
	Title        string // "Mail 3"
	State        string // queued, sending, sent, uncertain, failed, skipped
	Reason       string // why it failed or was skipped; "" otherwise
	At           time.Time
	Headers      []Header // as they were sent, in their order
	Text         string   // the plain text part; the link's secret is cut out
	Lang         string   // of the subject and the text; "" when unknown
	HTMLURL      string   // "" when there is no HTML part
	Forgotten    bool     // the copy's time has passed, or the customer was erased: only the facts above are left
}

// speaks says in which language the message was written, to who has it read out.
func (p NoticePage) speaks() templ.Attributes {
	if p.Lang == "" {
		return nil
	}
	return templ.Attributes{"lang": p.Lang}
}

// Header is one header of a message.
type Header struct{ Name, Value string }

// AuditPage is the log of who did what, GET /admin/audit.
type AuditPage struct {
	Frame
	Query string
	Rows  []AuditRow
	Pager Pager
}

// AuditRow is one line of the log.
type AuditRow struct {
	Seq       int64
	At        time.Time
	Who       string // "Ines Ferrer", "Sollecito", "the customer"
	Did       string // "paused reminders"
	Object    string // "Anneke de Vries", "Sending"
	ObjectURL string // "" for none
	Detail    string
	From      string // the address it came from; "" when nobody's
	RequestID string
}

// SendingPage is the one switch over all sending, GET /admin/sending. Its forms are POST /admin/sending/stop with
// reason, and POST /admin/sending/resume.
type SendingPage struct {
	Frame
	MayChange bool
	Queued    int    // messages that wait to go out now
	Due       int    // steps that come due in the next 24 hours
	Ignorant  bool   // the database was put back from a copy, and Stripe is not read yet: nobody may resume
	Reason    string // what was typed before, kept
	Fault     string // what is wrong with it; "" when nothing
}
