package campaign

// Act is what the last step of a campaign does at Stripe.
type Act string

// The acts.
const (
	ActCancel   Act = "cancel"        // the subscriptions behind the open invoices end; what is open stays payable
	ActPause    Act = "pause"         // they go on, and nothing more is asked for them until somebody resumes them
	ActWriteOff Act = "uncollectible" // the open invoices are written off; Stripe still takes a payment
	ActLeave    Act = "leave"         // nothing; the same as no act, written out
)

var acts = []Act{ActCancel, ActPause, ActWriteOff, ActLeave}

// Acts reports whether the step does something at Stripe.
func (s Step) Acts() bool { return s.Act != "" && s.Act != ActLeave }

// Takes is what a consequence takes away, in the word letters and pages know it by: the act where it has one, else the
// access it leaves.
func (s Step) Takes() string {
	if s.Acts() {
		return string(s.Act)
	}
	return string(s.Access)
}
