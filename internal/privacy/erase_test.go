package privacy

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/intake"
	"sollecito/internal/outbox"
)

// save keeps a customer as Stripe tells of them.
func save(tx *sql.Tx, t *testing.T, c billing.Customer) error {
	c.Livemode = true
	return billing.Save(t.Context(), tx, billing.Account{Customer: c, Methods: []billing.Method{{ID: "pm_" + c.ID, CustomerID: c.ID, Last4: "4242"}}}, now.Unix())
}

func erase(t *testing.T, db *database.DB, customer string) {
	t.Helper()
	_, err := eraser(db, now).Erase(t.Context(), customer, "command")
	if err != nil {
		t.Fatal(err)
	}
}

// What Stripe says of an erased customer afterwards is not kept, whichever way it comes.
func TestAnErasedCustomerDoesNotComeBack(t *testing.T) {
	t.Parallel()
	db := open(t)
	ada := billing.Customer{ID: "cus_ada", Name: "Ada", Email: "ada@example.com"}
	do(t, db, func(tx *sql.Tx) error { return save(tx, t, ada) })
	erase(t, db, "cus_ada")
	before := dump(t, db)
	invoice := billing.Invoice{ID: "in_1", CustomerID: "cus_ada", Status: "open", Description: "Ada's plan"}
	method := billing.Method{ID: "pm_2", CustomerID: "cus_ada", Last4: "4242"}
	ways := map[string]func(tx *sql.Tx) error{
		"a reading": func(tx *sql.Tx) error { return save(tx, t, ada) },
		"a page": func(tx *sql.Tx) error {
			return billing.SavePart(t.Context(), tx, billing.Account{Customer: ada, Invoices: []billing.Invoice{invoice}}, now.Unix())
		},
		"an invoice": func(tx *sql.Tx) error {
			return billing.SaveInvoice(t.Context(), tx, invoice, []billing.Method{method}, now.Unix())
		},
		"a method": func(tx *sql.Tx) error { return billing.KeepMethod(t.Context(), tx, method, now) },
	}
	for name, way := range ways {
		err := db.Do(t.Context(), way)
		if !billing.IsErased(err) || !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of an erased customer: %v", name, err)
		}
	}
	after := dump(t, db)
	if !slices.Equal(before, after) {
		t.Errorf("something came back:\n%s\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

// While a mail is with the mail server, or Stripe was asked for something, nothing is erased; a claim that a vanished
// sender left does not count.
func TestErasingWaitsForWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	for name, under := range map[string]struct{ begin, end string }{
		"a mail":    {`UPDATE notices SET status = 'sending', lease_until = 2000000000`, `UPDATE notices SET lease_until = 1700000000`},
		"a payment": {`UPDATE attempts SET status = 'started'`, `UPDATE attempts SET status = 'declined'`},
		"a removal": {`UPDATE removals SET status = 'ordered'`, `UPDATE removals SET status = 'done'`},
		"an act":    {`UPDATE final_acts SET status = 'ordered'`, `UPDATE final_acts SET status = 'done'`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			do(t, db, func(tx *sql.Tx) error { return plant(t.Context(), tx, "cus_ada") })
			order := func(statement string) {
				do(t, db, func(tx *sql.Tx) error {
					_, err := tx.ExecContext(t.Context(), statement)
					return err
				})
			}
			order(under.begin)
			before := dump(t, db)
			_, err := eraser(db, now).Erase(t.Context(), "cus_ada", "command")
			var busy *Busy
			if !errors.As(err, &busy) || len(busy.With) != 1 {
				t.Fatalf("erasing beside %s answers %v", name, err)
			}
			if !slices.Equal(before, dump(t, db)) {
				t.Error("something was erased all the same")
			}
			order(under.end)
			erase(t, db, "cus_ada")
		})
	}
}

