package webhook

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// The specification's own example, as its libraries test themselves with it.
func TestAMessageIsSignedAsTheSpecificationSays(t *testing.T) {
	t.Parallel()
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	h, err := sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), `{"test": 2432232314}`, []string{secret})
	if err != nil {
		t.Fatal(err)
	}
	want := Headers{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Timestamp: "1614265330", Signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}
	if h != want {
		t.Errorf("signed %+v, want %+v", h, want)
	}
	both, err := sign(h.ID, time.Unix(1614265330, 0), `{"test": 2432232314}`, []string{newSecret(), secret})
	if err != nil || !strings.HasSuffix(both.Signature, " "+want.Signature) || strings.Count(both.Signature, "v1,") != 2 {
		t.Errorf("while rotating it is signed %q, %v", both.Signature, err)
	}
}

func TestSecretsAreLongEnoughAndNeverTheSame(t *testing.T) {
	t.Parallel()
	one, other := newSecret(), newSecret()
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(one, "whsec_"))
	if err != nil || len(raw) < 24 || len(raw) > 64 || one == other || !strings.HasPrefix(one, "whsec_") {
		t.Errorf("%d bytes in %q, %v", len(raw), one, err)
	}
}

func TestTriesAreSpreadOverThreeDays(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	for _, id := range []string{"dlv_1", "dlv_2", "dlv_3"} {
		at, tries := now, 1
		var last time.Duration
		for {
			next, more := Delivery{ID: id}.next(tries, at)
			if !more {
				break
			}
			if next.Sub(at) <= last {
				t.Errorf("try %d of %s comes after %s, the one before after %s", tries+1, id, next.Sub(at), last)
			}
			last, at = next.Sub(at), next
			tries++
		}
		if all := at.Sub(now); tries != MostAttempts || all < 3*24*time.Hour || all > 85*time.Hour {
			t.Errorf("%d tries in %s", tries, all)
		}
	}
	one, _ := Delivery{ID: "dlv_1"}.next(3, now)
	other, _ := Delivery{ID: "dlv_2"}.next(3, now)
	if one.Equal(other) {
		t.Error("what failed together comes back together")
	}
}
