package demo

import (
	"strings"
	"testing"
	"time"
)

// homes are the zones of the cast, by their addresses.
func homes(t *testing.T) map[string]*time.Location {
	t.Helper()
	zones := map[string]string{
		"NL": "Europe/Amsterdam", "PT": "Europe/Lisbon", "FR": "Europe/Paris", "JP": "Asia/Tokyo", "IT": "Europe/Rome", "PL": "Europe/Warsaw",
		"DE": "Europe/Berlin", "BE": "Europe/Brussels", "NO": "Europe/Oslo", "FI": "Europe/Helsinki", "AT": "Europe/Vienna", "ES": "Europe/Madrid",
		"SE": "Europe/Stockholm", "SG": "Asia/Singapore", "NG": "Africa/Lagos", "TR": "Europe/Istanbul", "CZ": "Europe/Prague",
		"GB": "Europe/London", "RO": "Europe/Bucharest", "MA": "Africa/Casablanca", "BR": "America/Sao_Paulo", "DK": "Europe/Copenhagen", "IE": "Europe/Dublin",
		"GR": "Europe/Athens", "SI": "Europe/Ljubljana",
		"US": "America/New_York", // she lives there; her mails wait for hours that are good in all of the country
	}
	all := map[string]*time.Location{}
	for _, p := range cast() {
		zone, err := time.LoadLocation(zones[p.nation])
		if err != nil || zones[p.nation] == "" {
			t.Fatalf("%s lives nowhere: %v", p.name, err)
		}
		all[p.email] = zone
	}
	return all
}

// Sixty days in which nobody does anything: no letter at night or at a weekend where its reader lives, never more than
// three in seven days, and every story ends where it should.
func TestSixtyDays(t *testing.T) {
	t.Parallel()
	v := stageFor(t, Options{})
	v.must("/demo/clock", "advance", "1440h")
	for reader, zone := range homes(t) {
		var times []time.Time
		for _, m := range v.mailsTo(reader) {
			if strings.HasPrefix(m.Subject, "We will charge your") || strings.Contains(m.Subject, "addebito del pagamento") {
				continue // the answer to a day they have just set
			}
			times = append(times, m.At)
			local := m.At.In(zone)
			weekend := local.Weekday() == time.Saturday || local.Weekday() == time.Sunday
			if weekend || local.Hour() < 9 || local.Hour() >= 18 {
				t.Errorf("%s got %q at %s", reader, m.Subject, local)
			}
		}
		for i := 3; i < len(times); i++ {
			if times[i].Sub(times[i-3]) < 7*aDay {
				t.Errorf("%s got four letters within %s, up to %s", reader, times[i].Sub(times[i-3]), times[i])
			}
		}
		for i := 1; i < len(times); i++ {
			if times[i].Sub(times[i-1]) < aDay {
				t.Errorf("%s got two letters within %s, up to %s", reader, times[i].Sub(times[i-1]), times[i])
			}
		}
	}
	ends := map[string][]string{ // case and access in the end
		"bank_debit": {"recovered", "full"}, "recovered": {"recovered", "full"}, "written_off": {"canceled", "full"},
		"disputed": {"paused", "full"}, "conversation": {"paused", "full"}, "consent_withdrawn": {"paused", "full"},
		"promised": {"recovered", "full"}, "wants_to_cancel": {"paused", "full"},
		"complained": {"open", "grace"}, "two_pauses": {"paused", "full"}, heldOut: {"open", "full"}, "own_retries": {"recovered", "full"},
		"healthy": {"", "full"}, "overdue_transfer": {"exhausted", "grace"},
		"just_paid": {"recovered", "full"}, "paid_elsewhere": {"recovered", "full"}, "refunded": {"recovered", "full"}, "voided": {"canceled", "full"}, "paused": {"paused", "full"},
		"suspended": {"exhausted", "suspended"}, "ended": {"exhausted", "suspended"}, "ends_soon": {"open", "grace"}, "opted_out": {"open", "grace"}, "amount_changes": {"exhausted", "grace"},
	}
	for reader, first := range map[string]string{"beatrice@morel.example": "Votre carte", "elif@demir.example": "needs a card"} {
		if !strings.Contains(v.mailsTo(reader)[0].Subject, first) {
			t.Errorf("%s was first told %q, want a word before anything failed", reader, v.mailsTo(reader)[0].Subject)
		}
	}
	for _, c := range v.state().Customers {
		want, special := ends[c.Scenario]
		if !special {
			want = []string{"exhausted", "restricted"}
		}
		switch c.Scenario {
		case "no_payment_method", "renewal_without_card", "card_expires_soon", "card_saved":
			// Every month fails anew, so that the latest case may still be under way.
			if c.status() == "open" {
				want = []string{"open", "restricted"}
			}
		}
		if c.status() != want[0] || c.Access != want[1] {
			t.Errorf("%s (%s) ends %q with %q, want %q", c.Name, c.Scenario, c.status(), c.Access, want)
		}
	}
}

// Every situation on the stage says what there is to watch.
func TestEverySituationSaysWhatToWatch(t *testing.T) {
	for _, p := range cast() {
		if watchFor(p.scenario) == "" {
			t.Errorf("nothing is said of %s", p.scenario)
		}
	}
}

// On whatever day the demo begins, a card that expires is good when its customer comes, or the stand-in would refuse it, and
// past, for one whose renewal failed, when people come in.
func TestCardsExpireInTimeOnEveryDay(t *testing.T) {
	for day := range 800 {
		curtain := time.Date(2026, 1, 1+day, 9, 30, 0, 0, time.UTC)
		for _, p := range cast() {
			good := p.cardExpiry(curtain).Format("2006-01")
			joined := p.joinedAt(curtain).UTC()
			if good < joined.Format("2006-01") {
				t.Fatalf("on %s %s comes on %s with a card good until %s", curtain.Format(time.DateOnly), p.name, joined.Format(time.DateOnly), good)
			}
			if p.expiring && p.failed > 0 && good >= curtain.Format("2006-01") {
				t.Fatalf("on %s the card of %s is good until %s", curtain.Format(time.DateOnly), p.name, good)
			}
		}
	}
}
