package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what a run saw.
type report struct {
	plan       plan
	Kills      int             // of the portal
	Freezes    int             // of the portal
	Recoveries []time.Duration // from start, or from the end of a fault, to ready, shortest first

	Acknowledged, LostEvents              int // webhooks answered 2xx
	Written, LostMessages, DoubleMessages int // messages to support that the page said were sent
	Paid, LostPayments, DoubleCharges     int // payments the page confirmed; invoices charged more than once
	Delivered, DoubleMails, UnknownMails  int // at the mail server, after the final dot
	Sent, LostMails, Uncertain            int // as the portal keeps it
	Unanswered, TakenForSure              int // mails whose sender was killed while the mail server said nothing; those not kept as uncertain
	Told, ToldAgain                       int // messages the app has by the portal's books; those that came to it once more
	LostTold, UnknownTold, MixedTold      int // that it has not, or nobody wrote; that it has and the books have not; that came again as another
	MostSending                           int // mails under way at one kill
	Meanwhile                             int // mails that came while it was frozen
	Broken                                int // kills after which the database found itself damaged
}

// held reports whether everything held that must.
func (r report) held() bool {
	return r.LostEvents+r.LostMessages+r.DoubleMessages+r.LostPayments+r.DoubleCharges+r.DoubleMails+r.UnknownMails+r.LostMails+r.Broken+r.TakenForSure+r.LostTold+r.UnknownTold+r.MixedTold == 0 &&
		r.MostSending <= r.plan.connections() && r.Uncertain <= r.plan.connections()*(r.Kills+r.Freezes)
}

func (r report) print(w io.Writer) {
	engine, _, _ := strings.Cut(r.plan.Database, ":")
	what := "kills"
	switch {
	case r.plan.Server != nil:
		what = fmt.Sprintf("times without its database, %d of them killed with it", r.Kills)
	case r.plan.Freeze > 0:
		what = fmt.Sprintf("times frozen for %s, meanwhile %d mails", r.plan.Freeze, r.Meanwhile)
	}
	fmt.Fprintf(w, "%s, %d %s, seed %d\n", engine, r.plan.Kills, what, r.plan.Seed)
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(what string, seen int, must string, bad int) {
		fmt.Fprintf(rows, "%s\t%d\t%s\t%d\n", what, seen, must, bad)
	}
	row("webhooks answered 2xx", r.Acknowledged, "lost", r.LostEvents)
	row("messages the page took", r.Written, "lost or doubled", r.LostMessages+r.DoubleMessages)
	row("payments the page confirmed", r.Paid, "lost", r.LostPayments)
	row("", r.Paid, "invoices charged twice", r.DoubleCharges)
	row("mails at the mail server", r.Delivered, "delivered twice", r.DoubleMails)
	row("", r.Delivered, "unknown to the portal", r.UnknownMails)
	row("mails kept as sent", r.Sent, "never delivered", r.LostMails)
	row("mails kept as uncertain", r.Uncertain, "most under way at a kill", r.MostSending)
	row("mails never answered for", r.Unanswered, "not kept as uncertain", r.TakenForSure)
	row("messages the app was told", r.Told, "lost, unknown or mixed up", r.LostTold+r.UnknownTold+r.MixedTold)
	row("", r.Told, "told once more, as may be", r.ToldAgain)
	row("databases looked at", r.Kills, "damaged", r.Broken)
	rows.Flush()
	if len(r.Recoveries) > 0 {
		fmt.Fprintf(w, "ready after %s (median of %d lives that got there), %s at most\n",
			r.Recoveries[len(r.Recoveries)/2].Round(time.Millisecond), len(r.Recoveries), r.Recoveries[len(r.Recoveries)-1].Round(time.Millisecond))
	}
}
