package web

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/url"
	"strings"

	"sollecito/internal/billing"
	"sollecito/internal/brand"
	"sollecito/internal/campaign"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
	"sollecito/views/desk"
)

// customersNotice finds a message about a customer, with the copy that is kept of it, "" for none. What colleagues are
// told of their own accounts is theirs.
func customersNotice(ctx context.Context, tx *sql.Tx, id string) (n outbox.Notice, copied string, err error) {
	n, err = outbox.Find(ctx, tx, id)
	if err == nil && n.Kind == outbox.StaffAlert {
		return outbox.Notice{}, "", fault.New(fault.NotFound, "There is no such message")
	}
	if err != nil {
		return outbox.Notice{}, "", err
	}
	copied, err = outbox.CopyOf(ctx, tx, n.ID)
	return n, copied, err
}

// showNotice draws the kept copy of one message: what it was, how it went, its headers and its text.
func (s *Server) showNotice(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	var n outbox.Notice
	var customer billing.Customer
	var plan campaign.Campaign
	var copied string
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		var err error
		n, copied, err = customersNotice(r.Context(), tx, r.PathValue("id"))
		if err != nil {
			return err
		}
		customer, err = billing.FindCustomer(r.Context(), tx, n.CustomerID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if n.CaseID == "" {
			return nil
		}
		c, err := s.Cases.Find(r.Context(), tx, n.CaseID)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		campaigns, err := s.Cases.Campaigns(r.Context(), tx)
		plan = c.Plan(campaigns)
		return err
	})
	if err != nil {
		return err
	}
	err = s.looked(r, who, "notice.viewed", n.ID, n.CustomerID)
	if err != nil {
		return err
	}
	p := desk.NoticePage{
		Frame: s.deskFrame(r), ID: n.ID, CustomerID: n.CustomerID, CustomerName: cmp.Or(customer.Name, customer.Email),
		Title: noticeTitle(n, plan), State: string(n.Status), Reason: s.whyWords(n.Reason), At: s.at(cmp.Or(n.SettledAt, n.CreatedAt)),
	}
	p.Nav = desk.NavToday
	err = fillCopy(&p, n, copied)
	if err != nil {
		return err
	}
	s.show(w, r, http.StatusOK, desk.Notice(p))
	return nil
}

// fillCopy puts in what a message said, or why that is not there.
func fillCopy(p *desk.NoticePage, n outbox.Notice, copied string) error {
	switch {
	case copied != "":
		kept, err := parseCopy(copied)
		if err != nil {
			return fmt.Errorf("read the copy of %s: %w", n.ID, err)
		}
		p.Headers, p.Text, p.Lang = kept.headers, kept.text, kept.lang
		if kept.html != "" {
			p.HTMLURL = "/admin/notices/" + url.PathEscape(n.ID) + "/html"
		}
	case n.Channel == outbox.App:
		p.Text = "A notice in the app is drawn anew each time it shows, from what is open then. There is no copy of it."
	case n.Attempts == 0:
		p.Text = "Not written yet. A mail is written the moment it goes out, from what is open then."
	default:
		p.Forgotten = true
	}
	return nil
}

// copyPolicy lets nothing of a kept letter run or lead anywhere, and load our own logo alone. The letter is sandboxed, so
// that our own address must be named.
func (s *Server) copyPolicy() string {
	return "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src " + s.Addresses.To(brand.LogoPath) + " data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// showNoticeHTML serves the HTML part of a kept copy alone, as it was sent.
func (s *Server) showNoticeHTML(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	var n outbox.Notice
	var copied string
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		var err error
		n, copied, err = customersNotice(r.Context(), tx, r.PathValue("id"))
		return err
	})
	if err != nil {
		return err
	}
	gone := fault.New(fault.NotFound, "There is no HTML part of this message.")
	if copied == "" {
		return gone
	}
	kept, err := parseCopy(copied)
	if err != nil {
		return fmt.Errorf("read the copy of %s: %w", n.ID, err)
	}
	if kept.html == "" {
		return gone
	}
	err = s.looked(r, who, "notice.viewed", n.ID, n.CustomerID)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", s.copyPolicy())
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = io.WriteString(w, kept.html)
	return err
}

// keptCopy is a letter read back from its bytes.
type keptCopy struct {
	headers    []desk.Header
	lang       string
	text, html string
}

// headersShown are a letter's headers that tell staff something, in the order they are drawn.
func headersShown() []string {
	return []string{"Date", "From", "To", "Reply-To", "Subject", "Message-ID", "Content-Language", "Auto-Submitted"}
}

func parseCopy(kept string) (keptCopy, error) {
	letter, err := mail.ReadMessage(strings.NewReader(kept))
	if err != nil {
		return keptCopy{}, err
	}
	c := keptCopy{lang: letter.Header.Get("Content-Language")}
	words := new(mime.WordDecoder)
	for _, name := range headersShown() {
		value := letter.Header.Get(name)
		if value == "" {
			continue
		}
		decoded, err := words.DecodeHeader(value)
		if err != nil {
			decoded = value
		}
		c.headers = append(c.headers, desk.Header{Name: name, Value: decoded})
	}
	kind, params, err := mime.ParseMediaType(letter.Header.Get("Content-Type"))
	if err != nil {
		return keptCopy{}, err
	}
	if !strings.HasPrefix(kind, "multipart/") {
		body, err := decodeBody(letter.Header.Get("Content-Transfer-Encoding"), letter.Body)
		c.take(kind, body)
		return c, err
	}
	parts := multipart.NewReader(letter.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return c, nil
		}
		if err != nil {
			return keptCopy{}, err
		}
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			return keptCopy{}, err
		}
		body, err := decodeBody(part.Header.Get("Content-Transfer-Encoding"), part)
		if err != nil {
			return keptCopy{}, err
		}
		c.take(kind, body)
	}
}

func (c *keptCopy) take(kind, body string) {
	switch kind {
	case "text/plain":
		c.text = body
	case "text/html":
		c.html = body
	}
}

// decodeBody reads a part as our own letters are encoded.
func decodeBody(encoding string, from io.Reader) (string, error) {
	if strings.EqualFold(encoding, "quoted-printable") {
		from = quotedprintable.NewReader(from)
	}
	var b bytes.Buffer
	_, err := b.ReadFrom(from)
	return strings.ReplaceAll(b.String(), "\r\n", "\n"), err
}
