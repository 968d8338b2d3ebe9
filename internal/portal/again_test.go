package portal_test

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"sollecito/internal/link"
)

// What was just read is told again only while nothing was committed: whoever asks for a page after a commit sees it, on
// every connection and however many ask at once.
func TestAPageAskedForAgainIsNeverBehind(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	invoice := h.fail(customer, "insufficient_funds")
	h.settle()
	token := ""
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		var err error
		token, err = link.Issue(t.Context(), tx, link.Link{CustomerID: customer, IssuedAt: h.clock.now().Unix()})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b := h.browser()
	b.get(link.NewAddresses(h.base).Link(token)).at("/pay", http.StatusOK)
	price := regexp.MustCompile(`€(\d+)\.00`)
	var kept atomic.Int64
	kept.Store(29)
	look := func() (int64, error) {
		resp, err := b.client.Get(h.base + "/pay")
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		page, err := io.ReadAll(resp.Body)
		found := price.FindSubmatch(page)
		if err != nil || found == nil {
			return 0, fmt.Errorf("%d without an amount: %w", resp.StatusCode, err)
		}
		return strconv.ParseInt(string(found[1]), 10, 64)
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	var looks atomic.Int64
	for range 6 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				least := kept.Load()
				shown, err := look()
				if err != nil || shown < least {
					t.Errorf("the page shows €%d after €%d was kept: %v", shown, least, err)
					return
				}
				looks.Add(1)
			}
		})
	}
	for euros := int64(30); euros < 90; euros++ {
		err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(`UPDATE invoices SET amount_due = $1, amount_remaining = $1 WHERE id = $2`, euros*100, invoice)
			return err
		})
		if err != nil {
			t.Error(err)
			break
		}
		kept.Store(euros)
		shown, err := look()
		if err != nil || shown != euros {
			t.Errorf("the page shows €%d instead of €%d: %v", shown, euros, err)
		}
	}
	close(done)
	readers.Wait()
	if looks.Load() < 60 {
		t.Errorf("the page was looked at %d times beside", looks.Load())
	}
}
