package billing_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sollecito/internal/billing"
)

const hour = int64(time.Hour / time.Second)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC).Unix()

func declined(by billing.Initiator, invoice string, at int64, code string) billing.Attempt {
	return billing.Attempt{
		InvoiceID: invoice, MethodID: "pm_1", By: by, Status: billing.AttemptDeclined, Kind: "charge", Amount: billing.Money{Minor: 2900, Currency: "eur"},
		StartedAt: at, Decline: billing.Decline{Code: "card_declined", DeclineCode: code},
	}
}

func try(by billing.Initiator, network string, at int64) billing.Try {
	return billing.Try{
		By: by, At: at, Method: billing.Method{ID: "pm_1", Type: "card", Brand: network, Fingerprint: "fp"},
		Invoice: billing.Invoice{ID: "in_1", Status: "open", Currency: "eur", AmountRemaining: 2900, CollectionMethod: "charge_automatically"},
	}
}

func TestWhatMayBeCharged(t *testing.T) {
	t.Parallel()
	many := func(n int, by billing.Initiator, every int64, code string) []billing.Attempt {
		var all []billing.Attempt
		for k := range n {
			all = append(all, declined(by, fmt.Sprintf("in_other%d", k), start+int64(k)*every, code))
		}
		return all
	}
	with := func(a billing.Attempt, change func(*billing.Attempt)) []billing.Attempt {
		change(&a)
		return []billing.Attempt{a}
	}
	one := func(by billing.Initiator, code string) []billing.Attempt {
		return []billing.Attempt{declined(by, "in_1", start, code)}
	}
	advice := func(code string) []billing.Attempt {
		return with(declined(billing.ByStripe, "in_1", start, "insufficient_funds"), func(a *billing.Attempt) { a.Decline.NetworkAdviceCode = code })
	}
	for _, c := range []struct {
		what  string
		by    billing.Initiator
		brand string
		past  []billing.Attempt
		at    int64
		why   billing.Denial
		after int64
	}{
		{"nothing tried yet", billing.BySchedule, "visa", nil, start, "", 0},
		{"a day later", billing.BySchedule, "visa", one(billing.ByStripe, "do_not_honor"), start + 24*hour, "", 0},
		{"an hour too early", billing.BySchedule, "visa", one(billing.ByStripe, "do_not_honor"), start + 23*hour, billing.DenialGap, start + 24*hour},
		{"a new card waits for no day", billing.ByNewCard, "visa", one(billing.ByStripe, "processing_error"), start + 2*hour, "", 0},
		{"money wants two days", billing.BySchedule, "visa", one(billing.ByStripe, "insufficient_funds"), start + 24*hour, billing.DenialAdvice, start + 48*hour},
		{"money, on the day the customer set", billing.ByPromise, "visa", one(billing.ByStripe, "insufficient_funds"), start + 24*hour, "", 0},
		{"Mastercard's wait, on that day too", billing.ByPromise, "mastercard", advice("26"), start + 24*hour, billing.DenialAdvice, start + 48*hour},
		{"Mastercard says an hour", billing.ByNewCard, "mastercard", advice("24"), start + hour/2, billing.DenialAdvice, start + hour},
		{"Mastercard says ten days", billing.BySchedule, "mastercard", advice("30"), start + 9*24*hour, billing.DenialAdvice, start + 10*24*hour},
		{"Mastercard says never", billing.BySchedule, "mastercard", advice("03"), start + 9*24*hour, billing.DenialHard, 0},
		{"a lost card", billing.BySchedule, "visa", one(billing.ByStripe, "lost_card"), start + 9*24*hour, billing.DenialHard, 0},
		{"a lost card, pressed", billing.ByCustomer, "visa", one(billing.ByStripe, "lost_card"), start + 9*24*hour, billing.DenialHard, 0},
		{"a lost card on another invoice", billing.BySchedule, "visa", with(declined(billing.ByStripe, "in_2", start, "lost_card"), func(*billing.Attempt) {}), start + 9*24*hour, billing.DenialHard, 0},
		{"approval on another invoice", billing.BySchedule, "visa", with(declined(billing.ByStripe, "in_2", start, "authentication_required"), func(*billing.Attempt) {}), start + 9*24*hour, "", 0},
		{"approval", billing.BySchedule, "visa", one(billing.ByStripe, "authentication_required"), start + 9*24*hour, billing.DenialHard, 0},
		{"approval, pressed", billing.ByCustomer, "visa", one(billing.ByStripe, "authentication_required"), start + hour, "", 0},
		{"lost, then paid with it", billing.BySchedule, "visa", append(one(billing.ByStripe, "lost_card"),
			with(declined(billing.ByCustomer, "in_3", start+hour, ""), func(a *billing.Attempt) { a.Status = billing.AttemptPaid })...), start + 9*24*hour, "", 0},
		{"an answer outstanding counts", billing.BySchedule, "visa", with(declined(billing.ByStaff, "in_1", start, ""), func(a *billing.Attempt) { a.Status = billing.AttemptStarted }), start + hour, billing.DenialGap, start + 24*hour},
		{"Visa, 14 by anybody", billing.BySchedule, "visa", many(14, billing.ByCustomer, hour, "processing_error"), start + 14*24*hour, "", 0},
		{"Visa, 15 by anybody", billing.BySchedule, "visa", many(15, billing.ByCustomer, hour, "processing_error"), start + 14*24*hour, billing.DenialNetwork, start + 30*24*hour},
		{"Visa, 15, pressed", billing.ByCustomer, "visa", many(15, billing.ByStripe, hour, "processing_error"), start + 14*24*hour, "", 0},
		{"Visa, 20, pressed", billing.ByCustomer, "visa", many(20, billing.ByStripe, hour, "processing_error"), start + 14*24*hour, billing.DenialNetwork, start + 30*24*hour},
		{"Mastercard, 10 in a day, pressed", billing.ByCustomer, "mastercard", many(10, billing.ByStripe, hour, "processing_error"), start + 12*hour, billing.DenialNetwork, start + 24*hour},
		{"Mastercard, 35 in a month", billing.ByCustomer, "mastercard", many(35, billing.ByStripe, 20*hour, "processing_error"), start + 29*24*hour + 12*hour, billing.DenialNetwork, start + 30*24*hour},
		{"another network", billing.BySchedule, "jcb", many(15, billing.ByCustomer, hour, "processing_error"), start + 14*24*hour, billing.DenialNetwork, start + 30*24*hour},
		{"eight by themselves in two weeks", billing.BySchedule, "visa", many(8, billing.ByStripe, 24*hour, "processing_error"), start + 10*24*hour, billing.DenialPace, start + 14*24*hour},
		{"another amount", billing.BySchedule, "visa", with(declined(billing.ByStripe, "in_9", start, "processing_error"), func(a *billing.Attempt) { a.Amount.Minor = 1 }), start + hour, "", 0},
		{"unknown thrice", billing.BySchedule, "visa", []billing.Attempt{
			declined(billing.ByStripe, "in_1", start, "moon_phase"), declined(billing.ByStripe, "in_1", start+48*hour, "moon_phase"), declined(billing.ByStripe, "in_1", start+96*hour, "moon_phase"),
		}, start + 10*24*hour, billing.DenialUnknown, 0},
		{"pressed five times", billing.ByCustomer, "visa", []billing.Attempt{
			declined(billing.ByCustomer, "in_1", start, ""), declined(billing.ByCustomer, "in_1", start+hour, ""), declined(billing.ByCustomer, "in_1", start+2*hour, ""),
			declined(billing.ByCustomer, "in_1", start+3*hour, ""), declined(billing.ByCustomer, "in_1", start+4*hour, ""),
		}, start + 10*24*hour, billing.DenialOften, start + 30*24*hour},
	} {
		got := billing.DefaultBudget().Judge(try(c.by, c.brand, c.at), c.past)
		if got.Allowed != (c.why == "") || got.Why != c.why || got.After != c.after {
			t.Errorf("%s: %+v, want %q after %d", c.what, got, c.why, c.after)
		}
	}
	var equal []billing.Attempt
	for n := range 10 {
		equal = append(equal, declined(billing.ByNewCard, fmt.Sprint("in_", n), start+int64(n), "insufficient_funds"))
	}
	if v := billing.DefaultBudget().Judge(try(billing.ByNewCard, "mastercard", start+hour), equal); v.Full != billing.DenialNetwork || v.Why == billing.DenialNetwork {
		t.Errorf("a full window of the network is told though another rule holds longer: %+v", v)
	}
	if v := billing.DefaultBudget().Judge(try(billing.ByNewCard, "mastercard", start+hour), equal[:7]); v.Full != "" {
		t.Errorf("no window is full: %+v", v)
	}
	lost := try(billing.BySchedule, "visa", start+48*hour)
	lost.Renewed = start + 24*hour
	if v := billing.DefaultBudget().Judge(lost, one(billing.ByStripe, "lost_card")); !v.Allowed {
		t.Errorf("new details lift the block: %+v", v)
	}
	again := try(billing.ByNewCard, "visa", start+hour)
	again.Method.ID = "pm_2" // the same card, left anew
	if v := billing.DefaultBudget().Judge(again, one(billing.ByStripe, "lost_card")); !v.Allowed || v.Counts[0].Used != 1 {
		t.Errorf("its bank checked it when it was left, and its tries add up: %+v", v)
	}
	debit := try(billing.BySchedule, "", start+40*24*hour)
	debit.Method.Type = "sepa_debit"
	presented := []billing.Attempt{declined(billing.ByStripe, "in_1", start, "insufficient_funds"), declined(billing.ByStripe, "in_1", start+5*24*hour, "insufficient_funds")}
	if v := billing.DefaultBudget().Judge(debit, presented); !v.Allowed {
		t.Errorf("a debit may be presented a third time: %+v", v)
	}
	if v := billing.DefaultBudget().Judge(debit, append(presented, declined(billing.ByStripe, "in_1", start+9*24*hour, "insufficient_funds"))); v.Why != billing.DenialDebit {
		t.Errorf("and no fourth: %+v", v)
	}
}