// What waits for a customer never happens: an open case closes and says why, and no mail, promise or act is left, of a case
// without steps left either. What was taken away is given back.
func TestWhatWaitsForAnErasedCustomerNeverHappens(t *testing.T) {
	t.Parallel()
	for status, closed := range map[string][2]string{"open": {"canceled", "The customer was erased."}, "exhausted": {"exhausted", "The customer was erased."}} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			do(t, db, func(tx *sql.Tx) error { return plant(t.Context(), tx, "cus_ada") })
			do(t, db, func(tx *sql.Tx) error {
				for _, statement := range []string{
					`UPDATE cases SET next_step_at = NULL, access = 'suspended', status = '` + status + `'`, `UPDATE promises SET status = 'active'`, `UPDATE notices SET status = 'queued'`,
					`UPDATE final_acts SET status = 'proposed'`, `UPDATE events SET status = 'received'`, `UPDATE attempts SET kind = 'setup', status = 'started'`,
					`UPDATE guest_cards SET gone_at = 0`,
				} {
					_, err := tx.ExecContext(t.Context(), statement)
					if err != nil {
						return err
					}
				}
				return nil
			})
			erase(t, db, "cus_ada")
			for question, want := range map[string]string{
				`SELECT status FROM cases`: closed[0], `SELECT access FROM cases`: "full", `SELECT max(why) FROM case_log`: closed[1],
				`SELECT status FROM promises`: "withdrawn", `SELECT status FROM notices`: "skipped", `SELECT status FROM final_acts`: "dropped",
				`SELECT status FROM events`: "ignored", `SELECT reason FROM events`: intake.ErasedCustomer, `SELECT status FROM attempts`: "failed",
				`SELECT method_id FROM guest_cards`: "mark.cus_ada.guest_cards.method_id;",
			} {
				got := ""
				err := db.See(t.Context(), func(tx *sql.Tx) error { return tx.QueryRowContext(t.Context(), question).Scan(&got) })
				if err != nil || got != want {
					t.Errorf("%s answers %q, %v; want %q", question, got, err, want)
				}
			}
		})
	}
}

// An address that mail must not go to is known again when it comes back under another customer, and cannot be read; one
// that somebody else has too stays theirs.
func TestASuppressedAddressStaysSuppressedWithoutItsName(t *testing.T) {
	t.Parallel()
	db := open(t)
	suppress := func(customer, address string) {
		do(t, db, func(tx *sql.Tx) error {
			_, err := outbox.HoldBack(t.Context(), tx, outbox.Notice{ID: "ntc_" + customer, CustomerID: customer}, address, now.Unix())
			return err
		})
	}
	do(t, db, func(tx *sql.Tx) error {
		return errors.Join(save(tx, t, billing.Customer{ID: "cus_ada", Name: "Ada", Email: "Ada@Example.com", Contacts: []string{"office@example.com"}}),
			save(tx, t, billing.Customer{ID: "cus_bob", Name: "Bob", Email: "bob@example.com", Contacts: []string{"Office@example.com"}}))
	})
	suppress("cus_ada", "Ada@Example.com")
	suppress("cus_ada", "office@example.com")
	erase(t, db, "cus_ada")
	left := about(dump(t, db), "ada@")
	if len(left) > 0 {
		t.Errorf("the address can be read: %q", left)
	}
	left = append(about(dump(t, db), "Ada"), about(dump(t, db), "ntc_cus_ada")...)
	if len(left) > 0 {
		t.Errorf("the way to the customer is left: %q", left)
	}
	held := func(address string) bool {
		is := false
		do(t, db, func(tx *sql.Tx) error {
			s, found, err := outbox.SuppressionOf(t.Context(), tx, address)
			if found && s.Address != outbox.Normal(address) {
				t.Errorf("the suppression of %s is told as that of %s", address, s.Address)
			}
			many, also := outbox.Suppressed(t.Context(), tx, []string{address, "carl@example.com", address})
			if is = found; found != (len(many) == 1 && many[outbox.Normal(address)].ID == s.ID) {
				t.Errorf("asked for many %s is held back in %v", address, many)
			}
			return errors.Join(err, also)
		})
		return is
	}
	if !held("ada@example.com") || !held("office@example.com") || held("carl@example.com") {
		t.Error("not the same addresses are held back as before")
	}
	if len(about(dump(t, db), "ffice@example.com")) != 2 { // of the other customer: their row, and why it gets no mail
		t.Errorf("what another customer has too: %q", about(dump(t, db), "ffice@example.com"))
	}
	do(t, db, func(tx *sql.Tx) error {
		lifted, err := outbox.Lift(t.Context(), tx, "ADA@example.com", "Giulia", now.Unix())
		if !lifted {
			t.Error("a person's word does not lift it")
		}
		return err
	})
	if held("ada@example.com") {
		t.Error("it is held back after it was lifted")
	}
}

