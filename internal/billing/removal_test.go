package billing_test

import (
	"testing"
	"time"

	"sollecito/internal/billing"
)

func TestWhatAMethodServes(t *testing.T) {
	t.Parallel()
	who := billing.Customer{ID: "cus_1", DefaultMethod: "pm_default"}
	methods := []billing.Method{{ID: "pm_idle"}, {ID: "pm_own"}, {ID: "pm_default"}}
	all := billing.Holdings(who, methods, []billing.Subscription{
		{ID: "sub_1", Status: "active", DefaultMethod: "pm_own"},
		{ID: "sub_2", Status: "past_due"},
		{ID: "sub_3", Status: "canceled", DefaultMethod: "pm_idle"},
	})
	want := []struct {
		id      string
		serves  int
		byStand bool
	}{{"pm_default", 1, true}, {"pm_own", 1, false}, {"pm_idle", 0, false}}
	for n, w := range want {
		if all[n].ID != w.id || len(all[n].Serves) != w.serves || all[n].Default != w.byStand {
			t.Errorf("%d: %+v, want %+v", n, all[n], w)
		}
	}
}

func TestWhatStandsInTheWayOfARemoval(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC).Unix()
	plan := []billing.Subscription{{ID: "sub_1", Status: "active"}}
	used := billing.Holding{Method: billing.Method{ID: "pm_1"}, Default: true, Serves: plan}
	idle := billing.Holding{Method: billing.Method{ID: "pm_2", ExpYear: 2027, ExpMonth: 1}}
	expired := billing.Holding{Method: billing.Method{ID: "pm_3", ExpYear: 2026, ExpMonth: 10}}
	open := billing.Invoice{Status: "open", AmountRemaining: 2900, MethodID: "pm_2"}
	debit := open
	debit.IntentStatus = "processing"
	tests := []struct {
		name     string
		remove   billing.Holding
		all      []billing.Holding
		open     []billing.Invoice
		promised string
		want     billing.Obstacle
	}{
		{"what serves nothing goes", idle, []billing.Holding{used, idle}, nil, "", ""},
		{"the only one goes when nothing runs", idle, []billing.Holding{idle}, []billing.Invoice{open}, "", ""},
		{"the only one stays while something runs", used, []billing.Holding{used}, nil, "", billing.ServesAlone},
		{"an expired one cannot take its place", used, []billing.Holding{used, expired}, nil, "", billing.ServesAlone},
		{"another can", used, []billing.Holding{used, expired, idle}, nil, "", ""},
		{"a debit is with the bank", idle, []billing.Holding{used, idle}, []billing.Invoice{debit}, "", billing.UnderWay},
		{"a day was chosen for it", idle, []billing.Holding{used, idle}, nil, "pm_2", billing.IsPromised},
		{"a day was chosen for another", idle, []billing.Holding{used, idle}, nil, "pm_1", ""},
	}
	for _, tt := range tests {
		if got := billing.MayRemove(tt.remove, tt.all, tt.open, tt.promised, now); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