// I12: whatever all parties do over sixty days, no charge of ours ever goes beyond a window; and what a verdict says to
// wait for is enough for the rule it names.
func TestOurChargesNeverGoBeyondAWindow(t *testing.T) {
	t.Parallel()
	ours := map[billing.Initiator]int{}
	rapid.Check(t, func(t *rapid.T) {
		brand := rapid.SampledFrom([]string{"visa", "mastercard", "amex"}).Draw(t, "network")
		codes := []string{"insufficient_funds", "do_not_honor", "processing_error", "moon_phase", "expired_card", "lost_card"}
		likely := codes[:rapid.IntRange(1, len(codes)).Draw(t, "codes")]
		parties := []billing.Initiator{billing.ByStripe, billing.ByCustomer, billing.BySchedule, billing.ByNewCard, billing.ByPromise, billing.ByStaff}
		var past []billing.Attempt
		at := start
		for at < start+60*24*hour {
			at += int64(rapid.IntRange(1, rapid.SampledFrom([]int{3600, 40_000, 400_000}).Draw(t, "pace")).Draw(t, "wait"))
			by := rapid.SampledFrom(parties).Draw(t, "by")
			asked := try(by, brand, at)
			asked.Invoice.ID = rapid.SampledFrom([]string{"in_1", "in_2", "in_3"}).Draw(t, "invoice")
			verdict := billing.DefaultBudget().Judge(asked, past)
			if by != billing.ByStripe && !verdict.Allowed {
				if verdict.After > 0 && verdict.After <= at {
					t.Fatalf("told at %d to wait until %d", at, verdict.After)
				}
				if verdict.After > 0 {
					asked.At = verdict.After
					later := billing.DefaultBudget().Judge(asked, past)
					if !later.Allowed && later.Why == verdict.Why && later.After <= verdict.After {
						t.Fatalf("told to wait until %d, and then again: %+v", verdict.After, later)
					}
				}
				continue
			}
			if by != billing.ByStripe {
				ours[by]++
				within(t, past, brand, asked)
			}
			past = append(past, declined(by, asked.Invoice.ID, at, rapid.SampledFrom(likely).Draw(t, "answer")))
		}
	})
	if len(ours) != 5 {
		t.Errorf("allowed %v: of somebody who never may the property says nothing", ours)
	}
}

