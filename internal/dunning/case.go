package dunning

import (
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/outbox"
)

// Status says how a case stands. A paused case is an open one with at least one active pause; that is derived,
// never stored.
type Status string

const (
	Open      Status = "open"      // something is owed and steps are left
	Recovered Status = "recovered" // nothing is left open and something was paid
	Exhausted Status = "exhausted" // no step is left and something is still open
	Canceled  Status = "canceled"  // nothing is left open and nothing was paid
)

// Case is one customer's run through a campaign, over all their overdue invoices. A failed renewal opens it,
// further ones join it, the schedule walks it step by step, and it closes when none of its invoices is open any
// more. A customer has at most one open case. Instants are unix seconds.
type Case struct {
	ID              string
	CustomerID      string
	Campaign        string
	CampaignVersion int64
	Status          Status
	Access          campaign.Access
	Step            int // steps taken
	OpenedAt        int64
	OpenedDay       string // day 0: the customer's local date of opening, as 2006-01-02
	RestedDays      int    // local days that do not count, by pause or outage
	RestingSince    int64  // when the first of the pauses now active began, 0 when none is
	NextStepAt      int64  // when the schedule looks at it again; 0 while it rests or has ended
	ConsequenceAt   int64  // announced to the customer, never moves earlier; 0 when none was
	ClosedAt        int64
	Holdout         bool   // no campaign messages, so that what they bring can be measured
	Variant         string // of the campaign, "" for none
	Puzzling        bool   // a charge it is about failed by a mistake of ours, or for a reason nobody has a rule for

	stored stage // how its row reads, the zero stage before it has one
}

// stage is what of a case the merchant's app is told.
type stage struct {
	status Status
	access campaign.Access
}

// Plan answers the campaign the case walks: in its version, and as its variant has it.
func (c Case) Plan(all campaign.Campaigns) campaign.Campaign {
	return all.Find(c.Campaign, c.CampaignVersion).Walked(c.Variant)
}

// PauseReason is why a case rests.
type PauseReason string

// The reasons. PauseProcessing, PauseVerification, PauseDispute and PauseConsent follow from what is read of Stripe.
const (
	PauseStaff        PauseReason = "staff"        // a member of staff paused it
	PauseConversation PauseReason = "conversation" // the customer waits for an answer
	PauseDispute      PauseReason = "dispute"      // a payment is disputed
	PauseProcessing   PauseReason = "processing"   // a bank debit is under way
	PauseVerification PauseReason = "verification" // small deposits that prove the customer's bank account are on their way
	PauseClaim        PauseReason = "claim"        // the customer says that a transfer is on its way
	PausePromise      PauseReason = "promise"      // the customer set a date
	PauseConsent      PauseReason = "consent"      // consent was withdrawn at the bank; a person or a payment ends it
	PauseImported     PauseReason = "imported"     // it was there at the first connection and waits to be released
)

// Pause is one reason why a case rests. A case rests while any is active; days in pause don't count.
type Pause struct {
	ID      string
	CaseID  string
	Reason  PauseReason
	Note    string
	Actor   string
	Since   int64
	Until   int64 // 0: until somebody ends it
	EndedAt int64
}

// Active reports whether the pause holds the case now.
func (p Pause) Active() bool { return p.EndedAt == 0 }

const dayLayout = "2006-01-02"

// openedOn answers the customer's local date at the instant.
func openedOn(at time.Time, zones []*time.Location) string { return at.In(zones[0]).Format(dayLayout) }

// wanted answers when the campaign alone would take the step at index i: its day and time in the customer's
// zone, or the opening for a step that is due at once. Days that rested are added.
func (c Case) wanted(plan campaign.Campaign, i int, class billing.Class, zones []*time.Location) time.Time {
	step := plan.Steps[i]
	if step.DueAtOnce(class) && i == 0 {
		return time.Unix(c.OpenedAt, 0)
	}
	opened, err := time.Parse(dayLayout, c.OpenedDay)
	if err != nil {
		opened = time.Unix(c.OpenedAt, 0).In(zones[0])
	}
	y, m, d := opened.Date()
	hour, minute := step.At.Clock()
	return contact.At(y, m, d+step.DayOf(class)+c.RestedDays, hour, minute, zones[0])
}

// comes answers when the step at index i comes by the campaign and by what was announced: a consequence never comes before
// the date that was told.
func (c Case) comes(in Situation, i int) time.Time {
	at := c.wanted(in.Plan, i, in.Class, in.Zones)
	if in.Plan.Steps[i].Consequence && at.Unix() < c.ConsequenceAt {
		return time.Unix(c.ConsequenceAt, 0).In(in.Zones[0])
	}
	return at
}

// Situation is what a decision about a case rests on besides the case itself.
type Situation struct {
	Plan     campaign.Campaign
	Who      campaign.Subject
	Class    billing.Class // why the oldest open invoice is unpaid
	Zones    []*time.Location
	Policy   contact.Policy // as it applies to this customer
	Contacts []time.Time    // earlier contacts as far as they bear on the next one, oldest first
	Now      time.Time

	Choices     contact.Choices   // what the customer decided about our reminders
	StripeMails bool              // Stripe itself mails about failures: our first steps are in-app only
	ActsAlone   bool              // final acts need no person
	Invoices    []billing.Invoice // all the case is about, in the order they joined
	heard       []outbox.Contact  // whose times Contacts are
	methods     map[string]billing.Method
}

