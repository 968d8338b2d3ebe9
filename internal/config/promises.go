package config

import (
	"cmp"
	"strconv"

	"sollecito/internal/dunning"
)

func (c *Config) checkPromises(fault func(string, string, ...any)) {
	whole := func(name, text string, least, most int) int {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			fault(name, "must be a whole number from %d to %d; got %q", least, most, text)
		}
		return n
	}
	// Set but empty stands for the default.
	c.PromiseDays, c.PromiseMost, c.PromiseBeyond, c.ClaimDays = cmp.Or(c.PromiseDays, "14"), cmp.Or(c.PromiseMost, "2"), cmp.Or(c.PromiseBeyond, "off"), cmp.Or(c.ClaimDays, "5")
	if c.PromiseBeyond != "on" && c.PromiseBeyond != "off" {
		fault("PROMISE_BEYOND_NOTICE", "must be on or off; got %q", c.PromiseBeyond)
	}
	c.Promises = dunning.PromiseRules{
		Days: whole("PROMISE_DAYS", c.PromiseDays, 0, 60), PerCase: whole("PROMISES_PER_CASE", c.PromiseMost, 0, 20), BeyondNotice: c.PromiseBeyond == "on",
	}
	c.Claim = whole("CLAIM_DAYS", c.ClaimDays, 1, 30)
}
