package portal_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"
)

// Who opens a mail's links, how often, and whether it is a program or a person, changes nothing of what is sent and
// when: of two customers alike, one never looks and the other's every link is fetched and looked at.
func TestTheScheduleKnowsNothingOfOpenings(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, name := range []string{"quiet", "watched"} {
		customer := h.customer("Chiara Bellini", name+"@bellini.example", "IT", "pm_card_visa")
		h.fail(customer, "insufficient_funds")
	}
	sent := func(name string) []string {
		var all []string
		for _, m := range h.mailsTo(name + "@bellini.example") {
			all = append(all, fmt.Sprintf("%s %s", m.At.UTC().Format(time.DateTime), m.Subject))
		}
		return all
	}
	looked := 0
	for range 20 {
		h.walk(24 * time.Hour)
		mails := h.mailsTo("watched@bellini.example")
		for ; looked < len(mails); looked++ {
			link := linkIn(t, mails[looked])
			for range 10 {
				h.browser().get(link).at("/pay", http.StatusOK)
				resp, err := http.Head(link)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
			}
			person := h.browser()
			person.get(link).at("/pay", http.StatusOK)
			person.press("/pay/review").at("/pay/review", http.StatusOK)
		}
	}
	if looked < 3 || !slices.Equal(sent("quiet"), sent("watched")) {
		t.Errorf("of %d looked at:\n%q\nnever looked at:\n%q", looked, sent("watched"), sent("quiet"))
	}
}
