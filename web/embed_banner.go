package web

import (
	"database/sql"
	"net/http"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/internal/outbox"
)

// banner is what the notice in the app shows. State "" is nothing. For a member of a team who cannot pay it holds
// neither sum nor date nor reason.
type banner struct {
	State        string        `json:"state"`
	Severity     string        `json:"severity"` // info, warning, critical
	Wall         string        `json:"wall"`     // none, soft, hard: how firmly the app may stand in the way
	Amount       *bannerAmount `json:"amount,omitempty"`
	DueAt        string        `json:"due_at,omitempty"`         // RFC 3339, of the oldest open invoice
	AccessEndsAt string        `json:"access_ends_at,omitempty"` // RFC 3339, as it was announced
	Reason       string        `json:"reason,omitempty"`
	Text         bannerText    `json:"text"`
	Lang         string        `json:"lang"`
	Dir          string        `json:"dir"`
	Dismissible  bool          `json:"dismissible"`
	PollSeconds  int           `json:"poll_s"`
}

// bannerAmount is what is open in the currency of most of it.
type bannerAmount struct {
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
	Text     string `json:"text"`
}

type bannerText struct {
	Label   string `json:"label"`
	Title   string `json:"title"`
	Body    string `json:"body"`
	CTA     string `json:"cta,omitempty"`
	Dismiss string `json:"dismiss,omitempty"`
	Failed  string `json:"failed,omitempty"` // said when a press on CTA came to nothing
}

// The states of the notice.
const (
	bannerNotice     = "notice"
	bannerPastDue    = "past_due"
	bannerAction     = "action_required"
	bannerProcessing = "processing"
	bannerEnding     = "grace_ending"
	bannerRestricted = "restricted"
	bannerSuspended  = "suspended"
)

// How soon the script asks again, in seconds. In test mode somebody sits in front of it and waits.
const (
	pollNormal = 300
	pollTest   = 15
)

// bannerFacts is what a notice is drawn from.
type bannerFacts struct {
	customer billing.Customer
	c        dunning.Case
	open     []billing.Invoice
	class    billing.Class
	ends     time.Time       // when access becomes less, as it was announced; zero for no such day
	to       campaign.Access // what it is then
	now      time.Time
}

// bannerOf answers what the customer's app shows now. The notice is a message of the campaign: it shows once a step
// with the app as its channel was taken, rests when the case rests, and waits while all sending is stopped. What was taken
// away shows from the first moment of the next case on.
func (e *embed) bannerOf(r *http.Request, tx *sql.Tx, who reader) (banner, error) {
	f, showing, err := e.bannerFacts(r, tx, who)
	if err != nil || !showing {
		return banner{}, err
	}
	state, err := e.bannerState(r, tx, f)
	if err != nil || state == "" {
		return banner{}, err
	}
	if state != bannerRestricted && state != bannerSuspended {
		until, err := outbox.SnoozedUntil(r.Context(), tx, f.customer.ID)
		if err != nil || until > f.now.Unix() {
			return banner{}, err
		}
	}
	return e.drawBanner(f, state, who), nil
}

// bannerFacts gathers the facts; showing is false when there is nothing to say whatever they are.
func (e *embed) bannerFacts(r *http.Request, tx *sql.Tx, who reader) (f bannerFacts, showing bool, err error) {
	ctx := r.Context()
	f.now = e.Now()
	f.customer, err = billing.FindCustomer(ctx, tx, who.customer)
	if fault.Is(err, fault.NotFound) || err == nil && f.customer.Deleted {
		return f, false, nil
	}
	if err != nil {
		return f, false, err
	}
	f.c, err = e.Cases.LatestOf(ctx, tx, f.customer.ID)
	if fault.Is(err, fault.NotFound) {
		return f, false, nil
	}
	if err != nil {
		return f, false, err
	}
	if f.c.Status != dunning.Open && !limited(f.c.Access) {
		return f, false, nil
	}
	choices, err := contact.ChoicesOf(ctx, tx, f.customer.ID)
	if err != nil {
		return f, false, err
	}
	notices, err := outbox.OfCase(ctx, tx, f.c.ID)
	if err != nil {
		return f, false, err
	}
	told := limited(f.c.Access) // why a door is closed is told at any time, also to those who want no notices
	if !told && !choices.NoApp {
		told, err = e.told(r, tx, notices)
	}
	if err != nil || !told {
		return f, false, err
	}
	in, err := e.Cases.SituationOf(ctx, tx, f.c, f.now)
	if err != nil {
		return f, false, err
	}
	f.class = in.Class
	f.ends, f.to = f.c.Tightens(in, asShown(notices))
	all, err := e.Cases.InvoicesOf(ctx, tx, f.c)
	if err != nil {
		return f, false, err
	}
	for _, i := range all {
		if i.Open() {
			f.open = append(f.open, i)
		}
	}
	return f, len(f.open) > 0, nil
}

func limited(access campaign.Access) bool {
	return access == campaign.Restricted || access == campaign.Suspended
}

// asShown answers the notices as they are once this one is seen: what waits to be told in the app has been told by it, and the
// day that it announces counts from then on.
func asShown(notices []outbox.Notice) []outbox.Notice {
	notices = slices.Clone(notices)
	for i, n := range notices {
		if inApp(n) && n.Status == outbox.Queued {
			notices[i].Status = outbox.Sent
		}
	}
	return notices
}

// inApp reports whether a notice is one of the campaign's messages in the app.
func inApp(n outbox.Notice) bool { return n.Channel == outbox.App && n.Kind == outbox.Reminder }

