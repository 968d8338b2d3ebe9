package dunning_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
)

// comesBack tells that the mail of a step came back.
func (w *world) comesBack(step string, kind outbox.BounceKind) bool {
	w.t.Helper()
	news := false
	for _, n := range w.notices() {
		if n.Step != step || n.Channel != outbox.Email || n.SubjectID != "" {
			continue
		}
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			n.Recipient = "chiara@bellini.example"
			var err error
			news, err = w.cases.Bounced(ctx, tx, n, outbox.Bounce{Address: n.Recipient, Kind: kind, Code: "5.1.1", Words: "user unknown", At: w.now.Unix()}, w.now)
			return err
		})
	}
	return news
}

// of answers the notices of a step on a channel.
func (w *world) of(step string, channel outbox.Channel) []outbox.Notice {
	var found []outbox.Notice
	for _, n := range w.notices() {
		if n.Step == step && n.Channel == channel {
			found = append(found, n)
		}
	}
	return found
}

func (w *world) need() dunning.Need {
	w.t.Helper()
	var need dunning.Need
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		all, err := w.cases.ListView(ctx, tx, dunning.ViewPerson, 10, 0)
		if len(all) > 0 {
			need = all[0].Need
		}
		return err
	})
	return need
}

func TestAHardBounceMovesOnToTheApp(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	w.next(outbox.Sent)
	if !w.comesBack("first", outbox.Hard) {
		t.Fatal("the first telling is no news")
	}
	if w.comesBack("first", outbox.Hard) {
		t.Error("the second telling is news")
	}
	mails, banners := w.of("first", outbox.Email), w.of("first", outbox.App)
	if len(mails) != 2 || mails[0].Status != outbox.Failed || !strings.Contains(mails[0].Reason, "user unknown") ||
		mails[1].Status != outbox.Skipped || mails[1].Reason != dunning.NoAddress {
		t.Errorf("mails of the first step: %+v", mails)
	}
	if len(banners) != 1 || banners[0].Status != outbox.Queued {
		t.Errorf("notices in the app: %+v", banners)
	}
	if got := w.need(); got != dunning.NeedAddress {
		t.Errorf("staff are told %q", got)
	}
	// The next step is for the app alone, without a mail tried.
	c := w.latest()
	w.now = time.Unix(c.NextStepAt, 0).In(rome)
	w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Advance(ctx, tx, c.ID, w.now) })
	mails, banners = w.of("second", outbox.Email), w.of("second", outbox.App)
	if len(mails) != 1 || mails[0].Status != outbox.Skipped || len(banners) != 1 || banners[0].Status != outbox.Queued {
		t.Errorf("the second step: mails %+v, banners %+v", mails, banners)
	}
}

func TestAHardBounceMovesOnToTheNextContact(t *testing.T) {
	t.Parallel()
	w := setup(t)
	i := w.failed("in_1", "do_not_honor")
	w.hear(i)
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		return billing.Save(ctx, tx, billing.Account{Customer: billing.Customer{
			ID: "cus_1", Name: "Chiara Bellini", Email: "chiara@bellini.example", Country: "IT", Contacts: []string{"Chiara@Bellini.example", "books@bellini.example"},
		}}, w.now.Unix())
	})
	w.next(outbox.Sent)
	w.comesBack("first", outbox.Hard)
	mails := w.of("first", outbox.Email)
	if len(mails) != 2 || mails[1].Status != outbox.Queued || mails[1].Recipient != "books@bellini.example" {
		t.Fatalf("mails: %+v", mails)
	}
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		say, err := w.wanted(ctx, tx, mails[1], w.now)
		if !say.Go {
			t.Errorf("the mail to the contact may not go: %+v", say)
		}
		return err
	})
	if got := w.need(); got == dunning.NeedAddress {
		t.Error("an address that works is at hand, and staff are asked for one")
	}
}

func TestNoConsequenceRestsOnAMailThatCameBack(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	for range 3 {
		w.next(outbox.Sent)
	}
	w.comesBack("notice", outbox.Hard)
	for range 10 {
		w.look()
	}
	c := w.latest()
	if c.Status != dunning.Open || c.Access != campaign.Grace || w.story() != "waits" {
		t.Errorf("after the announcement came back the case is %s with access %s, %s", c.Status, c.Access, w.story())
	}
}

func TestAConsequenceIsGivenBackWhenItsAnnouncementCameBackLate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	for range 4 {
		w.next(outbox.Sent)
	}
	c := w.latest()
	if c.Status != dunning.Exhausted || c.Access != campaign.Restricted {
		t.Fatalf("before it came back: %s, %s", c.Status, c.Access)
	}
	w.comesBack("notice", outbox.Hard)
	c = w.latest()
	if c.Status != dunning.Open || c.Access != campaign.Grace || c.Step != 3 || w.story() != "waits" || w.need() == "" {
		t.Errorf("after: %s, %s, step %d, %s, need %q", c.Status, c.Access, c.Step, w.story(), w.need())
	}
	w.look()
	if got := w.latest(); got.Access != campaign.Grace {
		t.Errorf("a day later access is %s", got.Access)
	}
}

func TestWhatSuppresses(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	stopped := func(address string) bool {
		is := false
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			var err error
			_, is, err = outbox.SuppressionOf(ctx, tx, address)
			return err
		})
		return is
	}
	tell := func(id, address string, kind outbox.BounceKind) {
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			_, err := w.cases.Bounced(ctx, tx, outbox.Notice{ID: id, Kind: outbox.FreshLink, CustomerID: "cus_1", Recipient: address},
				outbox.Bounce{Address: outbox.Normal(address), Kind: kind, At: w.now.Unix()}, w.now)
			return err
		})
	}
	tell("n1", "policy@example.com", outbox.Blocked)
	tell("n2", "Soft@Example.com", outbox.Soft)
	tell("n2", "Soft@Example.com", outbox.Soft) // told twice, came back once
	tell("n3", "soft@example.com", outbox.Soft)
	if stopped("policy@example.com") || stopped("soft@example.com") {
		t.Error("stopped too early")
	}
	tell("n4", "soft@EXAMPLE.com", outbox.Soft)
	tell("n5", "reader@bücher.example", outbox.Complaint)
	if !stopped("SOFT@example.com") || !stopped("Reader@xn--bcher-kva.example") || stopped("soft+1@example.com") {
		t.Error("not stopped by three soft bounces, by a complaint, or stopped for another address")
	}
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		was, err := outbox.Lift(ctx, tx, "SOFT@example.com", "Ines", w.now.Unix()+1)
		if !was {
			t.Error("nothing was lifted")
		}
		return err
	})
	w.now = w.now.Add(time.Hour)
	tell("n6", "soft@example.com", outbox.Soft)
	if stopped("soft@example.com") {
		t.Error("one soft bounce after a person's word stops it again")
	}
}
