package web

import (
	"cmp"
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sollecito/internal/audit"
	"sollecito/internal/staff"
	"sollecito/views/desk"
)

const (
	auditPerPage = 100
	auditBatch   = 500
	auditReach   = 10000 // entries a search walks through before it answers; the next page walks on
)

// showAudit draws the log of who did what, newest first.
func (s *Server) showAudit(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	p := desk.AuditPage{Frame: s.deskFrame(r), Query: queryOf(r)}
	p.Nav = desk.NavAudit
	members, err := s.Members.List(r.Context())
	if err != nil {
		return err
	}
	names := make(map[string]string, len(members))
	for _, m := range members {
		names[m.ID] = cmp.Or(m.Name, m.Email)
	}
	before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	var next int64
	err = s.DB.See(r.Context(), func(tx *sql.Tx) error {
		var err error
		p.Rows, next, err = s.auditRows(r.Context(), tx, p.Query, before, names)
		return err
	})
	if err != nil {
		return err
	}
	more := url.Values{}
	if p.Query != "" {
		more.Set("q", p.Query)
	}
	if before > 0 {
		p.Pager.Previous = "/admin/audit?" + more.Encode()
	}
	if next > 0 {
		more.Set("before", strconv.FormatInt(next, 10))
		p.Pager.Next = "/admin/audit?" + more.Encode()
	}
	s.show(w, r, http.StatusOK, desk.Audit(p))
	return nil
}

// auditRows walks the log backwards from before (0 for its end) and answers the lines that match, and where the
// next page begins, 0 when there is none. Names are no part of the log, so it cannot be asked for them.
func (s *Server) auditRows(ctx context.Context, tx *sql.Tx, query string, before int64, names map[string]string) ([]desk.AuditRow, int64, error) {
	var rows []desk.AuditRow
	wanted := strings.ToLower(strings.TrimSpace(query))
	for walked := 0; walked < auditReach; {
		batch, err := audit.List(ctx, tx, before, auditBatch)
		if err != nil {
			return nil, 0, err
		}
		for _, e := range batch {
			row := s.auditRow(e, names)
			before = e.Seq
			if wanted == "" || strings.Contains(strings.ToLower(strings.Join([]string{row.Who, row.Did, row.Object, row.Detail, e.Action, e.Actor, e.IP, e.Request}, "\n")), wanted) {
				rows = append(rows, row)
			}
			if len(rows) == auditPerPage {
				return rows, morePast(before), nil
			}
		}
		if len(batch) < auditBatch {
			return rows, 0, nil
		}
		walked += len(batch)
	}
	return rows, morePast(before), nil
}

// morePast answers where the next page begins; before entry 1 there is nothing.
func morePast(seq int64) int64 {
	if seq <= 1 {
		return 0
	}
	return seq
}

func (s *Server) auditRow(e audit.Entry, names map[string]string) desk.AuditRow {
	row := desk.AuditRow{
		Seq: e.Seq, At: s.zoned(e.At), Who: auditActor(e.Actor, names), Did: auditWords(e.Action), Object: e.Object,
		Detail: e.Detail, From: e.IP, RequestID: e.Request,
	}
	id := url.PathEscape(e.Object)
	switch {
	case strings.HasPrefix(e.Object, "cus_"):
		row.ObjectURL = "/admin/customers/" + id
	case strings.HasPrefix(e.Object, "conv_"):
		row.ObjectURL = "/admin/conversations/" + id
	case strings.HasPrefix(e.Object, "ntc_"):
		row.ObjectURL = "/admin/notices/" + id
	case strings.HasPrefix(e.Object, "case_") && strings.HasPrefix(e.Detail, "cus_"):
		customer, _, _ := strings.Cut(e.Detail, " ") // what was done to at Stripe may follow
		row.ObjectURL = "/admin/customers/" + url.PathEscape(customer)
	case names[e.Object] != "":
		row.Object = names[e.Object]
	}
	return row
}

func auditActor(actor string, names map[string]string) string {
	switch actor {
	case "":
		return "Sollecito"
	case "program":
		return "Sollecito by itself"
	case "command":
		return "The command line"
	case "nobody":
		return "Somebody not signed in"
	case "customer":
		return "The customer"
	}
	return cmp.Or(names[actor], actor)
}

// auditWords are an action as a sentence's middle; one without words of its own stands as it is.
func auditWords(action string) string {
	words, known := auditActions[action]
	if !known {
		return action
	}
	return words
}

var auditActions = map[string]string{
	"staff.added": "added a colleague", "staff.renewed": "made a new enrolment address for", "staff.enrolled": "chose a password",
	"staff.password_given": "gave the right password", "staff.code_failed": "gave a wrong second factor", "staff.confirmed": "confirmed who they are",
	"staff.confirm_failed": "failed to confirm who they are", "staff.factor_set": "set up a second factor", "staff.factor_reset": "reset the second factor of",
	"staff.codes_renewed": "made new recovery codes", "staff.codes_kept": "kept their recovery codes", "staff.role_changed": "changed the role of",
	"staff.sessions_ended": "ended sessions of", "staff.password_changed": "changed their password",
	"staff.signed_in": "signed in", "staff.signed_out": "signed out", "staff.sign_in_failed": "failed to sign in", "staff.disabled": "disabled",
	"customer.exported": "exported everything that is kept of", "customer.erased": "erased",
	"customer.rest_deleted": "deleted what was left of",
	"customer.viewed":       "read the record of", "notice.viewed": "read the copy of", "conversation.viewed": "read", "conversation.reply": "answered in",
	"case.paused": "paused reminders of", "case.resumed": "resumed reminders of", "case.released": "started reminders of",
	"imported.released":  "released from the first import",
	"case.final_ordered": "decided on the final act for", "case.final_declined": "decided against the final act for",
	"stripe.cancel": "ended a subscription at Stripe in", "stripe.pause": "paused collection at Stripe in", "stripe.uncollectible": "wrote an invoice off at Stripe in",
	"promise.set": "set a day of payment in", "promise.withdrawn": "took a day of payment back in",
	"case.announced": "announced a consequence again to", "links.revoked": "ended the links of", "address.mailed_again": "allowed mail again to",
	"choices." + desk.ActNoMail: "wrote down that no reminder is mailed to", "choices." + desk.ActNoReminders: "wrote down that no reminder goes to",
	"choices." + desk.ActRemind: "wrote down that reminders go again to", "wish.done": "saw to the wish of", "method.remove": "removed a payment method of",
	"case.charged":    "charged an invoice of",
	"interest.viewed": "read the paper on late interest", "interest.confirmed": "confirmed late interest", "interest.withdrawn": "withdrew late interest",
	"key.made": "made the API key", "key.ended": "ended the API key",
	"webhook.added": "added the endpoint", "webhook.changed": "changed the endpoint", "webhook.renewed": "made a new secret for the endpoint",
	"webhook.tested": "sent a test to the endpoint", "webhook.again": "delivered a message again to the endpoint",
	"webhook.all_again": "delivered again everything that was given up for the endpoint", "webhook.disabled": "disabled the endpoint",
	"webhook.enabled": "enabled the endpoint", "webhook.removed": "removed the endpoint",
	"database.restored": "began to work on a copy of the database,", "sending.stopped": "stopped all sending", "sending.resumed": "resumed sending", "campaign.applied": "applied the campaign",
}