// told reports whether the campaign has something to say in the app: a notice that was seen already, or a queued
// one, which starts only while sending is on.
func (e *embed) told(r *http.Request, tx *sql.Tx, notices []outbox.Notice) (bool, error) {
	queued := false
	for _, n := range notices {
		if !inApp(n) {
			continue
		}
		if n.Status == outbox.Sent {
			return true, nil
		}
		queued = queued || n.Status == outbox.Queued
	}
	if !queued {
		return false, nil
	}
	sending, err := dunning.SendingSwitch(r.Context(), tx)
	return !sending.Stopped, err
}

// bannerState says which notice it is, "" while the case rests for anything but a bank debit under way.
func (e *embed) bannerState(r *http.Request, tx *sql.Tx, f bannerFacts) (string, error) {
	pauses, err := e.Cases.ActivePauses(r.Context(), tx, f.c.ID)
	if err != nil {
		return "", err
	}
	processing := false
	for _, p := range pauses {
		if p.Reason != dunning.PauseProcessing {
			return "", nil
		}
		processing = true
	}
	switch {
	case processing:
		return bannerProcessing, nil
	case f.c.Access == campaign.Suspended:
		return bannerSuspended, nil
	case f.c.Access == campaign.Restricted:
		return bannerRestricted, nil
	case f.c.Access == campaign.Grace && f.c.ConsequenceAt > 0:
		return bannerEnding, nil
	case f.class == billing.ClassAuthentication:
		return bannerAction, nil
	case f.c.Step <= 1:
		return bannerNotice, nil
	}
	return bannerPastDue, nil
}

func (e *embed) drawBanner(f bannerFacts, state string, who reader) banner {
	locale := e.bannerLocale(who, f.customer)
	b := banner{State: state, Severity: "info", Wall: "none", Lang: locale.Tag(), Dir: locale.Dir(), Dismissible: true, PollSeconds: pollNormal}
	if e.TestMode {
		b.PollSeconds = pollTest
	}
	switch state {
	case bannerPastDue, bannerAction:
		b.Severity = "warning"
	case bannerEnding:
		b.Severity = "critical"
	case bannerRestricted:
		b.Severity, b.Wall, b.Dismissible = "critical", "soft", false
	case bannerSuspended:
		b.Severity, b.Wall, b.Dismissible = "critical", "hard", false
	}
	if !who.billing {
		b.Dismissible = true
		b.Text = bannerText{
			Label: locale.Text("banner.label_member"), Title: locale.Text("banner.member.title"), Body: locale.Text("banner.member.body"),
			Dismiss: locale.Text("banner.close"),
		}
		return b
	}
	var amounts []billing.Money
	for _, i := range f.open {
		amounts = append(amounts, i.Remaining())
	}
	totals := billing.Totals(amounts)
	sums := make([]string, len(totals)) // listed beside each other, never added
	for i, t := range totals {
		sums[i] = string(locale.Money(t.Minor, t.Currency))
	}
	sum := l10n.Isolated(locale.List(sums))
	if state != bannerProcessing {
		b.Amount = &bannerAmount{Minor: totals[0].Minor, Currency: totals[0].Currency, Text: string(sum)}
		b.Reason = publicReason(f.class)
	}
	if f.open[0].Since() > 0 {
		b.DueAt = time.Unix(f.open[0].Since(), 0).UTC().Format(time.RFC3339)
	}
	args := l10n.Args{"Amount": sum}
	if !f.ends.IsZero() && !limited(f.c.Access) {
		b.AccessEndsAt = f.ends.UTC().Format(time.RFC3339)
		args["Day"] = locale.Day(f.ends.In(e.Cases.Zone(f.customer)))
	}
	b.Text = bannerWords(locale, state, f, args)
	b.Text.CTA = bannerButton(locale, state, f.class, len(totals) > 1, args)
	if b.Text.CTA != "" {
		b.Text.Failed = locale.Text("card.failed")
	}
	switch {
	case state == bannerProcessing:
		b.Text.Dismiss = locale.Text("banner.close")
	case b.Dismissible:
		b.Text.Dismiss = locale.Text("banner.not_today")
	}
	return b
}

// publicReason is why the payment failed, as anybody in front of the app's screen may read it: a lost or stolen
// card is never told apart.
func publicReason(class billing.Class) string {
	if class == billing.ClassDead {
		return string(billing.ClassGeneric)
	}
	return string(class)
}

// bannerWords are the sentences. Without a date that was announced and still lies ahead they name none.
func bannerWords(locale *l10n.Locale, state string, f bannerFacts, args l10n.Args) bannerText {
	said := func(key string) string { return locale.IsolatedText("banner."+state+"."+key, args) }
	text := bannerText{Label: locale.Text("banner.label"), Title: said("title"), Body: said("body")}
	_, dated := args["Day"]
	switch {
	case dated && (state == bannerNotice || state == bannerPastDue):
		text.Body = said("body_until")
	case dated && state == bannerEnding && f.to == campaign.Suspended:
		text.Title = said("title_suspended")
	case !dated && state == bannerEnding:
		// The date has come and the consequence waits for a person: no day is promised that would be wrong.
		text.Title, text.Body = locale.Text("banner.past_due.title"), locale.Text("banner.past_due.body")
	}
	return text
}

// bannerButton says what the one button leads to: what can help with this failure.
func bannerButton(locale *l10n.Locale, state string, class billing.Class, several bool, args l10n.Args) string {
	switch {
	case state == bannerProcessing:
		return ""
	case class == billing.ClassAuthentication && !several:
		return locale.IsolatedText("banner.approve", args)
	case several:
		return locale.Text("banner.see")
	case !class.Retryable():
		return locale.Text("banner.card")
	}
	return locale.IsolatedText("banner.pay", args)
}