// Whether somebody else has an address is asked of its meaning, not of how it is written: of a domain in other letters, and
// not of one that only looks like it.
func TestWhoElseHasASuppressedAddress(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		address, others string
		contact, stays  bool
	}{
		"another spelling of the domain": {"ada@b\u00fccher.example", "Ada@xn--bcher-kva.example", false, true},
		"the same letters in capitals":   {"jos\u00e9@example.com", "JOS\u00c9@example.com", true, true},
		"a name that only looks alike":   {"ada_lovelace@example.com", "ada.lovelace@example.com", true, false},
		"a name with a percent sign":     {"%@example.com", "bob@example.com", true, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			bob := billing.Customer{ID: "cus_bob", Name: "Bob", Email: "other@example.net"}
			if c.contact {
				bob.Contacts = []string{"bob@example.net", c.others}
			} else {
				bob.Email = c.others
			}
			do(t, db, func(tx *sql.Tx) error {
				_, err := outbox.HoldBack(t.Context(), tx, outbox.Notice{ID: "ntc_1", CustomerID: "cus_bob"}, c.address, now.Unix())
				return errors.Join(err, save(tx, t, billing.Customer{ID: "cus_ada", Name: "Ada", Email: c.address}), save(tx, t, bob))
			})
			erase(t, db, "cus_ada")
			readable, whose := false, ""
			err := db.See(t.Context(), func(tx *sql.Tx) error {
				return tx.QueryRow(`SELECT address = $1, customer_id FROM suppressions`, outbox.Normal(c.address)).Scan(&readable, &whose)
			})
			if err != nil || readable != c.stays || c.stays != (whose == "cus_bob") {
				t.Errorf("readable: %t, of %q: %v", readable, whose, err)
			}
		})
	}
}

// A suppressed address that comes back with another customer has a name again, so that staff see whom no mail reaches.
func TestASuppressedAddressIsRecognised(t *testing.T) {
	t.Parallel()
	db := open(t)
	do(t, db, func(tx *sql.Tx) error {
		_, err := outbox.HoldBack(t.Context(), tx, outbox.Notice{ID: "ntc_1", CustomerID: "cus_ada"}, "ada@example.com", now.Unix())
		return errors.Join(err, save(tx, t, billing.Customer{ID: "cus_ada", Name: "Ada", Email: "ada@example.com"}))
	})
	erase(t, db, "cus_ada")
	do(t, db, func(tx *sql.Tx) error {
		many, err := outbox.Suppressed(t.Context(), tx, []string{"Ada@example.com"})
		if err == nil && !many["ada@example.com"].Nameless {
			t.Errorf("before: %+v", many)
		}
		return errors.Join(err, outbox.Recognise(t.Context(), tx, "cus_new", "Ada@example.com"))
	})
	do(t, db, func(tx *sql.Tx) error {
		var spelled, whose string
		err := tx.QueryRow(`SELECT spelled, customer_id FROM suppressions WHERE address = 'ada@example.com'`).Scan(&spelled, &whose)
		if spelled != "ada@example.com" || whose != "cus_new" {
			t.Errorf("after: %q of %q", spelled, whose)
		}
		return err
	})
}

// A paper of late interest keeps its sums and loses its name.
func TestAPaperOfLateInterestLosesItsName(t *testing.T) {
	t.Parallel()
	db := open(t)
	do(t, db, func(tx *sql.Tx) error {
		err := plant(t.Context(), tx, "cus_ada")
		if err == nil {
			_, err = tx.ExecContext(t.Context(), `UPDATE late_interest SET document = $1`, "Late interest on invoice 7\n\nFrom: Lumen\nTo: Ada Lovelace\n\nOpen: 10,00\n")
		}
		return err
	})
	erase(t, db, "cus_ada")
	left := about(dump(t, db), "Late interest on invoice 7\n\nFrom: Lumen\nTo: cus_ada\n\nOpen: 10,00\n")
	if len(left) != 1 {
		t.Errorf("the paper: %q", about(dump(t, db), "late_interest"))
	}
}

