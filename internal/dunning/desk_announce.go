package dunning

import (
	"context"
	"database/sql"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// Announcement is the message that would tell the customer once more of a consequence that waits for a person.
type Announcement struct {
	Step   campaign.Step // whose message is sent once more
	To     string        // its address
	GoesAt time.Time     // when the mail may leave, by the contact policy
	Until  time.Time     // the date it names: what the consequence takes away stays at least until then
}

// AnnouncementAgain answers how the consequence that is next would be announced once more to the first of the addresses. It looks
// at nothing but its arguments; notices are those of the case. fault.Conflict when the case has ended or rests,
// nothing is held, the announcement is still on its way, or there is no address.
func (c Case) AnnouncementAgain(in Situation, notices []outbox.Notice, addresses []string) (Announcement, error) {
	if c.Status != Open || in.Class == billing.ClassNone {
		return Announcement{}, fault.New(fault.Conflict, "This case has ended meanwhile; there is nothing to announce.")
	}
	if c.RestingSince > 0 {
		return Announcement{}, fault.New(fault.Conflict, "This case rests; nothing is announced until it goes on.")
	}
	next, ok := c.Next(in)
	if !ok || !Held(in, next, notices) {
		return Announcement{}, fault.New(fault.Conflict, "No consequence waits for a person any more.")
	}
	key, _ := in.Plan.AnnouncedBy(next.Index)
	i := in.Plan.StepOf(key)
	if i < 0 || !in.Plan.Steps[i].Has(outbox.Email) {
		return Announcement{}, fault.New(fault.Conflict, "This campaign has no mail that announces it.")
	}
	if waiting(notices) {
		return Announcement{}, fault.New(fault.Conflict, "A mail to this customer is still on its way; wait for what becomes of it.")
	}
	if in.Choices.NoMail {
		return Announcement{}, fault.New(fault.Conflict, "The customer asked for no reminders by mail; reach them another way.")
	}
	if len(addresses) == 0 {
		return Announcement{}, fault.New(fault.Conflict, "There is no address to write to.")
	}
	a := Announcement{Step: in.Plan.Steps[i], To: addresses[0], GoesAt: in.Policy.Slot(in.Now, in.Zones, in.Contacts).At}
	// As Left will have it: the days until the mail leaves don't count.
	c.RestedDays += contact.DaysBetween(in.Now, a.GoesAt, in.Zones[0])
	c.ConsequenceAt = max(c.ConsequenceAt, in.Policy.NextAllowed(a.GoesAt.Add(noticeTime), in.Zones).Unix())
	a.Until = time.Unix(c.consequence(in, a.GoesAt), 0).In(in.Zones[0])
	return a, nil
}

// AnnounceAgain queues a fresh mail that announces the consequence a case is held at, and moves its date so that
// the least notice is kept. Once that mail has surely left, the consequence comes by itself; else it goes on
// waiting. Errors as AnnouncementAgain, fault.NotFound when there is no such case.
func (cs *Cases) AnnounceAgain(ctx context.Context, tx *sql.Tx, caseID, actor string, now time.Time) error {
	c, err := cs.held(ctx, tx, caseID)
	if err != nil {
		return err
	}
	who, err := billing.FindCustomer(ctx, tx, c.CustomerID)
	if err != nil {
		return err
	}
	in, err := cs.SituationOf(ctx, tx, c, now)
	if err != nil {
		return err
	}
	notices, err := outbox.OfCase(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	a, err := c.AnnouncementAgain(in, notices, who.Addresses())
	if err != nil {
		return err
	}
	_, err = outbox.Queue(ctx, tx, outbox.Notice{
		Kind: outbox.Reminder, Channel: outbox.Email, CustomerID: c.CustomerID, CaseID: c.ID, Step: a.Step.Key,
		SubjectID: database.NewID("again"), Recipient: a.To, Counts: true, DueAt: a.GoesAt.Unix(),
	}, now.Unix())
	if err != nil {
		return err
	}
	c.ConsequenceAt = a.Until.Unix()
	c.NextStepAt = c.ConsequenceAt
	err = updateCase(ctx, tx, c, now)
	if err != nil {
		return err
	}
	why := "A fresh mail names the new date, " + a.Until.Format("2 January 2006") + "; nothing is taken away before, nor unless that mail surely leaves."
	return writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: "announced", Why: why, Actor: actor})
}
