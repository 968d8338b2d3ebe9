package portal_test

import (
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/databasetest"
	"sollecito/internal/dunning"
	"sollecito/internal/sandbox"
)

// A longer run: go test ./internal/portal -run Simulated -sim.customers 40 -sim.days 365 -sim.seed 7 -timeout 1h
var (
	simCustomers = flag.Int("sim.customers", 6, "customers of the simulation")
	simDays      = flag.Int("sim.days", 40, "days of the simulation")
	simSeed      = flag.Uint64("sim.seed", 1, "what chance begins with; a failure names it")
	simSeeds     = flag.Int("sim.seeds", 1, "how many seeds one after the other")
)

// Weeks pass (months, when asked for) in which renewals fail for every reason, customers pay in every way, write, and are
// paused, webhooks come late, doubled, shuffled or never, Stripe and the mail server have bad hours, and the clock once
// jumps ahead as after an outage. All the while nobody is written to at the wrong hour, too often, twice, or after they
// paid; in the end Stripe and we agree.
func TestSimulatedLife(t *testing.T) {
	for n := range *simSeeds {
		seed := *simSeed + uint64(n)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			simulate(t, seed, *simCustomers, *simDays)
		})
	}
}

type simulated struct {
	id, email string
	zone      *time.Location
}

type simulation struct {
	*house
	dice      *rand.Rand
	customers []simulated
	heard     int                    // mails looked at so far
	reminders map[string][]time.Time // by address
	paidSince map[string]time.Time   // when Stripe last knew that nothing is overdue, by customer; absent while something is
	leapt     []time.Time            // instants at which the clock jumped
}

func simulate(t *testing.T, seed uint64, customers, days int) {
	if databasetest.OnPostgres() {
		days = min(days, 20) // the same rules in the same words
	}
	s := &simulation{
		house: open(t), dice: rand.New(rand.NewPCG(seed, 2)), reminders: map[string][]time.Time{}, paidSince: map[string]time.Time{},
	}
	places := []struct{ country, zone, card string }{
		{"NL", "Europe/Amsterdam", "pm_card_visa"}, {"JP", "Asia/Tokyo", "pm_card_visa"}, {"IN", "Asia/Kolkata", "pm_card_mastercard"},
		{"NZ", "Pacific/Auckland", "pm_card_visa"}, {"GB", "Europe/London", "pm_card_mastercard"}, {"IT", "Europe/Rome", "pm_card_visa"},
	}
	for i := range customers {
		p := places[i%len(places)]
		zone, err := time.LoadLocation(p.zone)
		if err != nil {
			t.Fatal(err)
		}
		c := simulated{email: fmt.Sprintf("c%d@customer.example", i), zone: zone}
		c.id = s.customer(fmt.Sprintf("Customer %d", i), c.email, p.country, p.card)
		s.customers = append(s.customers, c)
		s.paidSince[c.id] = s.clock.now()
	}
	for day := range days {
		s.day(day, days)
		if t.Failed() {
			t.Logf("day %d of seed %d; again with: go test ./internal/portal -run Simulated -sim.seed %d -sim.customers %d -sim.days %d", day, seed, seed, customers, days)
			return
		}
	}
	s.calm()
	s.agree()
	t.Logf("seed %d: %d customers, %d days, %d mails", seed, customers, days, s.heard)
}

// day lets some things happen, then a day pass.
func (s *simulation) day(day, days int) {
	if s.dice.IntN(4) == 0 {
		s.stripe.SetDelivery(sandbox.DeliveryMode{Late: s.dice.IntN(30), Doubled: s.dice.IntN(30), Shuffled: s.dice.IntN(50), Dropped: s.dice.IntN(10)})
	}
	switch s.dice.IntN(8) {
	case 0:
		places := []sandbox.FaultPlace{sandbox.FaultConnect, sandbox.FaultMail, sandbox.FaultData, sandbox.FaultBody, sandbox.FaultReply, sandbox.FaultAccept}
		s.catcher.SetFault(sandbox.Fault{Place: places[s.dice.IntN(len(places))], Count: 1 + s.dice.IntN(3)})
	case 1:
		s.outage([]string{"500", "503", "429"}[s.dice.IntN(3)], 1+s.dice.IntN(4))
	case 2:
		s.outage("lost", 1)
	case 3:
		s.catcher.SetFault()
	}
	for _, c := range s.customers {
		s.live(c)
	}
	if day == days/2 { // nobody was at home for a month
		s.clock.set(s.clock.now().Add(30 * 24 * time.Hour))
		s.leapt = append(s.leapt, s.clock.now())
		s.settle()
		s.look()
	}
	for range 24 {
		s.walk(time.Hour)
		s.look()
	}
}

