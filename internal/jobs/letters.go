package jobs

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/inbound"
	"sollecito/internal/l10n"
	"sollecito/internal/link"
	"sollecito/internal/mail"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
	"sollecito/internal/stepup"
	"sollecito/internal/support"
	"sollecito/views/email"
)

// Letters writes a notice as the letter that goes out: in the reader's language, from what is stored at that
// moment, with a link of its own.
type Letters struct {
	Cases     *dunning.Cases
	Talks     *support.Conversations
	Catalog   *l10n.Catalog
	Addresses link.Addresses
	Merchant  email.Merchant
	From      mail.Address
	Inbound   inbound.Addresses // where bounces and replies of each letter go; none leaves them to From and support
	Language  string            // when nothing tells the customer's
	Zone      *time.Location    // the merchant's own, for letters to staff
	Codes     *stepup.Codes
	Collector bool         // reminders carry an opt-out notice and a one-click unsubscribe (RFC 8058)
	Signer    *mail.Signer // signs each letter (DKIM); nil leaves that to the mail server
	OnlyTo    string       // the one address all mail goes to in test mode, "" for the real ones
}

// Recipient decides where a notice goes, from what is stored at that moment; "" and why when it can go nowhere.
// Reminders and receipts may go to another billing contact; what answers somebody goes to the address on file alone.
func (l *Letters) Recipient(ctx context.Context, tx *sql.Tx, n outbox.Notice) (to, why string, err error) {
	if n.Kind == outbox.StaffAlert { // about a colleague's account, and to them whatever came back before
		a, err := staff.FindAlert(ctx, tx, n.SubjectID)
		if fault.Is(err, fault.NotFound) {
			return "", "What it tells of no longer exists.", nil
		}
		return cmp.Or(l.OnlyTo, a.Email), "", err
	}
	who, err := billing.FindCustomer(ctx, tx, n.CustomerID)
	if fault.Is(err, fault.NotFound) {
		return "", "What it tells of no longer exists.", nil
	}
	if err != nil {
		return "", "", err
	}
	if n.Kind == outbox.StaffMessage {
		return cmp.Or(l.OnlyTo, l.Merchant.SupportEmail), "", nil // staff are told whatever came back before
	}
	addresses := who.Addresses()
	if n.Kind != outbox.Reminder && n.Kind != outbox.Settled && n.Kind != outbox.Precaution && n.Kind != outbox.FinalAct {
		addresses = addresses[:min(len(addresses), 1)]
		if who.Email == "" {
			addresses = nil
		}
	}
	if len(addresses) == 0 {
		return "", string(dunning.ReasonNobody), nil
	}
	to, err = outbox.Usable(ctx, tx, addresses)
	if err != nil {
		return "", "", err
	}
	if to != "" && l.OnlyTo == "" {
		return to, "", nil
	}
	if to != "" {
		to, addresses = l.OnlyTo, []string{l.OnlyTo}
	}
	stopped, is, err := outbox.SuppressionOf(ctx, tx, cmp.Or(to, addresses[0]))
	if err != nil || !is {
		return to, "", err
	}
	return "", "Nothing is mailed to this address any more. " + stopped.Words, nil
}

