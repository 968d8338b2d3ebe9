package dunning

import (
	"slices"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
)

// NextConsequence answers the next step that will take something away, as far as is known now, and false when none is
// ahead.
func (c Case) NextConsequence(in Situation) (campaign.Step, bool) {
	i, ahead := c.nextConsequence(in)
	if !ahead {
		return campaign.Step{}, false
	}
	return in.Plan.Steps[i], true
}

// Loses reports whether a step takes away something that the customer still has. A case that began where an exhausted one
// left off has steps whose consequence took place long ago: nobody is told that it is still to come.
func (c Case) Loses(step campaign.Step) bool {
	return step.Consequence && (step.Acts() || step.Access.Tighter(c.Access))
}

// ActAhead reports whether a final act is still to come, or waits: its customer is written to once more if it is done,
// though no reminder is left.
func (c Case) ActAhead(plan campaign.Campaign) bool {
	return c.Status == Open && slices.ContainsFunc(plan.Steps[min(c.Step, len(plan.Steps)):], campaign.Step.Acts)
}

// nextConsequence answers the index of NextConsequence.
func (c Case) nextConsequence(in Situation) (int, bool) {
	for i := c.Step; i < len(in.Plan.Steps); i++ {
		step := in.Plan.Steps[i]
		if step.Consequence && step.If.Matches(in.Who) { // as in Ahead, whose days are not asked for here
			return i, true
		}
	}
	return 0, false
}

// FinalStatus says how a final act stands.
type FinalStatus string

const (
	FinalProposed FinalStatus = "proposed" // waits for a person
	FinalOrdered  FinalStatus = "ordered"  // is being carried out, as soon as Stripe answers
	FinalDone     FinalStatus = "done"     // at least one of its targets was acted upon
	FinalDeclined FinalStatus = "declined" // a person said no; the case goes on without it
	FinalDropped  FinalStatus = "dropped"  // nothing was left to act upon: paid, or ended otherwise
)

// Final is the final act of one case. The schedule proposes it when its day has come and a notice that announced it
// was surely sent; a person orders or declines it, or the program orders it where the merchant has switched that on;
// jobs carries it out. Instants are unix seconds.
type Final struct {
	ID         string
	CaseID     string
	CustomerID string
	Step       string // the campaign's key of the step
	Act        campaign.Act
	Status     FinalStatus
	Actor      string // who ordered or declined it, "" for the program
	Reason     string // why it was declined or dropped
	ProposedAt int64
	OrderedAt  int64
	EndedAt    int64
	NextTryAt  int64 // while it is ordered: not before
}

// TargetStatus says how one target of an ordered act stands.
type TargetStatus string

const (
	TargetOrdered TargetStatus = "ordered" // Stripe is to be asked
	TargetDone    TargetStatus = "done"    // Stripe did it
	TargetPassed  TargetStatus = "passed"  // nothing was done to it; Outcome says why
)

// Target is a subscription or an invoice at Stripe that an ordered act is about.
type Target struct {
	FinalID string
	Object  string // sub_… or in_…
	Status  TargetStatus
	TriedAt int64 // written before Stripe is asked, 0 when it never was
	EndedAt int64
	Outcome string
}

// Effect is what an act would do, by what is stored: to which subscriptions, for which open invoices.
type Effect struct {
	Act           campaign.Act
	Subscriptions []billing.Subscription
	Invoices      []billing.Invoice
}

// EffectOf answers what an act would do for the invoices of a case. What is not open, what a bank is working on and
// what is disputed is left alone, and so is a subscription that has ended or none of whose invoices is open.
func EffectOf(act campaign.Act, invoices []billing.Invoice, subscriptions []billing.Subscription) Effect {
	e := Effect{Act: act}
	for _, i := range invoices {
		if i.Open() && !i.Processing() && !i.Disputed {
			e.Invoices = append(e.Invoices, i)
		}
	}
	if act == campaign.ActWriteOff {
		return e
	}
	for _, s := range subscriptions {
		if s.Live() && slices.ContainsFunc(e.Invoices, func(i billing.Invoice) bool { return i.SubscriptionID == s.ID }) {
			e.Subscriptions = append(e.Subscriptions, s)
		}
	}
	return e
}

// Objects are the ids of what the act would be done to, in order. None means that there is nothing to do.
func (e Effect) Objects() []string {
	var all []string
	if e.Act == campaign.ActWriteOff {
		for _, i := range e.Invoices {
			all = append(all, i.ID)
		}
	}
	for _, s := range e.Subscriptions {
		all = append(all, s.ID)
	}
	slices.Sort(all)
	return all
}
