package contact

import (
	"slices"
	"strings"
	"sync"
	"time"

	"sollecito/internal/billing"
)

// ZonesOf answers the time zones a customer may be in, the likeliest first and never none: the zone from
// metadata or staff, else the state's or the country's, else the installation's. A customer whose zone is not
// sure is written to only at hours allowed in all of them.
func ZonesOf(c billing.Customer, fallback *time.Location) []*time.Location {
	if c.Zone != "" {
		zone, err := located(c.Zone)
		if err == nil {
			return []*time.Location{zone}
		}
	}
	names, ok := zonesOfState[c.Country+"-"+strings.ToUpper(c.State)]
	if !ok {
		names, ok = zonesOf[c.Country]
	}
	var zones []*time.Location
	for _, name := range strings.Fields(names) {
		zone, err := located(name)
		if err == nil {
			zones = append(zones, zone)
		}
	}
	if !ok || len(zones) == 0 {
		return []*time.Location{fallback}
	}
	return zones
}

// countryOf answers whose holidays a customer has: those of their country, else of the country their zone lies in, else
// of home, where the merchant is.
func countryOf(c billing.Customer, home string) string {
	if c.Country != "" {
		return c.Country
	}
	country := CountryOfZone(c.Zone)
	if country != "" {
		return country
	}
	return home
}

// CountryOfZone answers the country a zone of the tz database lies in, "" when it lies in none, as UTC.
func CountryOfZone(zone string) string {
	if zone == "" {
		return ""
	}
	for country, names := range zonesOf {
		if slices.Contains(strings.Fields(names), zone) {
			return country
		}
	}
	return ""
}

// located is time.LoadLocation, but that a zone is read once: reading it takes longer than deciding about a case.
func located(name string) (*time.Location, error) {
	known, is := zonesRead.Load(name)
	if is {
		return known.(*time.Location), nil
	}
	zone, err := time.LoadLocation(name)
	if err == nil {
		zonesRead.Store(name, zone)
	}
	return zone, err
}

var zonesRead sync.Map // *time.Location by name; the tz database does not change while the program runs