// Fingerprints of cards serve the networks' limits for a month and are forgotten then; and whatever somebody wrote down
// who was at work when the customer was erased is erased too.
func TestTheSweepErasesWhatWasLeftBehind(t *testing.T) {
	t.Parallel()
	db := open(t)
	do(t, db, func(tx *sql.Tx) error { return plant(t.Context(), tx, "cus_ada") })
	do(t, db, func(tx *sql.Tx) error { return plant(t.Context(), tx, "cus_bob") })
	do(t, db, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE attempts SET started_at = $1`, now.AddDate(0, 0, -20).Unix())
		return err
	})
	erase(t, db, "cus_ada")
	const fingerprint = "mark.cus_ada.attempts.card;"
	if len(about(dump(t, db), fingerprint)) != 1 {
		t.Error("a card's tries of 20 days ago are not counted any more")
	}
	do(t, db, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO snoozes (customer_id, until) VALUES ('cus_ada', 1)`)
		return err
	})
	sweep := func(at time.Time) {
		n, err := eraser(db, at).Sweep(t.Context())
		if err != nil || n != 0 {
			t.Fatalf("the sweep answers %d, %v", n, err)
		}
	}
	sweep(now.Add(time.Hour))
	left := about(dump(t, db), "snoozes cus_ada")
	if len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
	if len(about(dump(t, db), fingerprint)) != 1 {
		t.Error("the sweep forgets a fingerprint that is still needed")
	}
	sweep(now.AddDate(0, 0, 12))
	if len(about(dump(t, db), fingerprint)) != 0 || len(about(dump(t, db), "mark.cus_bob.attempts.card;")) != 1 {
		t.Error("not the fingerprints of erased customers alone are forgotten after a month")
	}
}

// What an app that was out of reach is told of an erased customer days later is deleted when it has it, or nobody tries any
// more.
func TestWhatIsToldLateIsForgottenToo(t *testing.T) {
	t.Parallel()
	db := open(t)
	do(t, db, func(tx *sql.Tx) error { return plant(t.Context(), tx, "cus_ada") })
	do(t, db, func(tx *sql.Tx) error { return plant(t.Context(), tx, "cus_bob") })
	order := func(statement string) {
		do(t, db, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), statement)
			return err
		})
	}
	kept := func(customer string) (n int) {
		do(t, db, func(tx *sql.Tx) error {
			return tx.QueryRowContext(t.Context(), `SELECT count(*) FROM webhook_deliveries WHERE customer_id = $1`, customer).Scan(&n)
		})
		return n
	}
	order(`UPDATE webhook_deliveries SET status = 'pending'`)
	erase(t, db, "cus_ada")
	for _, x := range []struct {
		day    int
		status string
		want   int
	}{{1, "pending", 1}, {3, "delivered", 0}} {
		order(`UPDATE webhook_deliveries SET status = '` + x.status + `'`)
		_, err := eraser(db, now.AddDate(0, 0, x.day)).Sweep(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if ada, bob := kept("cus_ada"), kept("cus_bob"); ada != x.want || bob != 1 {
			t.Errorf("while it is %s, %d are kept of who was erased and %d of who was not", x.status, ada, bob)
		}
	}
}

