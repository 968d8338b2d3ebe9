package config

// checkContact reads what else limits reminders, besides hours and days.
func (c *Config) checkContact(fault func(string, string, ...any)) {
	if c.ContactCap != "" {
		err := c.Policy.ParseCap(c.ContactCap)
		if err != nil {
			fault("CONTACT_CAP", "%s", err)
		}
	}
	for name, value := range map[string]string{"CONTACT_HOLIDAYS": c.Holidays, "COLLECTOR_MODE": c.CollectorMode, "REGULATED_CREDIT": c.Regulated} {
		if value != "" && value != "on" && value != "off" {
			fault(name, "must be on or off; got %q", value)
		}
	}
	if c.Holidays == "on" {
		c.Policy.KeepHolidays()
	}
	c.Policy.Collector = c.CollectorMode == "on"
	if c.Regulated == "on" {
		err := c.Policy.Regulate()
		if err != nil {
			fault("REGULATED_CREDIT", "%s", err)
		}
	}
}
