package config

import (
	"os"
	"strings"

	"sollecito/internal/interest"
)

// checkInterest reads the rates of late interest. A file with faults stops the start whether they are used or not.
func (c *Config) checkInterest(fault func(string, string, ...any)) {
	if c.LateInterest != "" && c.LateInterest != "on" && c.LateInterest != "off" {
		fault("LATE_INTEREST", "must be on or off; got %q", c.LateInterest)
	}
	rates := interest.Shipped()
	if c.InterestRates != "" {
		document, err := os.ReadFile(c.InterestRates)
		if err != nil {
			fault("INTEREST_RATES", "cannot be read: %v", err)
			return
		}
		more, err := rates.With(document)
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				fault("INTEREST_RATES", "%s, %s", c.InterestRates, line)
			}
			return
		}
		rates = more
	}
	if c.LateInterest == "on" {
		c.Interest = rates
	}
}
