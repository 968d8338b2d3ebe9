package contact

import (
	"errors"
	"time"

	"sollecito/internal/holiday"
)

// What a policy is at its widest where the bills are regulated credit. The UK's rules for such debts forbid contact at
// unreasonable times and pressure by frequency (FCA Handbook, CONC 7.9) and name no numbers; these are ours.
const (
	regulatedFrom = 8
	regulatedTo   = 20
	regulatedGap  = 48 * time.Hour
	regulatedCap  = 2 // in Policy.Window, 7 days
)

// Regulate narrows the policy to what it may be at its widest for regulated credit, whatever it was set to: 8 to 20, no
// Sundays, no public holidays, two days between messages and two in seven days. What is narrower stays. An error, for
// whoever set hours or days, says that nothing is left of them.
func (p *Policy) Regulate() error {
	hours := Hours{p.From, p.To}.within(Hours{regulatedFrom, regulatedTo})
	if hours.From >= hours.To {
		return errors.New("leaves no hour: CONTACT_HOURS must have one within 8-20")
	}
	days := p.Days
	days[time.Sunday] = false
	if days == [7]bool{} {
		return errors.New("leaves no day: CONTACT_DAYS must have one beside Sunday")
	}
	p.From, p.To, p.Days = hours.From, hours.To, days
	p.Gap, p.Cap = max(p.Gap, regulatedGap), min(p.Cap, regulatedCap)
	p.Almanac = holiday.NewAlmanac()
	return nil
}
