package portal_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"sollecito/internal/config"
)

// lacking opens a house whose restricted key lacks some permissions, as "event_read-dispute_read".
func lacking(t *testing.T, permissions string) *house {
	t.Helper()
	return open(t, func(c *config.Config) { c.StripeKey = config.Secret("rk_test_lacks_" + permissions) })
}

// byHand makes a customer with an invoice to be paid by hand within a week.
func (h *house) byHand(email string) (customer string) {
	h.t.Helper()
	customer = h.customer("By Hand", email, "NL", "pm_card_visa")
	h.ask("invoiceitems", url.Values{"customer": {customer}, "currency": {"eur"}, "amount": {"4000"}})
	i := h.ask("invoices", url.Values{"customer": {customer}, "collection_method": {"send_invoice"}, "days_until_due": {"7"}, "pending_invoice_items_behavior": {"include"}})["id"].(string)
	h.ask("invoices/"+i+"/finalize", url.Values{})
	return customer
}

func (h *house) openCases(customer string) int {
	h.t.Helper()
	return h.count(`SELECT count(*) FROM cases WHERE status = 'open' AND customer_id = '` + customer + `'`)
}

// Events and disputes are no vital permissions: without them no missed event is fetched, and reminders don't rest while a
// payment is disputed. What is found out in other ways does not wait for them.
func TestAKeyThatMayNotListEventsOrDisputesStillFindsWhatIsDue(t *testing.T) {
	t.Parallel()
	for _, permissions := range []string{"event_read", "dispute_read", "event_read-dispute_read"} {
		t.Run(permissions, func(t *testing.T) {
			t.Parallel()
			h := lacking(t, permissions)
			h.settle()
			h.deaf()
			for n := range 2 { // a run that was refused something ends all the same, and the next one begins
				customer := h.byHand(fmt.Sprintf("hand%d@waal.example", n))
				h.clock.set(h.clock.now().Add(8 * 24 * time.Hour))
				h.settle()
				if h.openCases(customer) != 1 {
					t.Errorf("invoice %d, whose due date passed, opened no case", n+1)
				}
			}
			if !strings.Contains(h.log.String(), "the catch-up goes on without what the key may not list") {
				t.Error("the log does not say what was left out")
			}
		})
	}
}

// Once the key may list events, what happened while it could not is caught up on: from the events where they reach back so
// far, from the open invoices where they don't.
func TestAKeyThatMayListEventsAgainMissesNothing(t *testing.T) {
	t.Parallel()
	for name, without := range map[string]time.Duration{"five days": 5 * 24 * time.Hour, "forty days": 40 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := lacking(t, "event_read")
			h.settle()
			h.deaf()
			customer := h.customer("Fails Meanwhile", "fails@waal.example", "NL", "pm_card_visa")
			h.clock.set(h.clock.now().Add(time.Hour))
			_, err := h.stripe.FailRenewal(customer, "insufficient_funds")
			if err != nil {
				t.Fatal(err)
			}
			for range 5 {
				h.clock.set(h.clock.now().Add(without / 5))
				_, err = h.portal.Intake.Reconcile(t.Context())
				if err != nil {
					t.Fatal(err)
				}
			}
			if h.openCases(customer) != 0 {
				t.Fatal("who told of the failure?")
			}
			h.config.StripeKey = "rk_test_full"
			p := h.again()
			for range 2 {
				h.clock.set(h.clock.now().Add(20 * time.Minute))
				_, err = p.Runner.Drain(t.Context(), "reconcile", "events", "readings")
				if err != nil {
					t.Fatal(err)
				}
			}
			if h.openCases(customer) != 1 {
				t.Error("what failed while events could not be listed was never learnt")
			}
			if got := h.count(`SELECT count(*) FROM settings WHERE name = 'reconcile' AND value LIKE '%"unlisted":0%'`); got != 1 {
				t.Error("the catch-up still stands at what it has caught up on")
			}
		})
	}
}

// That nothing finds what a webhook loses is told to whoever watches the portal.
func TestReadinessTellsThatMissedEventsAreNotFound(t *testing.T) {
	t.Parallel()
	h := lacking(t, "event_read")
	h.settle()
	h.clock.set(h.clock.now().Add(time.Hour))
	_, err := h.portal.Intake.Reconcile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = h.portal.Start(h.context)
	if err != nil {
		t.Fatal(err)
	}
	_, checks := h.ready()
	if !strings.HasPrefix(checks["webhook"], "notice ") || !strings.Contains(checks["webhook"], "the key could not list Stripe's events") {
		t.Errorf("of webhooks it says %q", checks["webhook"])
	}
}

// Disputes that began while the key might not list them are found once it may, though their events were parked meanwhile.
func TestDisputesThatCouldNotBeListedAreFoundLater(t *testing.T) {
	t.Parallel()
	h := lacking(t, "dispute_read")
	s := &scene{house: h, extra: map[string]string{}}
	s.customer = h.customer("Disputes It", "disputes@waal.example", "NL", "pm_card_visa")
	h.clock.set(h.clock.now().Add(2 * time.Hour))
	h.fail(s.customer, "insufficient_funds")
	h.settle()
	h.deaf()
	disputes("fraudulent")(s)
	for range 3 {
		h.clock.set(h.clock.now().Add(24 * time.Hour))
		_, err := h.portal.Intake.Reconcile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
	}
	if h.count(`SELECT count(*) FROM disputes`) != 0 {
		t.Fatal("who told of the dispute?")
	}
	h.config.StripeKey = "rk_test_full"
	p := h.again()
	h.clock.set(h.clock.now().Add(20 * time.Minute))
	_, err := p.Runner.Drain(t.Context(), "reconcile")
	if err != nil {
		t.Fatal(err)
	}
	if h.count(`SELECT count(*) FROM disputes`) != 1 {
		t.Error("a dispute that began while none could be listed was never learnt")
	}
	if got := h.count(`SELECT count(*) FROM settings WHERE name = 'reconcile' AND value LIKE '%"undisputed":0%'`); got != 1 {
		t.Error("the catch-up still looks back for disputes")
	}
}

// An event about what the key may not read waits a while, for a key just being mended, and is then parked where staff see
// it: it does not keep the alarm for waiting events on for good.
func TestAnEventThatTheKeyMayNotReadIsParked(t *testing.T) {
	t.Parallel()
	h := lacking(t, "dispute_read")
	customer := h.customer("Disputes It", "disputes@waal.example", "NL", "pm_card_visa")
	h.clock.set(h.clock.now().Add(2 * time.Hour))
	h.fail(customer, "insufficient_funds")
	body := []byte(strings.NewReplacer("in_x", "dp_1", `"object":"invoice"`, `"object":"dispute"`, `"customer":"`+customer+`"`, `"charge":"ch_1"`).
		Replace(string(eventBody("evt_disputed", "charge.dispute.created", customer))))
	if got := h.webhook(body, sign(body, h.stripe.WebhookSecret(), time.Now())); got != 200 {
		t.Fatalf("%d for the event", got)
	}
	for n := range 9 {
		_, err := h.portal.Runner.Drain(t.Context(), "events")
		if err != nil {
			t.Fatal(err)
		}
		if n == 2 && h.events(`id = 'evt_disputed' AND status = 'received'`) != 1 {
			t.Fatal("it was parked at once")
		}
		err = h.portal.Intake.Reclaim(t.Context())
		if err != nil {
			t.Fatal(err)
		}
	}
	if h.events(`id = 'evt_disputed' AND status = 'parked' AND reason LIKE '%permission%'`) != 1 {
		t.Error("it waits for a permission for ever")
	}
}