// within counts by itself, and differently than Judge does, whether one more try keeps to every window.
func within(t *rapid.T, past []billing.Attempt, brand string, next billing.Try) {
	count := func(span int64, which func(billing.Attempt) bool) int {
		n := 1 // the one that is about to be made
		for _, a := range past {
			if next.At-a.StartedAt < span && which(a) {
				n++
			}
		}
		return n
	}
	all := func(billing.Attempt) bool { return true }
	most := map[string]int{"visa": 15, "mastercard": 35, "amex": 15}[brand]
	if next.By == billing.ByCustomer && brand == "visa" {
		most = 20
	}
	if n := count(30*24*hour, all); n > most {
		t.Fatalf("%d tries on %s in 30 days by %s", n, brand, next.By)
	}
	if n := count(24*hour, all); brand == "mastercard" && n > 10 {
		t.Fatalf("%d tries on mastercard in a day by %s", n, next.By)
	}
	own := func(a billing.Attempt) bool { return a.InvoiceID == next.Invoice.ID && a.By == billing.ByCustomer }
	if next.By == billing.ByCustomer {
		if n := count(30*24*hour, own); n > 5 {
			t.Fatalf("the customer's try %d", n)
		}
		return
	}
	automatic := func(a billing.Attempt) bool { return a.By != billing.ByCustomer }
	if n := count(14*24*hour, automatic); n > 8 {
		t.Fatalf("%d automatic tries in two weeks", n)
	}
	gap := func(a billing.Attempt) bool { return automatic(a) && a.InvoiceID == next.Invoice.ID }
	if n := count(24*hour, gap); n > 1 && next.By != billing.ByNewCard {
		t.Fatal("two automatic tries of one invoice within a day")
	}
	if slices.ContainsFunc(past, func(a billing.Attempt) bool {
		return a.Decline.DeclineCode == "lost_card" || a.Decline.DeclineCode == "expired_card"
	}) {
		t.Fatalf("tried by %s after a hard decline", next.By)
	}
}
