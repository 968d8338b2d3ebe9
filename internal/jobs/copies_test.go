package jobs_test

import (
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"sollecito/internal/outbox"
)

// Lines hand over one letter after the other, each drawn where the last one stood, longer ones and shorter ones. What is
// kept of each is what its reader got, byte for byte but for the token.
func TestWhatIsKeptOfEachMailIsWhatItsReaderGot(t *testing.T) {
	const customers = 60
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	db, catcher, sender := waiting(t, now, customers, []string{"first"})
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		for n := range customers {
			id := fmt.Sprintf("cus_%d", n)
			_, err := tx.Exec(`UPDATE invoices SET number = $1, description = $2 WHERE customer_id = $3`, "N-"+id, strings.Repeat("a long plan ", n*7%customers), id)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = sender.RunOnce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mails := catcher.Mails()
	if len(mails) != customers {
		t.Fatalf("%d mails arrived", len(mails))
	}
	token := regexp.MustCompile(`/l/[\w-]{43}`)
	inOne := strings.NewReplacer("=\r\n", "") // lines break elsewhere around what is cut out
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		for _, m := range mails {
			id := "cus_" + strings.TrimSuffix(strings.TrimPrefix(m.Recipients[0], "c"), "@customer.example")
			if !strings.Contains(m.Text, "N-"+id+"\n") {
				t.Errorf("%s got\n%s", id, m.Text)
			}
			notice := m.Header("X-Entity-Ref-ID")
			kept, err := outbox.CopyOf(t.Context(), tx, notice)
			if err != nil {
				return err
			}
			want := token.ReplaceAllString(inOne.Replace(string(m.Raw)), "/l/=E2=80=A2=E2=80=A2=E2=80=A2")
			if got := inOne.Replace(kept); got != want {
				t.Errorf("%s is kept as\n%s\nand went as\n%s", notice, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