// live is what one customer, their bank and our staff do on a day.
func (s *simulation) live(c simulated) {
	codes := []string{"insufficient_funds", "do_not_honor", "expired_card", "stolen_card", "authentication_required", "processing_error", "generic_decline", "stop_payment_order"}
	owed := s.overdue(c.id)
	switch dice := s.dice.IntN(100); {
	case dice < 4 && len(owed) < 3:
		_, err := s.stripe.FailRenewal(c.id, codes[s.dice.IntN(len(codes))])
		if err != nil {
			s.t.Fatal(err)
		}
	case dice < 12 && len(owed) > 0:
		err := s.stripe.Pay(owed[s.dice.IntN(len(owed))], s.dice.IntN(4) == 0)
		if err != nil {
			s.t.Fatal(err)
		}
	case dice < 14 && len(owed) > 0:
		s.try("invoices/"+owed[0]+"/void", nil)
	case dice < 16 && len(owed) > 0:
		s.try("invoices/"+owed[0]+"/mark_uncollectible", nil)
	case dice < 20 && s.count(`SELECT count(*) FROM customers WHERE id = '`+c.id+`'`) == 1:
		err := s.portal.Talks.Write(s.t.Context(), c.id, fmt.Sprintf("Hello, day %s", s.clock.now()), s.dice.IntN(2) == 0, s.clock.now())
		if err != nil {
			s.t.Fatal(err)
		}
	case dice < 26:
		s.staff(c)
	}
}

