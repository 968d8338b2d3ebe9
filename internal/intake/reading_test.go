package intake

import (
	"database/sql"
	"reflect"
	"slices"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
)

// What is stored as it was read is not written again; whatever is new of it is, whichever word it is.
func TestWhateverIsNewOfAReadingIsKept(t *testing.T) {
	t.Parallel()
	db := opened(t)
	a := billing.Account{
		Customer:      billing.Customer{ID: "cus_1", Name: "Ada", Email: "ada@customer.example", DefaultMethod: "pm_1"},
		Methods:       []billing.Method{{ID: "pm_1", CustomerID: "cus_1", Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 12, ExpYear: 2030}},
		Subscriptions: []billing.Subscription{{ID: "sub_1", CustomerID: "cus_1", Status: "active", Amount: billing.Money{Currency: "eur"}}},
		Invoices: []billing.Invoice{{
			ID: "in_1", CustomerID: "cus_1", Status: "open", Currency: "eur", CollectionMethod: "charge_automatically", AmountDue: 2900, AmountRemaining: 2900,
		}},
	}
	readAt := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC).Unix()
	answered := false
	keep := func() {
		t.Helper()
		readAt++
		err := db.Do(t.Context(), func(tx *sql.Tx) (err error) {
			answered, err = keepOver(t, tx, a, readAt)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	keep()
	keep()
	for _, part := range []struct {
		read any // what is changed, one field after the other
		kept string
		not  []string // that Stripe does not say, or never says otherwise
	}{
		{&a.Customer, "customer", []string{"ID", "Language", "CreatedAt", "SyncedAt", "ErasedAt"}},
		{&a.Methods[0], "method", []string{"ID", "CustomerID", "Type", "RemovedAt"}},
		{&a.Subscriptions[0], "subscription", []string{"ID", "CustomerID"}},
		{&a.Invoices[0], "invoice", []string{"ID", "CustomerID", "SubscriptionID", "CollectionMethod", "BillingReason", "Currency", "CreatedAt", "SyncedAt",
			"MethodIsGuests", "MethodRenewedAt", "Charge", "Status", "AmountRemaining", "FirstFailed"}}, // the last is kept with FailedAt, for good
	} {
		whole := reflect.ValueOf(part.read).Elem()
		for n := range whole.NumField() {
			name := whole.Type().Field(n).Name
			if slices.Contains(part.not, name) {
				continue
			}
			alter(whole.Field(n))
			keep()
			got := reflect.ValueOf(stored(t, db, part.kept)).Field(n).Interface()
			if !reflect.DeepEqual(got, whole.Field(n).Interface()) {
				t.Errorf("%s %s: %v is kept, %v was read", part.kept, name, got, whole.Field(n))
			}
			keep()
			if !answered {
				t.Errorf("%s %s, read twice: what stands is to be read again", part.kept, name)
			}
		}
	}
	if at := stored(t, db, "customer").(billing.Customer).SyncedAt; at != readAt {
		t.Errorf("read at %d, want %d", at, readAt)
	}
	if at := stored(t, db, "invoice").(billing.Invoice).SyncedAt; at != readAt {
		t.Errorf("the invoice was read at %d, want %d", at, readAt)
	}
}

// A subscription that was looked at ahead of its renewal is to be looked at anew once it was read, even as it was.
func TestWhatIsReadIsUnseen(t *testing.T) {
	t.Parallel()
	db := opened(t)
	a := billing.Account{
		Customer:      billing.Customer{ID: "cus_1"},
		Subscriptions: []billing.Subscription{{ID: "sub_1", CustomerID: "cus_1", Status: "active", PeriodEnd: 2000, Automatic: true}},
	}
	unseen := 0
	for readAt := range int64(2) {
		err := db.Do(t.Context(), func(tx *sql.Tx) error {
			_, err := keepOver(t, tx, a, 100+readAt)
			if err != nil {
				return err
			}
			err = tx.QueryRowContext(t.Context(), `SELECT count(*) FROM subscriptions WHERE unseen`).Scan(&unseen)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(t.Context(), `UPDATE subscriptions SET unseen = false`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if unseen != 1 {
			t.Errorf("after reading %d nothing is to be looked at", readAt+1)
		}
	}
}

// keepOver keeps a reading over what the same transaction finds stored, and reports whether it answered what stands then, which
// is what is stored.
func keepOver(t *testing.T, tx *sql.Tx, a billing.Account, readAt int64) (answered bool, err error) {
	id := a.Customer.ID
	was := billing.Stored{Whole: true}
	found, err := billing.CustomersByID(t.Context(), tx, []string{id})
	if err != nil {
		return false, err
	}
	was.Customer = found[id]
	was.Invoices, err = billing.Unsettled(t.Context(), tx, id)
	if err != nil {
		return false, err
	}
	stands, err := billing.SaveNoting(t.Context(), tx, was, a, readAt, time.Unix(readAt, 0))
	if err != nil || stands == nil {
		return false, err
	}
	want := billing.Standing{Disputed: was.Disputed}
	want.Customer, err = billing.FindCustomer(t.Context(), tx, id)
	if err != nil {
		return false, err
	}
	want.Open, err = billing.OpenInvoices(t.Context(), tx, id)
	if err != nil {
		return false, err
	}
	if !reflect.DeepEqual(*stands, want) {
		t.Errorf("%+v stands, and stored is %+v", *stands, want)
	}
	return true, nil
}

func stored(t *testing.T, db *database.DB, what string) any {
	t.Helper()
	var found any
	err := db.See(t.Context(), func(tx *sql.Tx) error {
		var err error
		switch what {
		case "customer":
			found, err = billing.FindCustomer(t.Context(), tx, "cus_1")
		case "method":
			found, err = billing.FindMethod(t.Context(), tx, "cus_1", "pm_1")
		case "subscription":
			var all []billing.Subscription
			all, err = billing.Subscriptions(t.Context(), tx, "cus_1")
			found = all[0]
		case "invoice":
			found, err = billing.FindInvoice(t.Context(), tx, "in_1")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// alter changes a value to another one of its kind.
func alter(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Int64, reflect.Int:
		v.SetInt(v.Int() + 7)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Slice:
		v.Set(reflect.ValueOf([]string{"a", "b"}))
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"sollecito_customer": "business"}))
	case reflect.Struct:
		for n := range v.NumField() {
			alter(v.Field(n))
		}
	default:
		panic(v.Kind().String())
	}
}
