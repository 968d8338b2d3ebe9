package jobs

import (
	"context"
	"sync/atomic"
	"time"

	"sollecito/internal/outbox"
)

// supply passes claimed notices on to the lines of one batch. While a line waits long for the mail server, it claims more
// for the others: one mail that is slow must not hold up the rest.
type supply struct {
	sender  *Sender
	waiting chan claim
	claimed int       // once it has ended
	until   time.Time // real time from which nothing more is claimed: a batch must end, for its task to be seen to go on

	first int           // lines that have something to do at once
	open  atomic.Int64  // notices passed on that no line is done with
	done  chan struct{} // there are none
	over  chan struct{} // nobody takes any more
	left  chan []outbox.Notice
}

// slowDialogue is how long a batch may take longer than its last mail before more is claimed beside it. Most batches never
// come to it.
const slowDialogue = time.Second

func newSupply(s *Sender, first int) *supply {
	return &supply{
		sender: s, first: first, waiting: make(chan claim, asideBatch), until: s.Real().Add(sendLease / 2),
		done: make(chan struct{}, 1), over: make(chan struct{}), left: make(chan []outbox.Notice, 1),
	}
}

// run passes on what is claimed, until the lines are done with everything or have gone.
func (p *supply) run(ctx context.Context, claimed []outbox.Notice) {
	defer close(p.waiting)
	for {
		p.claimed += len(claimed)
		left := p.decideAside(ctx, claimed)
		if len(left) > 0 {
			p.left <- left
			return
		}
		claimed = p.more(ctx)
		if len(claimed) == 0 {
			p.left <- nil
			return
		}
	}
}

// more waits until the lines are done with everything, and answers what else is due when that takes them long. With one line
// there is nobody to give it to.
func (p *supply) more(ctx context.Context) []outbox.Notice {
	late := time.NewTicker(slowDialogue)
	defer late.Stop()
	for p.open.Load() > 0 {
		select {
		case <-p.done:
		case <-p.over:
			return nil
		case <-late.C:
			if p.sender.Connections == 1 || ctx.Err() != nil || !p.sender.Real().Before(p.until) {
				continue
			}
			claimed, err := p.sender.claim(ctx)
			if err != nil && ctx.Err() == nil {
				p.sender.Log.WarnContext(ctx, "no more mails could be claimed beside a slow one", "err", err)
			}
			if len(claimed) > 0 {
				return claimed
			}
		}
	}
	return nil
}

// finished is told by a line that is done with a notice.
func (p *supply) finished() {
	if p.open.Add(-1) > 0 {
		return
	}
	select {
	case p.done <- struct{}{}:
	default:
	}
}

// end is told when all lines have gone. It answers the notices nobody took.
func (p *supply) end() []outbox.Notice {
	close(p.over)
	behind := <-p.left
	for n := range p.waiting {
		behind = append(behind, n.Notice)
	}
	return behind
}

// decideAside passes claimed notices on. The first go as they are, so many as there are lines; what comes after is decided
// meanwhile. It ends when all are passed on or nobody takes them any more, and answers those that are left.
func (p *supply) decideAside(ctx context.Context, claimed []outbox.Notice) (left []outbox.Notice) {
	var decided map[string]*aside
	for size := p.first; len(claimed) > 0; size = asideBatch {
		batch := claimed[:min(size, len(claimed))]
		if size == asideBatch {
			decided = p.sender.aside(ctx, batch)
		}
		for i, n := range batch {
			p.open.Add(1)
			select {
			case p.waiting <- claim{n, decided[n.ID]}:
			case <-p.over:
				return claimed[i:]
			}
		}
		claimed = claimed[len(batch):]
	}
	return nil
}