// Write composes the letter to the notice's recipient and fills in what the notice keeps of it: Message-ID, date and
// subject; the copy comes with Draft.Finish. A reminder tells of what say was decided by. fault.NotFound when what it
// tells of is gone.
func (l *Letters) Write(ctx context.Context, tx *sql.Tx, n *outbox.Notice, say dunning.Say, now time.Time) (Draft, error) {
	if n.Kind == outbox.StaffAlert {
		return l.staffAlert(ctx, tx, n, now)
	}
	who := say.In.Who.Customer
	if who.ID == "" {
		var err error
		who, err = billing.FindCustomer(ctx, tx, n.CustomerID)
		if err != nil {
			return Draft{}, err
		}
	}
	reader := l.Catalog.Match(append([]string{who.Language}, append(who.PreferredLocales, l.Language)...)...)
	if n.Kind == outbox.StaffMessage {
		reader = l.Catalog.Match(l.Language)
	}
	token, err := l.issue(ctx, tx, n, reader, now)
	if err != nil {
		return Draft{}, err
	}
	var letter email.Letter
	secret := token
	if n.Kind == outbox.Code {
		letter, secret, err = l.code(ctx, tx, n, who, reader)
	} else {
		letter, err = l.compose(ctx, tx, n, say, who, reader, token, now)
	}
	if err != nil {
		return Draft{}, err
	}
	stop := ""
	if n.Kind != outbox.StaffMessage && n.Kind != outbox.Genuine {
		letter = letter.WithCheck(l.Addresses.Genuine())
	}
	if n.Counts { // by our own will
		letter = letter.WithChoices(l.Addresses.Choices(token))
	}
	if n.Counts && l.Collector {
		stop, err = link.IssueStop(ctx, tx, link.Stop{CustomerID: n.CustomerID, NoticeID: n.ID}, now.Unix())
		if err != nil {
			return Draft{}, err
		}
		letter = letter.WithStop(l.Addresses.Stop(stop))
	}
	if n.Dated == 0 {
		n.Dated = now.Unix()
	}
	_, domain, _ := strings.Cut(l.From.Address, "@")
	n.MessageID = n.ID + "@" + domain
	n.Subject = letter.Subject
	out := mail.Letter{
		From: l.From, To: mail.Address{Name: nameFor(n, who), Address: n.Recipient},
		ReplyTo:   mail.Address{Name: l.Merchant.Name, Address: l.Merchant.SupportEmail},
		Subject:   letter.Subject,
		MessageID: n.MessageID, Date: time.Unix(n.Dated, 0).In(l.Cases.Zone(who)), Language: reader.Tag(),
		Headers: map[string]string{"X-Entity-Ref-ID": n.ID},
	}
	switch n.Kind {
	case outbox.Reminder, outbox.Settled, outbox.Precaution, outbox.FinalAct:
		out.Headers["List-Id"] = "<billing." + domain + ">" // what nobody asked for can be sorted by its reader
	}
	out.EnvelopeFrom = l.Inbound.For(inbound.Bounce, n.ID)
	reply := l.Inbound.For(inbound.Reply, n.ID)
	if reply != "" {
		out.ReplyTo.Address = reply
	}
	if stop != "" {
		out.Headers["List-Unsubscribe"] = "<" + l.Addresses.Stop(stop) + ">"
		out.Headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
	}
	if n.Kind == outbox.Reply {
		err = l.thread(ctx, tx, n, &out)
		if err != nil {
			return Draft{}, err
		}
	}
	if n.Kind == outbox.StaffMessage {
		out.ReplyTo = mail.Address{Name: who.Name, Address: who.Email} // an answer by mail must not be lost
	}
	d := Draft{words: letter, letter: out, signer: l.Signer, tokens: []string{secret, stop}}
	if reply != "" {
		d.hide, d.hidden = reply, l.Inbound.Hidden(cut) // whoever has it writes in the customer's name
	}
	return d, nil
}

// staffAlert writes to a member of staff about their own account. It carries no link that opens anything.
func (l *Letters) staffAlert(ctx context.Context, tx *sql.Tx, n *outbox.Notice, now time.Time) (Draft, error) {
	a, err := staff.FindAlert(ctx, tx, n.SubjectID)
	if err != nil {
		return Draft{}, err
	}
	reader := l.Catalog.Match(l.Language)
	letter := email.StaffAlert(reader, email.StaffAlertFacts{
		Merchant: l.Merchant, Name: a.Name, What: string(a.What), At: time.Unix(a.At, 0).In(l.Zone), IP: a.IP, Browser: browserOf(a),
		AccountURL: l.Addresses.To("/admin/account"),
	})
	if n.Dated == 0 {
		n.Dated = now.Unix()
	}
	to := mail.Address{Address: n.Recipient}
	if n.Recipient == a.Email {
		to.Name = a.Name
	}
	_, domain, _ := strings.Cut(l.From.Address, "@")
	n.MessageID, n.Subject = n.ID+"@"+domain, letter.Subject
	out := mail.Letter{
		From: l.From, To: to, ReplyTo: mail.Address{Name: l.Merchant.Name, Address: l.Merchant.SupportEmail},
		Subject:   letter.Subject,
		MessageID: n.MessageID, Date: time.Unix(n.Dated, 0).In(l.Zone), Language: reader.Tag(),
		Headers: map[string]string{"X-Entity-Ref-ID": n.ID},
	}
	return Draft{words: letter, letter: out, signer: l.Signer}, nil
}