// staff pauses a case for some days, or ends its pauses.
func (s *simulation) staff(c simulated) {
	err := s.portal.DB.Do(s.t.Context(), func(tx *sql.Tx) error {
		open, err := s.portal.Cases.OpenOf(s.t.Context(), tx, c.id)
		if err != nil {
			return nil
		}
		now := s.clock.now()
		if s.dice.IntN(2) == 0 {
			return s.portal.Cases.Pause(s.t.Context(), tx, open.ID, dunning.PauseStaff, "", "sim", now.Add(time.Duration(1+s.dice.IntN(5))*24*time.Hour), now)
		}
		return s.portal.Cases.Resume(s.t.Context(), tx, open.ID, "sim", now)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// try asks the stand-in for something it may refuse, be it for an outage of the test's own making.
func (s *simulation) try(path string, form url.Values) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.api.URL+"/v1/"+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	req.SetBasicAuth(s.stripe.SecretKey(), "")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		resp.Body.Close()
	}
}

// overdue is what the stand-in itself knows a customer to owe.
func (s *simulation) overdue(customer string) []string { return s.stripe.OpenInvoices(customer) }

// look judges what has left since the last look.
func (s *simulation) look() {
	now := s.clock.now()
	for _, c := range s.customers {
		if len(s.overdue(c.id)) > 0 {
			delete(s.paidSince, c.id)
		} else if s.paidSince[c.id].IsZero() {
			s.paidSince[c.id] = now
		}
	}
	mails := s.catcher.Mails()
	for _, m := range mails[s.heard:] {
		s.judge(m)
	}
	s.heard = len(mails)
}

func (s *simulation) judge(m sandbox.Mail) {
	at := slices.IndexFunc(s.customers, func(c simulated) bool { return c.email == m.To })
	if at < 0 || !s.isReminder(m) {
		return // to staff, a thanks or an answer
	}
	c := s.customers[at]
	local := m.At.In(c.zone)
	if local.Hour() < 9 || local.Hour() >= 18 || local.Weekday() == time.Saturday || local.Weekday() == time.Sunday {
		s.t.Errorf("I4: %q reached %s on %s", m.Subject, c.email, local.Format("Mon 15:04"))
	}
	since, paid := s.paidSince[c.id]
	if paid && m.At.Sub(since) > 10*time.Minute {
		s.t.Errorf("I2: %q reached %s at %s, nothing was owed since %s", m.Subject, c.email, m.At, since)
	}
	earlier := s.reminders[c.email]
	if len(earlier) > 0 && m.At.Sub(earlier[len(earlier)-1]) < 24*time.Hour {
		s.t.Errorf("I5: %q reached %s %s after the one before", m.Subject, c.email, m.At.Sub(earlier[len(earlier)-1]))
	}
	if len(earlier) >= 3 && m.At.Sub(earlier[len(earlier)-3]) < 7*24*time.Hour {
		s.t.Errorf("I5: %s got four messages within %s", c.email, m.At.Sub(earlier[len(earlier)-3]))
	}
	s.reminders[c.email] = append(earlier, m.At)
}

// isReminder asks the portal which kind of message a mail is, by its Message-ID.
func (s *simulation) isReminder(m sandbox.Mail) bool {
	id, _, _ := strings.Cut(strings.Trim(m.Headers["Message-ID"], "<>"), "@")
	return s.count(`SELECT count(*) FROM notices WHERE kind = 'reminder' AND id = '`+id+`'`) == 1
}

// calm ends all faults and lets what is under way come to its end.
func (s *simulation) calm() {
	s.stripe.SetDelivery(sandbox.DeliveryMode{})
	s.catcher.SetFault()
	s.outage("500", 0)
	for range 3 * 24 {
		s.walk(time.Hour)
		s.look()
	}
}

// agree holds what the portal believes against what the stand-in knows.
func (s *simulation) agree() {
	for _, c := range s.customers {
		owed := s.overdue(c.id)
		err := s.portal.DB.See(s.t.Context(), func(tx *sql.Tx) error {
			stored, err := billing.OpenInvoices(s.t.Context(), tx, c.id)
			if err != nil {
				return err
			}
			var ids []string
			for _, i := range stored {
				ids = append(ids, i.ID)
			}
			slices.Sort(ids)
			slices.Sort(owed)
			if !slices.Equal(ids, owed) {
				s.t.Errorf("I7: of %s Stripe has %v open, we have %v", c.id, owed, ids)
			}
			latest, err := s.portal.Cases.LatestOf(s.t.Context(), tx, c.id)
			if err != nil {
				return nil // never had one
			}
			if len(owed) == 0 && (latest.Status == dunning.Open || latest.Status == dunning.Exhausted || latest.Access != campaign.Full) {
				s.t.Errorf("I7: nothing of %s is open, and their case is %s, access %s", c.id, latest.Status, latest.Access)
			}
			if len(owed) > 0 && latest.Status != dunning.Open && latest.Status != dunning.Exhausted {
				s.t.Errorf("I7: %s owes %v, and their case is %s", c.id, owed, latest.Status)
			}
			return nil
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	if len(s.reminders) == 0 {
		s.t.Error("nobody was reminded of anything: nothing was judged")
	}
	delivered := map[string]int{}
	for _, m := range s.catcher.Mails() {
		delivered[m.Headers["Message-ID"]]++
	}
	for id, n := range delivered {
		if n > 1 {
			s.t.Errorf("I3: %s was delivered %d times", id, n)
		}
	}
	if n := s.count(`SELECT count(*) FROM events WHERE status = 'received'`); n > 0 {
		s.t.Errorf("I6: %d events still wait", n)
	}
	if n := s.count(`SELECT count(*) FROM cases WHERE status = 'open' AND resting_since = 0 AND next_step_at IS NULL`); n > 0 {
		s.t.Errorf("I10: %d cases stand still", n)
	}
	err := s.portal.DB.See(s.t.Context(), func(tx *sql.Tx) error {
		_, _, err := audit.Verify(s.t.Context(), tx)
		return err
	})
	if err != nil {
		s.t.Errorf("I9: %v", err)
	}
}
