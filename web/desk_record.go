package web

import (
	"context"
	"database/sql"
	"fmt"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/inbound"
	"sollecito/internal/interest"
	"sollecito/internal/outbox"
	"sollecito/internal/support"
)

// record is everything that is stored of a customer, read at one moment.
type record struct {
	billing.Customer
	invoices      []billing.Invoice // newest first
	open          []billing.Invoice // oldest first
	card          *billing.Method
	attempts      []billing.Attempt            // the customer's presses, newest first
	tries         []billing.Attempt            // whoever made them, newest first
	judged        []judged                     // the oldest open invoices that failed
	retries       []dunning.Retry              // of the newest case
	cases         []dunning.Case               // newest first
	plans         map[string]campaign.Campaign // by case
	stories       []dunning.Entry
	decisions     []dunning.Decision
	notices       []outbox.Notice // newest first
	talk          support.Conversation
	messages      []support.Message
	sendingPaused bool
	suppressions  []outbox.Suppression // of the addresses on file, lifted ones too
	bounces       []outbox.Bounce      // oldest first
	arrivals      []inbound.Arrival    // oldest first
	choices       []contact.Choices    // every version, oldest first
	promises      []dunning.Promise    // oldest first
	wishes        []support.Wish       // oldest first
	removals      []takenOff           // of cards and accounts, oldest first
	disputes      []billing.Dispute    // oldest first
	agreements    []agreement          // when ways to pay were kept, newest first
	interest      []interest.Kept      // late interest that was confirmed, oldest first

	// Of the newest case, when there is one.
	c         dunning.Case
	pauses    []dunning.Pause // active
	situation dunning.Situation
	ahead     []dunning.Foreseen       // while it is open and does not rest
	finals    map[string]dunning.Final // final acts by case
	final     dunning.Final            // that of the newest case, zero without one
	effect    dunning.Effect           // what it would do now
}

// hasCase reports whether the customer ever had a case.
func (k record) hasCase() bool { return k.c.ID != "" }

func (s *Server) recordOf(ctx context.Context, customer string) (record, error) {
	var k record
	err := s.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		k.Customer, err = billing.FindCustomer(ctx, tx, customer)
		if err != nil {
			return err
		}
		stopped, err := dunning.SendingSwitch(ctx, tx)
		if err != nil {
			return err
		}
		k.sendingPaused = stopped.Stopped
		err = k.readMoney(ctx, tx)
		if err != nil {
			return err
		}
		k.notices, err = outbox.OfCustomer(ctx, tx, customer)
		if err != nil {
			return err
		}
		k.suppressions, err = outbox.SuppressionsOf(ctx, tx, k.Addresses())
		if err != nil {
			return err
		}
		k.bounces, err = outbox.BouncesOf(ctx, tx, customer)
		if err != nil {
			return err
		}
		k.arrivals, err = inbound.OfCustomer(ctx, tx, customer)
		if err != nil {
			return err
		}
		k.choices, err = contact.ChoicesMade(ctx, tx, customer)
		if err != nil {
			return err
		}
		k.talk, k.messages, err = s.Talks.OfCustomer(ctx, tx, customer)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		k.interest, err = interest.OfCustomer(ctx, tx, customer)
		if err != nil {
			return err
		}
		err = s.readPromises(ctx, tx, &k)
		if err != nil {
			return err
		}
		err = s.readCases(ctx, tx, &k)
		if err != nil {
			return err
		}
		return s.readTries(ctx, tx, &k)
	})
	if err != nil {
		return record{}, fmt.Errorf("read the record of %s: %w", customer, err)
	}
	return k, nil
}

func (k *record) readMoney(ctx context.Context, tx *sql.Tx) error {
	var err error
	k.invoices, err = billing.Invoices(ctx, tx, k.ID)
	if err != nil {
		return err
	}
	k.open, err = billing.OpenInvoices(ctx, tx, k.ID)
	if err != nil {
		return err
	}
	k.disputes, err = billing.Disputes(ctx, tx, k.ID)
	if err != nil {
		return err
	}
	k.removals, err = removalsOf(ctx, tx, k.ID)
	if err != nil {
		return err
	}
	k.agreements, err = agreementsOf(ctx, tx, k.ID)
	if err != nil {
		return err
	}
	k.attempts, err = billing.AttemptsSince(ctx, tx, k.ID, 0)
	if err != nil {
		return err
	}
	k.tries, err = billing.Tries(ctx, tx, k.ID)
	if err != nil {
		return err
	}
	id := k.DefaultMethod
	if id == "" && len(k.open) > 0 {
		id = k.open[0].MethodID
	}
	if id == "" {
		return nil
	}
	card, err := billing.FindMethod(ctx, tx, k.ID, id)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	k.card = &card
	return nil
}

func (s *Server) readCases(ctx context.Context, tx *sql.Tx, k *record) error {
	var err error
	k.cases, err = s.Cases.OfCustomer(ctx, tx, k.ID)
	if err != nil || len(k.cases) == 0 {
		return err
	}
	k.c, err = s.Cases.LatestOf(ctx, tx, k.ID)
	if err != nil {
		return err
	}
	campaigns, err := s.Cases.Campaigns(ctx, tx)
	if err != nil {
		return err
	}
	k.plans, k.finals = map[string]campaign.Campaign{}, map[string]dunning.Final{}
	for _, c := range k.cases {
		k.plans[c.ID] = c.Plan(campaigns)
		story, err := s.Cases.Story(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		k.stories = append(k.stories, story...)
		decided, err := s.Cases.Decisions(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		k.decisions = append(k.decisions, decided...)
		f, err := s.Cases.FinalOf(ctx, tx, c.ID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if err == nil {
			k.finals[c.ID] = f
		}
	}
	k.final = k.finals[k.c.ID]
	k.effect, err = s.Cases.EffectOf(ctx, tx, k.c, k.final.Act)
	if err != nil {
		return err
	}
	k.pauses, err = s.Cases.ActivePauses(ctx, tx, k.c.ID)
	if err != nil {
		return err
	}
	k.situation, err = s.Cases.SituationOf(ctx, tx, k.c, s.Now())
	if err != nil {
		return err
	}
	if k.c.Status == dunning.Open && k.c.RestingSince == 0 {
		k.ahead = k.c.Foresee(k.situation, k.caseNotices())
	}
	return nil
}