// browserOf is the browser a happening came from, "" when it came from none.
func browserOf(a staff.Alert) string {
	if a.Agent == "" {
		return ""
	}
	return staff.BrowserOf(a.Agent)
}

// thread makes an answer follow the mails it answers, so that the customer's program shows them as one.
func (l *Letters) thread(ctx context.Context, tx *sql.Tx, n *outbox.Notice, out *mail.Letter) error {
	answer, err := support.FindMessage(ctx, tx, n.SubjectID)
	if err != nil {
		return err
	}
	_, said, err := l.Talks.Find(ctx, tx, answer.ConversationID)
	if err != nil {
		return err
	}
	notices, err := outbox.OfCustomer(ctx, tx, n.CustomerID)
	if err != nil {
		return err
	}
	mailed := map[string]string{}
	for _, other := range notices {
		if other.Kind == outbox.Reply && other.ID != n.ID {
			mailed[other.SubjectID] = other.MessageID
		}
	}
	for _, m := range said {
		if m.ID == answer.ID || m.At > answer.At {
			continue
		}
		id := cmp.Or(m.MailID, mailed[m.ID])
		if id == "" {
			continue
		}
		out.References = append(out.References, id)
		if m.FromCustomer() {
			out.InReplyTo = id
		}
	}
	return nil
}

// nameFor is the name beside the recipient's address: none where the address is not the customer's own.
func nameFor(n *outbox.Notice, who billing.Customer) string {
	if n.Recipient != who.Email {
		return ""
	}
	return who.Name
}

// issue makes the letter's own link. Letters to staff carry none, nor does one with a code, since whoever finds it in a
// mailbox must not have both, nor one that tells which mails to trust.
func (l *Letters) issue(ctx context.Context, tx *sql.Tx, n *outbox.Notice, reader *l10n.Locale, now time.Time) (string, error) {
	if n.Kind == outbox.StaffMessage || n.Kind == outbox.Code || n.Kind == outbox.Genuine {
		return "", nil
	}
	return link.Issue(ctx, tx, link.Link{CustomerID: n.CustomerID, NoticeID: n.ID, Language: reader.Tag(), IssuedAt: now.Unix()})
}

func (l *Letters) compose(ctx context.Context, tx *sql.Tx, n *outbox.Notice, say dunning.Say, who billing.Customer, reader *l10n.Locale, token string, now time.Time) (email.Letter, error) {
	zone := l.Cases.Zone(who)
	switch n.Kind {
	case outbox.Reminder:
		return l.reminder(ctx, tx, n, say, who, reader, token, now)
	case outbox.Settled:
		return l.settled(ctx, tx, n, who, reader, token, now)
	case outbox.Precaution:
		return l.precaution(ctx, tx, who, reader, token, now)
	case outbox.FinalAct:
		return l.finalAct(ctx, tx, n, who, reader, token)
	case outbox.FreshLink:
		return email.FreshLink(reader, email.FreshLinkFacts{
			Merchant: l.Merchant, FirstName: who.FirstName(), LinkURL: l.Addresses.Link(token),
			Until: link.Expiry(now, now).In(zone),
		}), nil
	case outbox.Promised:
		return l.promised(ctx, tx, n, who, reader, token, now)
	case outbox.Genuine:
		return l.genuine(ctx, tx, who, reader, now)
	case outbox.MethodGone:
		return l.methodGone(ctx, tx, n, who, reader, token)
	case outbox.Reply:
		return l.reply(ctx, tx, n, who, reader, token)
	case outbox.StaffMessage:
		return l.staffMessage(ctx, tx, n, who, reader)
	}
	return email.Letter{}, fmt.Errorf("no letter for a notice of kind %q", n.Kind)
}

