package web

import (
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/dunning"
	"sollecito/internal/l10n"
	"sollecito/views"
)

// threadOf is the line of time: what happened, that one can pay now, what comes by itself.
func (s *Server) threadOf(v visitor, st standing) []views.Entry {
	now := s.Now()
	var all []views.Entry
	for _, i := range st.open {
		if i.Since() > 0 {
			all = append(all, views.Entry{When: time.Unix(i.Since(), 0).In(v.zone), Kind: views.Past, Said: views.Said{Key: failedKey(i)}})
		}
	}
	all = slices.CompactFunc(all, func(a, b views.Entry) bool {
		return a.Said.Key == b.Said.Key && a.When.Format(time.DateOnly) == b.When.Format(time.DateOnly)
	})
	all = append(all, views.Entry{When: now.In(v.zone), Kind: views.Now, Said: views.Said{Key: s.nowKey(st)}})
	if st.promise != nil && st.promise.Kind == dunning.PromiseCharge && !s.underWay(*st.promise) {
		all = append(all, views.Entry{When: time.Unix(st.promise.DueAt, 0).In(v.zone), HasClock: true, Kind: views.Next, Said: views.Said{Key: "thread.promised", Args: l10n.Args{"Amount": st.promise.Amounts()}}})
	}
	for _, i := range st.open {
		if i.NextAttemptAt > now.Unix() {
			said := views.Said{Key: "thread.retry_any"}
			card := s.cardOf(st)
			if card != nil {
				said = views.Said{Key: "thread.retry", Args: l10n.Args{"Card": card}}
			}
			all = append(all, views.Entry{When: time.Unix(i.NextAttemptAt, 0).In(v.zone), Kind: views.Next, Said: said})
			break
		}
	}
	// A date that has passed without its consequence waits for a person: nobody can name the next one.
	passed := st.c.ConsequenceAt > 0 && st.c.ConsequenceAt <= now.Unix()
	for _, p := range st.steps {
		decided := p.Step.Acts() && st.final.Status != "" // its day has come already
		if st.c.Loses(p.Step) && p.Held == "" && !passed && !decided {
			all = append(all, views.Entry{When: p.At.In(v.zone), Kind: views.Next, Said: views.Said{Key: willKey[p.Step.Takes()]}})
		}
	}
	slices.SortStableFunc(all, func(a, b views.Entry) int { return a.When.Compare(b.When) })
	return all
}

// willKey says what a consequence will take away.
var willKey = map[string]string{
	string(campaign.Restricted): "thread.will_restrict", string(campaign.Suspended): "thread.will_suspend",
	string(campaign.ActCancel): "thread.will_cancel", string(campaign.ActPause): "thread.will_pause", string(campaign.ActWriteOff): "thread.will_uncollectible",
}

// failedKey says what happened when an invoice became overdue.
func failedKey(i billing.Invoice) string {
	switch i.Class() {
	case billing.ClassOverdue:
		return "thread.due"
	case billing.ClassExpired:
		return "thread.card_expired"
	case billing.ClassAuthentication:
		return "thread.wants_approval"
	case billing.ClassNoMethod, billing.ClassTransient, billing.ClassOurs:
		return "thread.failed"
	}
	return "thread.declined"
}

// nowKey says what can be done now.
func (s *Server) nowKey(st standing) string {
	switch s.mainAct(st) {
	case views.MainApprove:
		return "thread.approve_now"
	case views.MainNone:
		return "thread.resting_now"
	}
	return "thread.pay_now"
}

// noteOf says how the case stands besides.
func (s *Server) noteOf(v visitor, st standing) *views.Note {
	for _, reason := range pauseRank {
		at := slices.IndexFunc(st.pauses, func(p dunning.Pause) bool { return p.Reason == reason })
		if at >= 0 {
			return pauseNote(v, st, st.pauses[at])
		}
	}
	final := finalNote(v, st)
	if final != nil {
		return final
	}
	if st.c.Access == campaign.Restricted || st.c.Access == campaign.Suspended {
		return &views.Note{Kind: views.NoteInfo, Said: views.Said{Key: "note." + string(st.c.Access)}}
	}
	if st.broken != nil {
		return brokenNote(*st.broken, v.zone)
	}
	until := st.fullUntil(s.Now())
	if st.c.Access == campaign.Grace && !until.IsZero() {
		return &views.Note{Kind: views.NoteWait, Said: views.Said{Key: "note.grace", Args: l10n.Args{"Day": until.In(v.zone)}}}
	}
	return nil
}