// Method answers a payment method of the customer that one of the open invoices is charged to, and false when it is
// unknown.
func (in Situation) Method(id string) (billing.Method, bool) {
	m, is := in.methods[id]
	if !is || m.CustomerID != in.Who.Customer.ID {
		return billing.Method{}, false
	}
	return m, true
}

// contactsBut answers the earlier contacts without those of one notice's step.
func (in Situation) contactsBut(n outbox.Notice) []time.Time {
	var times []time.Time
	for _, earlier := range in.heard {
		if earlier.CaseID != n.CaseID || earlier.Step != n.Step {
			times = append(times, time.Unix(earlier.At, 0))
		}
	}
	return times
}

// Recent answers how many contacts there were within the policy's window.
func (in Situation) Recent() int {
	n := 0
	for _, at := range in.Contacts {
		if !at.Before(in.Now.Add(-in.Policy.Window)) {
			n++
		}
	}
	return n
}

// Planned is a step that has not been taken, when it will be by what is known now, and why then.
type Planned struct {
	Index int
	Step  campaign.Step
	At    time.Time
	Why   []contact.Reason

	Wanted time.Time // when the campaign alone would take it
}

// Next answers the case's next step, and false when none is left. It looks at nothing but its arguments.
func (c Case) Next(in Situation) (Planned, bool) {
	all := c.Ahead(in)
	if len(all) == 0 {
		return Planned{}, false
	}
	return all[0], true
}

// passes answers how many steps the case has behind it now. A step whose time has come and whose condition does not hold
// counts as passed: its condition is asked then and not again.
func (c Case) passes(in Situation) int {
	for c.Step < len(in.Plan.Steps) && !in.Plan.Steps[c.Step].If.Matches(in.Who) && !c.comes(in, c.Step).After(in.Now) {
		c.Step++
	}
	return c.Step
}

// planned answers the case with the time at which the schedule must look at it next, and false when no step is left. That
// is when its next step comes, or earlier, when the time of a step comes whose condition does not hold as far as is known
// now: until then it may still come to hold. An announced date moves later by the days that don't count.
func (c Case) planned(in Situation) (Case, bool) {
	if c.Step >= len(in.Plan.Steps) {
		return c, false
	}
	ahead := c.Ahead(in)
	var next []int64
	if len(ahead) > 0 {
		next = append(next, ahead[0].At.Unix())
	}
	if len(ahead) == 0 || ahead[0].Index > c.Step {
		next = append(next, max(c.comes(in, c.Step).Unix(), in.Now.Unix()))
	}
	c.NextStepAt = slices.Min(next)
	// The day that was told is that of the next thing to be taken away, also while its condition does not hold.
	i := slices.IndexFunc(ahead, func(p Planned) bool { return p.Step.Consequence })
	told := slices.IndexFunc(in.Plan.Steps[c.Step:], func(s campaign.Step) bool { return s.Consequence })
	if i >= 0 && ahead[i].Index == c.Step+told && c.ConsequenceAt > 0 && c.ConsequenceAt < ahead[i].Wanted.Unix() {
		c.ConsequenceAt = ahead[i].At.Unix()
	}
	return c, true
}

// Ahead answers all steps still to be taken, in order, each as if those before it had been taken as planned and
// nobody paid.
func (c Case) Ahead(in Situation) []Planned {
	var ahead []Planned
	contacts := in.Contacts
	from := in.Now
	var told time.Time // before which nothing that is announced on the way is taken away
	for i := c.Step; i < len(in.Plan.Steps); i++ {
		step := in.Plan.Steps[i]
		if !step.If.Matches(in.Who) {
			continue // passed over, as far as is known now
		}
		p := Planned{Index: i, Step: step, At: c.comes(in, i), Why: []contact.Reason{contact.ReasonStep}}
		if step.DueAtOnce(in.Class) && i == 0 {
			p.Why = []contact.Reason{contact.ReasonOnce}
		}
		if step.Consequence && p.At.Before(told) {
			p.At = told
		}
		p.Wanted = c.wanted(in.Plan, i, in.Class, in.Zones)
		if p.At.After(p.Wanted) {
			p.Why = append(p.Why, ReasonAnnounced)
		}
		if p.At.Before(from) {
			p.At = from
			if i == c.Step && p.Why[0] != contact.ReasonOnce {
				p.Why = append(p.Why, contact.ReasonPast)
			}
		}
		if len(in.Ways(step)) > 0 {
			slot := in.Policy.Slot(p.At, in.Zones, contacts)
			p.At, p.Why = slot.At, append(p.Why, slot.Why...)
			contacts = append(contacts[:len(contacts):len(contacts)], p.At)
			if step.Announces {
				told = in.Policy.NextAllowed(p.At.Add(noticeTime), in.Zones).In(in.Zones[0])
			}
		}
		from = p.At
		ahead = append(ahead, p)
	}
	return ahead
}