func (l *Letters) reminder(ctx context.Context, tx *sql.Tx, n *outbox.Notice, say dunning.Say, who billing.Customer, reader *l10n.Locale, token string, now time.Time) (email.Letter, error) {
	c, in := say.Case, say.In
	zone := in.Zones[0]
	facts := email.ReminderFacts{
		Merchant: l.Merchant, FirstName: who.FirstName(), Step: email.StepSecond, Class: in.Class, LinkURL: l.Addresses.Link(token),
	}
	var next, method = int64(0), ""
	for _, i := range in.Invoices {
		if !i.Open() {
			continue
		}
		facts.Invoices = append(facts.Invoices, invoiceFacts(i, zone))
		if i.NextAttemptAt > now.Unix() && (next == 0 || i.NextAttemptAt < next) {
			next = i.NextAttemptAt
		}
		if method == "" {
			method = i.MethodID
		}
	}
	if len(facts.Invoices) == 0 {
		return email.Letter{}, fault.New(fault.NotFound, "Nothing is owed any more.")
	}
	if next > 0 {
		facts.NextAttempt = time.Unix(next, 0).In(zone)
	}
	var err error
	facts.Card, err = card(ctx, tx, who.ID, method)
	if err != nil {
		return email.Letter{}, err
	}
	facts.Broken, err = l.broken(ctx, tx, c, n, zone)
	if err != nil {
		return email.Letter{}, err
	}
	ahead, more := c.NextConsequence(in)
	if more && c.ConsequenceAt > 0 {
		facts.Consequence = &email.Consequence{Level: ahead.Takes(), At: time.Unix(c.ConsequenceAt, 0).In(zone)}
	}
	told := in.Plan.StepOf(n.Step)
	if told >= 0 {
		facts.Step = email.Step(in.Plan.WordsOf(told))
		facts.Own, facts.Name = ownWords(in.Plan.Steps[told].Text, reader), who.Name
		facts.Due = time.Unix(in.Who.Open[0].Since(), 0).In(zone)
	}
	if told >= 0 && in.Plan.Steps[told].Consequence { // it tells of what took place, not of what is ahead
		facts.Consequence = &email.Consequence{Level: string(in.Plan.Steps[told].Access)}
	}
	return email.Reminder(reader, facts), nil
}

func invoiceFacts(i billing.Invoice, zone *time.Location) email.Invoice {
	f := email.Invoice{Number: i.Number, What: i.Description, Remaining: i.Remaining()}
	if i.PeriodStart > 0 && i.PeriodEnd > i.PeriodStart {
		f.From, f.To = time.Unix(i.PeriodStart, 0).In(zone), time.Unix(i.PeriodEnd, 0).In(zone).AddDate(0, 0, -1)
	}
	return f
}

// card answers what a customer recognises a method by; nothing when it is unknown.
func card(ctx context.Context, tx *sql.Tx, customer, id string) (email.Card, error) {
	m, err := billing.FindMethod(ctx, tx, customer, id)
	if fault.Is(err, fault.NotFound) {
		return email.Card{}, nil
	}
	return email.Card{Brand: m.BrandName(), Last4: m.Last4}, err
}

