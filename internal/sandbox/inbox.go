package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Mail is one mail as the catcher read it. What could not be decoded is given
// as it came.
type Mail struct {
	ID      string    `json:"id"`      // mail_1, mail_2, … in the order of arrival
	At      time.Time `json:"at"`      // when it was accepted, by the catcher's clock, in UTC, whole seconds
	From    string    `json:"from"`    // the From line, decoded; the envelope's sender without one
	To      string    `json:"to"`      // who got it by the envelope: bare addresses, joined by ", "
	Subject string    `json:"subject"` // decoded
	Text    string    `json:"text"`    // the first text/plain part, decoded, with \n line ends
	HTML    string    `json:"html"`    // the first text/html part, decoded, with \n line ends
	// Headers holds the decoded, unfolded value of each header line by its name
	// as the mail spells it; the first one where a name occurs twice.
	Headers map[string]string `json:"headers"`

	Sender     string   `json:"-"` // the envelope's sender, where a bounce would go; "" for the empty one
	Recipients []string `json:"-"` // the envelope's recipients, one by one
	Raw        []byte   `json:"-"` // the mail as it came over the wire
}

// Header returns the value of the named header line, whatever the case of its
// letters, and "" when the mail has none.
func (m Mail) Header(name string) string {
	for key, value := range m.Headers {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

// Mails returns copies of the mails caught, oldest first.
func (c *Catcher) Mails() []Mail {
	c.mu.Lock()
	defer c.mu.Unlock()
	mails := make([]Mail, len(c.mails))
	for i, mail := range c.mails {
		mail.Headers = maps.Clone(mail.Headers)
		mail.Recipients = slices.Clone(mail.Recipients)
		mail.Raw = slices.Clone(mail.Raw)
		mails[i] = mail
	}
	return mails
}

// Clear forgets all mails caught so far. Ids are not used again.
func (c *Catcher) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mails = nil
}

// ServeHTTP answers GET with the mails as a JSON array, oldest first.
func (c *Catcher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The inbox can only be read.", http.StatusMethodNotAllowed)
		return
	}
	c.mu.Lock()
	// A mail never changes once it is kept, so the slice may be read after the
	// lock is gone.
	mails := c.mails[:len(c.mails):len(c.mails)]
	c.mu.Unlock()
	if mails == nil {
		mails = []Mail{} // an empty inbox is [], not null
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	body := json.NewEncoder(w)
	body.SetEscapeHTML(false)
	body.SetIndent("", "  ")
	// The only failure left is a reader who went away.
	_ = body.Encode(mails)
}

// keep reads a mail and puts it behind the others.
func (c *Catcher) keep(sender string, recipients []string, raw []byte) {
	mail := readMail(raw)
	mail.Sender = sender
	mail.Recipients = slices.Clone(recipients)
	mail.To = strings.Join(recipients, ", ")
	if mail.From == "" {
		mail.From = sender
	}
	mail.At = c.now().UTC().Truncate(time.Second)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	mail.ID = fmt.Sprintf("mail_%d", c.count)
	c.mails = append(c.mails, mail)
}