// What waited for the app when a program ended is forgotten by the next one when the app has it, though its customer was erased
// long ago; that one needs not have given anything back itself.
func TestWhatWaitedAtARestartIsForgottenToo(t *testing.T) {
	t.Parallel()
	db := open(t)
	for _, who := range []string{"cus_ada", "cus_bob"} {
		do(t, db, func(tx *sql.Tx) error { return plant(t.Context(), tx, who) })
	}
	set := func(status string) {
		do(t, db, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE webhook_deliveries SET status = $1`, status)
			return err
		})
	}
	kept := func(customer string) (n int) {
		do(t, db, func(tx *sql.Tx) error {
			return tx.QueryRowContext(t.Context(), `SELECT count(*) FROM webhook_deliveries WHERE customer_id = $1`, customer).Scan(&n)
		})
		return n
	}
	set("pending")
	erase(t, db, "cus_ada")
	day := now.AddDate(0, 0, 3*cardDays)
	e := eraser(db, day)
	e.Now = func() time.Time { return day }
	for _, x := range []struct {
		status string
		want   int
	}{{"pending", 1}, {"pending", 1}, {"delivered", 0}} {
		set(x.status)
		_, err := e.Sweep(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if ada, bob := kept("cus_ada"), kept("cus_bob"); ada != x.want || bob != 1 {
			t.Errorf("while it is %s, %d are kept of who was erased and %d of who was not", x.status, ada, bob)
		}
		day = day.Add(2 * sweepEvery)
	}
}

// Whom what was typed means.
func TestFind(t *testing.T) {
	t.Parallel()
	db := open(t)
	do(t, db, func(tx *sql.Tx) error {
		return errors.Join(save(tx, t, billing.Customer{ID: "cus_ada", Email: "ada@example.com"}), save(tx, t, billing.Customer{ID: "cus_bob", Email: "both@example.com"}),
			save(tx, t, billing.Customer{ID: "cus_bea", Email: "both@example.com"}))
	})
	for typed, want := range map[string]string{
		"cus_ada": "cus_ada", "ADA@example.com": "cus_ada", "both@example.com": "say which by the id: cus_", "cus_eve": "There is no customer cus_eve", "eve@example.com": "No customer has the address",
	} {
		got := ""
		err := db.See(t.Context(), func(tx *sql.Tx) error {
			var err error
			got, err = Find(t.Context(), tx, typed)
			return err
		})
		if got != want && !strings.Contains(fault.MessageOf(err), want) {
			t.Errorf("%s means %q, %v", typed, got, err)
		}
	}
	erase(t, db, "cus_ada")
	do(t, db, func(tx *sql.Tx) error {
		id, err := Find(t.Context(), tx, "cus_ada")
		if id != "cus_ada" {
			t.Error("an erased customer is not found by the id")
		}
		return err
	})
	_, err := eraser(db, now).Erase(t.Context(), "cus_eve", "command")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("erasing nobody answers %v", err)
	}
}

// Years after the erasing nothing is left but the id, by which what Stripe tells of them is passed over, and what the audit
// log says; before, and of anybody else, nothing is touched.
func TestTheRestGoesAfterYears(t *testing.T) {
	t.Parallel()
	db := open(t)
	for _, who := range []string{"cus_ada", "cus_bob", "cus_cyd"} {
		do(t, db, func(tx *sql.Tx) error { return plant(t.Context(), tx, who) })
	}
	erase(t, db, "cus_ada")
	_, err := eraser(db, now.AddDate(5, 0, 0)).Erase(t.Context(), "cus_cyd", "command")
	if err != nil {
		t.Fatal(err)
	}
	sweep := func(at time.Time, years int) {
		t.Helper()
		e := eraser(db, at)
		e.Years = years
		_, err := e.Sweep(t.Context())
		if err != nil {
			t.Fatal(err)
		}
	}
	before := dump(t, db)
	sweep(now.AddDate(30, 0, 0), 0)
	sweep(now.AddDate(10, 0, 1), 10) // the years are counted from the end of the one in which they were erased
	sweep(time.Date(now.Year()+11, time.January, 1, 0, 0, 0, 0, time.UTC).Add(-time.Second), 10)
	after := dump(t, db)
	for _, who := range []string{"cus_ada", "cus_bob", "cus_cyd"} {
		if len(about(before, who)) != len(about(after, who)) {
			t.Fatalf("of %s something went before its time", who)
		}
	}
	for range 2 {
		sweep(time.Date(now.Year()+11, time.January, 1, 0, 0, 0, 0, time.UTC), 10)
	}
	last := dump(t, db)
	if !slices.Equal(about(after, "cus_bob"), about(last, "cus_bob")) || !slices.Equal(about(after, "cus_cyd"), about(last, "cus_cyd")) {
		t.Error("somebody else was touched")
	}
	ids := 0
	for _, row := range about(last, "cus_ada") {
		table, _, _ := strings.Cut(row, " ")
		if table == "customers" {
			ids++
		}
		if table != "customers" && table != "audit" && table != "suppressions" {
			t.Errorf("after ten years there is still: %s", row)
		}
	}
	if ids != 1 {
		t.Error("the id is gone: Stripe could bring them back")
	}
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		_, _, err := audit.Verify(t.Context(), tx)
		return err
	})
	if err != nil {
		t.Errorf("the audit log: %v", err)
	}
}

// However many there are of whom the rest may go, it goes in one round; one with whom it fails holds up nobody and is tried
// again in an hour, and each deletion stands in the audit log.
func TestTheRestOfEverybodyGoesInOneRound(t *testing.T) {
	t.Parallel()
	db := open(t)
	const many = 120
	id := func(i int) string { return fmt.Sprintf("cus_%03d", i) }
	do(t, db, func(tx *sql.Tx) error {
		for i := range many {
			err := save(tx, t, billing.Customer{ID: id(i)})
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(t.Context(), `INSERT INTO holds (customer_id, times) VALUES ($1, 1) ON CONFLICT (customer_id) DO NOTHING`, id(i))
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(t.Context(), `UPDATE customers SET erased_at = $1 WHERE id = $2`, now.Unix()+int64(i), id(i))
			if err != nil {
				return err
			}
		}
		return plant(t.Context(), tx, "cus_retried")
	})
	// A row that erasing deletes, written after it by a program that was at work, lies before all others.
	do(t, db, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE customers SET erased_at = 1 WHERE id = 'cus_retried'`)
		return err
	})
	e := eraser(db, now.AddDate(12, 0, 0))
	e.Years = 10
	left := func() (count int) {
		err := db.See(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM holds) + (SELECT count(*) FROM retries)`).Scan(&count)
		})
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	if n := left(); n != many+2 {
		t.Fatalf("%d rows before", n)
	}
	_, err := e.Sweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := left(); n != 0 {
		t.Errorf("after one sweep %d rows are left", n)
	}
	written := 0
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		_, _, err := audit.Verify(t.Context(), tx)
		return errors.Join(err, tx.QueryRowContext(t.Context(), `SELECT count(*) FROM audit WHERE action = 'customer.rest_deleted' AND actor = 'program'`).Scan(&written))
	})
	if err != nil || written != many+1 {
		t.Errorf("%d of %d deletions stand in the audit log: %v", written, many+1, err)
	}
}

// A customer whose rest cannot be deleted holds up nobody, and is not tried again before an hour is over.
func TestOneWhoseRestCannotGoHoldsUpNobody(t *testing.T) {
	t.Parallel()
	db := open(t)
	for _, who := range []string{"cus_ada", "cus_bob"} {
		do(t, db, func(tx *sql.Tx) error { return plant(t.Context(), tx, who) })
	}
	do(t, db, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE customers SET erased_at = CASE id WHEN 'cus_ada' THEN 1 ELSE 2 END`)
		if err != nil {
			return err
		}
		// A promise of somebody else on the first one's case: a wrong row, with which the case cannot go.
		err = plant(t.Context(), tx, "cus_cyd")
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(t.Context(), `UPDATE promises SET case_id = 'cases-cus_ada' WHERE customer_id = 'cus_cyd'`)
		return err
	})
	at := now
	e := eraser(db, now)
	e.Now = func() time.Time { return at }
	e.Years = 10
	_, err := e.Sweep(t.Context())
	if err == nil || !strings.Contains(err.Error(), "cus_ada") {
		t.Fatalf("the sweep that could not delete answers %v", err)
	}
	of := func(customer string) int { return len(about(dump(t, db), "holds "+customer)) }
	if of("cus_ada") != 1 || of("cus_bob") != 0 {
		t.Errorf("left: of the one who fails %d, of the one behind %d", of("cus_ada"), of("cus_bob"))
	}
	at = now.Add(time.Minute)
	_, err = e.Sweep(t.Context())
	if err != nil {
		t.Errorf("a minute later it tries again: %v", err)
	}
	do(t, db, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE promises SET case_id = 'cases-cus_cyd' WHERE customer_id = 'cus_cyd'`)
		return err
	})
	at = now.Add(time.Hour)
	_, err = e.Sweep(t.Context())
	if err != nil || of("cus_ada") != 0 {
		t.Errorf("an hour later: %v, %d left", err, of("cus_ada"))
	}
}

// A calendar year ends in the merchant's zone.
func TestTheYearsEndInTheMerchantsZone(t *testing.T) {
	t.Parallel()
	auckland, err := time.LoadLocation("Pacific/Auckland")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Time]time.Time{
		time.Date(2036, time.December, 31, 23, 59, 59, 0, auckland): time.Date(2026, time.January, 1, 0, 0, 0, 0, auckland),
		time.Date(2037, time.January, 1, 0, 0, 0, 0, auckland):      time.Date(2027, time.January, 1, 0, 0, 0, 0, auckland),
	} {
		e := eraser(nil, at.UTC())
		e.Years, e.Zone = 10, auckland
		if got := e.keptFrom(); !got.Equal(want) {
			t.Errorf("on %s it deletes of those erased before %s, want %s", at, got, want)
		}
	}
}