// fullUntil is the day until which nothing is taken away: that on which it surely is, or the earliest of an announced
// final act. Zero when there is none to name.
func (st standing) fullUntil(now time.Time) time.Time {
	if !st.ends.IsZero() || st.c.ConsequenceAt <= now.Unix() {
		return st.ends
	}
	for _, p := range st.steps {
		if st.c.Loses(p.Step) {
			if p.Step.Acts() && p.Held == "" && st.final.Status == "" {
				return time.Unix(st.c.ConsequenceAt, 0)
			}
			break
		}
	}
	return time.Time{}
}

// pauseRank is which of several pauses the page tells of: what the customer did or asked for is acknowledged before what
// rests by itself. A promise is not among them; it is told apart.
var pauseRank = []dunning.PauseReason{
	dunning.PauseDispute, dunning.PauseConversation, dunning.PauseClaim, dunning.PauseConsent, dunning.PauseProcessing, dunning.PauseStaff,
	dunning.PauseImported, dunning.PauseVerification,
}

// pauseNote tells of the pause that ranks first; nil when another sentence of the page does.
func pauseNote(v visitor, st standing, p dunning.Pause) *views.Note {
	said := views.Said{Key: "note.paused"}
	switch p.Reason {
	case dunning.PauseDispute:
		said.Key = disputeKey(st)
	case dunning.PauseConversation:
		if st.cancels {
			return nil // the wish to end the plan says so
		}
		said.Key = "note.conversation"
	case dunning.PauseConsent:
		said.Key = "note.consent"
	case dunning.PauseProcessing:
		return &views.Note{Kind: views.NoteWait, Said: views.Said{Key: "note.processing"}}
	case dunning.PauseClaim, dunning.PauseStaff, dunning.PauseVerification:
		until, ends := restEnds(st.pauses, p.Reason)
		switch {
		case ends:
			said = views.Said{Key: untilKey[p.Reason], Args: l10n.Args{"Day": lastDay(until, v.zone)}}
		case p.Reason == dunning.PauseClaim:
			said.Key = "note.claim"
		}
	}
	return &views.Note{Kind: views.NotePause, Said: said}
}

func disputeKey(st standing) string {
	switch {
	case len(st.payable()) == 0:
		return "note.dispute"
	case st.underDispute():
		return "note.dispute_other"
	}
	return "note.dispute_lost"
}

// restEnds answers when the pause that is told and all beside it are over, so that no page names a day on which another
// still holds; false when one of them has no end. Deposits keep their own day beside a promise, which has its own sentence.
func restEnds(pauses []dunning.Pause, told dunning.PauseReason) (until int64, ends bool) {
	for _, p := range pauses {
		if p.Until == 0 {
			return 0, false
		}
		if told != dunning.PauseVerification || p.Reason != dunning.PausePromise {
			until = max(until, p.Until)
		}
	}
	return until, true
}

// untilKey says of a pause with an end why and until when reminders rest.
var untilKey = map[dunning.PauseReason]string{
	dunning.PauseClaim: "note.claim_until", dunning.PauseStaff: "note.paused_until", dunning.PauseVerification: "note.verification_until",
}

// lastDay is the last day of what ends at an instant, which may be the next day's first.
func lastDay(until int64, zone *time.Location) time.Time { return time.Unix(until-1, 0).In(zone) }

// finalNote says what was done in the end, why, and how to contest it; nil when nothing was.
func finalNote(v visitor, st standing) *views.Note {
	if st.final.Status != dunning.FinalDone {
		return nil
	}
	return &views.Note{Kind: views.NoteInfo, Said: views.Said{
		Key: "note.final_" + string(st.final.Act), Args: l10n.Args{"Day": time.Unix(st.final.EndedAt, 0).In(v.zone)},
	}}
}
