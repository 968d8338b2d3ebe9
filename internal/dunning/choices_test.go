package dunning_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

func (w *world) choose(change func(*contact.Choices)) (changed bool) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		var err error
		changed, err = w.cases.Choose(ctx, tx, "cus_1", func(c contact.Choices) contact.Choices {
			c.Source = contact.FromPage
			change(&c)
			return c
		}, w.now)
		return err
	})
	return changed
}

func (w *world) outlook() []dunning.Coming {
	w.t.Helper()
	var all []dunning.Coming
	c := w.latest()
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		in, err := w.cases.SituationOf(ctx, tx, c, w.now)
		if err != nil {
			return err
		}
		notices, err := outbox.OfCase(ctx, tx, c.ID)
		all = c.Outlook(in, notices)
		return err
	})
	return all
}

func noMail(c *contact.Choices) { c.NoMail = true }

// advance takes the case's next look.
func (w *world) advance() {
	w.t.Helper()
	c := w.latest()
	w.now = time.Unix(max(c.NextStepAt, w.now.Unix()), 0).In(rome)
	w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Advance(ctx, tx, c.ID, w.now) })
}

func TestAnOptOutStopsTheMailThatWaitsAndTheAppTells(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	for len(w.notices()) == 0 {
		w.advance()
	}
	if !w.choose(noMail) || w.choose(noMail) {
		t.Error("the first press is news, the second is not")
	}
	var mail, app outbox.Notice
	for _, n := range w.notices() {
		if n.Channel == outbox.Email {
			mail = n
		} else {
			app = n
		}
	}
	if mail.Status != outbox.Skipped || mail.Reason != contact.NoMailWanted {
		t.Errorf("the mail is %s: %s", mail.Status, mail.Reason)
	}
	if app.Status != outbox.Queued || app.Step != mail.Step {
		t.Errorf("the app's notice of %s is %q", mail.Step, app.Status)
	}
	for range 30 {
		w.advance()
	}
	for _, n := range w.notices() {
		if n.Kind == outbox.Reminder && n.Channel == outbox.Email && n.Status != outbox.Skipped {
			t.Errorf("mail of %s is %s", n.Step, n.Status)
		}
	}
	if c := w.latest(); c.Status != dunning.Open || c.Access == campaign.Restricted || c.Access == campaign.Suspended {
		t.Errorf("%s with access %s although nothing was surely announced", c.Status, c.Access)
	}
}

func TestAMailDecidedBeforeTheOptOutIsCheckedWhenItLeaves(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	for len(w.notices()) == 0 {
		w.advance()
	}
	w.choose(noMail)
	n := w.notices()[0]
	w.do(func(ctx context.Context, tx *sql.Tx) error { // as if a sender had taken it before
		say, err := w.wanted(ctx, tx, n, w.now)
		if say.Go || say.Skip != contact.NoMailWanted {
			t.Errorf("%+v", say)
		}
		return err
	})
}

func TestTheAppIsSilentOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	w.choose(func(c *contact.Choices) { c.NoMail, c.NoApp = true, true })
	for range 30 {
		w.advance()
	}
	for _, n := range w.notices() {
		if n.Status != outbox.Skipped {
			t.Errorf("%s %s is %s", n.Step, n.Channel, n.Status)
		}
	}
	if got := w.outlook(); len(got) != 0 {
		t.Errorf("still to come: %v", got)
	}
	w.choose(func(c *contact.Choices) { c.NoMail = false })
	if got := w.outlook(); len(got) == 0 {
		t.Error("after the opt-out was lifted nothing comes")
	}
}

func TestOwnHoursMoveTheScheduleAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	w.choose(func(c *contact.Choices) { c.Hours = contact.Hours{From: 15, To: 17} })
	_, at := w.next(outbox.Sent)
	if at.Hour() < 15 || at.Hour() >= 17 {
		t.Errorf("reminded at %s", at)
	}
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		_, err := w.cases.Choose(ctx, tx, "cus_1", func(c contact.Choices) contact.Choices {
			c.Hours, c.Source = contact.Hours{From: 20, To: 22}, contact.FromPage
			return c
		}, w.now)
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("hours outside the merchant's were taken: %v", err)
		}
		return nil
	})
}

func TestEveryVersionOfAChoiceIsKept(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	w.choose(noMail)
	w.now = w.now.Add(time.Hour)
	w.choose(func(c *contact.Choices) {
		c.NoMail, c.Source, c.Words, c.Actor = false, contact.FromStaff, "Asked by phone to get them again", "Paolo"
	})
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		all, err := contact.ChoicesMade(ctx, tx, "cus_1")
		if len(all) != 2 || !all[0].NoMail || all[1].NoMail || all[1].Version != 2 || all[1].Actor != "Paolo" || all[1].At != w.now.Unix() {
			t.Errorf("%+v", all)
		}
		return err
	})
}

// TestTheOutlookIsWhatIsSent holds the promise to the customer to the schedule: no more messages than it named, none
// at another time than it named for the next.
func TestTheOutlookIsWhatIsSent(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*contact.Choices){
		"as it is": func(*contact.Choices) {}, "own hours": func(c *contact.Choices) { c.Hours = contact.Hours{From: 11, To: 13} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.hear(w.failed("in_1", "do_not_honor"))
			w.choose(change)
			for {
				promised := w.outlook()
				step, at := w.next(outbox.Sent)
				if step == "" {
					if len(promised) != 0 {
						t.Errorf("%d messages promised that never came", len(promised))
					}
					return
				}
				if len(promised) == 0 || !promised[0].At.Equal(at) {
					t.Fatalf("%s went out at %s, promised: %v", step, at, promised)
				}
				if left := len(w.outlook()); left != len(promised)-1 {
					t.Fatalf("after %s %d were left, of %d", step, left, len(promised))
				}
			}
		})
	}
}

func TestAReplyThatAsksToStop(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]bool{
		"STOP": true, "Stop.\n\nSent from my phone": true, "\n Please unsubscribe me!": true, "opt-out": true, "Opt out, please": true, "Basta, grazie": true, "Stop the reminders": true,
		"ＳＴＯＰ": true, "ｓｔｏｐ。": true, "停止": true, "配信停止してください。": true, "توقف": true, "أوقفوا الرسائل": true,
		"Keine E-Mails mehr!": true, "Plus d’e-mails": true, "No more e-mails please": true, "Proszę przestać": true, "Chega de lembretes": true,
		"停止していた口座から振り込みます": false, "إلغاء الاشتراك": false, // the latter may mean the plan
		"": false, "Cancel": false, "Please cancel my subscription": false, "I stopped the card payment, sorry, will pay on Friday": false,
		"Hello,\nstop": false, "Did it stop?": false,
	} {
		if got := contact.AsksToStop(reply); got != want {
			t.Errorf("%q: %t", reply, got)
		}
	}
}