func (l *Letters) settled(ctx context.Context, tx *sql.Tx, n *outbox.Notice, who billing.Customer, reader *l10n.Locale, token string, now time.Time) (email.Letter, error) {
	c, err := l.Cases.Find(ctx, tx, n.CaseID)
	if err != nil {
		return email.Letter{}, err
	}
	invoices, err := l.Cases.InvoicesOf(ctx, tx, c)
	if err != nil {
		return email.Letter{}, err
	}
	zone := l.Cases.Zone(who)
	facts := email.SettledFacts{Merchant: l.Merchant, FirstName: who.FirstName(), LinkURL: l.Addresses.Link(token)}
	for _, i := range invoices {
		if i.Status != "paid" || i.Collected().Minor == 0 {
			continue
		}
		used, err := card(ctx, tx, who.ID, i.MethodID)
		if err != nil {
			return email.Letter{}, err
		}
		facts.Payments = append(facts.Payments, email.Payment{
			Number: i.Number, What: i.Description, Paid: i.Collected(), PaidOn: time.Unix(i.PaidAt, 0).In(zone), Card: used, ByOthers: i.PaidOutOfBand,
		})
	}
	if len(facts.Payments) == 0 {
		return email.Letter{}, fault.New(fault.NotFound, "Nothing was paid.")
	}
	notices, err := outbox.OfCase(ctx, tx, c.ID)
	if err != nil {
		return email.Letter{}, err
	}
	campaigns, err := l.Cases.Campaigns(ctx, tx)
	if err != nil {
		return email.Letter{}, err
	}
	plan := c.Plan(campaigns)
	for _, other := range notices {
		step := plan.StepOf(other.Step)
		facts.Restored = facts.Restored || other.Kind == outbox.Reminder && step >= 0 && plan.Steps[step].Consequence
	}
	ended, err := l.ended(ctx, tx, c.ID)
	if err != nil {
		return email.Letter{}, err
	}
	facts.Restored = facts.Restored && !ended
	subscriptions, err := billing.Subscriptions(ctx, tx, who.ID)
	if err != nil {
		return email.Letter{}, err
	}
	on, amount, ok := billing.NextRenewal(subscriptions, now.Unix())
	if ok {
		facts.NextOn, facts.Next = time.Unix(on, 0).In(zone), amount
	}
	return email.Settled(reader, facts), nil
}

func (l *Letters) reply(ctx context.Context, tx *sql.Tx, n *outbox.Notice, who billing.Customer, reader *l10n.Locale, token string) (email.Letter, error) {
	answer, err := support.FindMessage(ctx, tx, n.SubjectID)
	if err != nil {
		return email.Letter{}, err
	}
	_, said, err := l.Talks.Find(ctx, tx, answer.ConversationID)
	if err != nil {
		return email.Letter{}, err
	}
	facts := email.ReplyFacts{
		Merchant: l.Merchant, FirstName: who.FirstName(), Staff: answer.Name, Text: answer.Body,
		LinkURL: l.Addresses.Link(token) + "?to=support",
	}
	for _, m := range said {
		switch {
		case m.At > answer.At || m.ID == answer.ID:
		case m.FromCustomer():
			facts.Question, facts.AskedOn = m.In(func(key string) string { return reader.Text(key) }), time.Unix(m.At, 0).In(l.Cases.Zone(who))
			for _, a := range m.Attachments {
				facts.NotKept = append(facts.NotKept, a.Name)
			}
		default:
			facts.NotKept = nil // an earlier answer has told of them
		}
	}
	return email.Reply(reader, facts), nil
}

func (l *Letters) staffMessage(ctx context.Context, tx *sql.Tx, n *outbox.Notice, who billing.Customer, reader *l10n.Locale) (email.Letter, error) {
	m, err := support.FindMessage(ctx, tx, n.SubjectID)
	if err != nil {
		return email.Letter{}, err
	}
	open, err := billing.Overdue(ctx, tx, who.ID, m.At)
	if err != nil {
		return email.Letter{}, err
	}
	var owes []billing.Money
	for _, i := range open {
		owes = append(owes, i.Remaining())
	}
	return email.StaffMessage(reader, email.StaffMessageFacts{
		Merchant: l.Merchant, CustomerName: who.Name, CustomerEmail: who.Email, Text: m.Body, At: time.Unix(m.At, 0).In(l.Zone),
		Owes: billing.Totals(owes), NotKept: told(m.Attachments), AdminURL: l.Addresses.Conversation(m.ConversationID),
	}), nil
}

// told names attachments as colleagues read them: "receipt.pdf (application/pdf, 32 KB)".
func told(attachments []support.Attachment) []string {
	var all []string
	for _, a := range attachments {
		all = append(all, a.String())
	}
	return all
}
