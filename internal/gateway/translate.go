package gateway

import (
	"math"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"sollecito/internal/billing"
	"sollecito/internal/names"
)

func translateCustomer(c *stripeCustomer, now int64) billing.Customer {
	customer := billing.Customer{
		ID: c.ID, Name: names.OneLine(c.Name), Email: strings.TrimSpace(c.Email),
		PreferredLocales: c.PreferredLocales, Zone: zone(c.Metadata["timezone"]), Contacts: contacts(c.Metadata["billing_contacts"]),
		DefaultMethod: customerDefault(c), Livemode: c.Livemode, CreatedAt: c.Created, SyncedAt: now,
	}
	for key, value := range c.Metadata {
		if strings.HasPrefix(key, "sollecito_") {
			if customer.Metadata == nil {
				customer.Metadata = map[string]string{}
			}
			customer.Metadata[key] = value
		}
	}
	if c.Address != nil {
		customer.Country = strings.ToUpper(strings.TrimSpace(c.Address.Country))
		customer.State = strings.TrimSpace(c.Address.State)
	}
	return customer
}

// contacts answers the bare addresses of a comma-separated list, at most a handful; what is no address is left out.
func contacts(list string) []string {
	const most = 5
	var all []string
	for part := range strings.SplitSeq(list, ",") {
		part = strings.TrimSpace(part)
		parsed, err := mail.ParseAddress(part)
		if err == nil && parsed.Address == part && !strings.ContainsAny(part, `", `) && len(all) < most {
			all = append(all, part)
		}
	}
	return all
}

// zone answers a time zone's IANA name when it is one, "" otherwise. "Local" would be the server's own.
func zone(name string) string {
	name = strings.TrimSpace(name)
	if name == "" || name == "Local" {
		return ""
	}
	_, err := time.LoadLocation(name)
	if err != nil {
		return ""
	}
	return name
}

func customerDefault(c *stripeCustomer) string {
	if c == nil {
		return ""
	}
	if c.InvoiceSettings != nil && c.InvoiceSettings.DefaultPaymentMethod != nil {
		return c.InvoiceSettings.DefaultPaymentMethod.ID
	}
	if c.DefaultSource != nil {
		return c.DefaultSource.ID
	}
	return ""
}

func subscriptionDefault(s *stripeSubscription) string {
	switch {
	case s == nil:
		return ""
	case s.DefaultPaymentMethod != nil:
		return s.DefaultPaymentMethod.ID
	case s.DefaultSource != nil:
		return s.DefaultSource.ID
	}
	return ""
}

func translateSubscription(s *stripeSubscription, holder *stripeCustomer, products []string) billing.Subscription {
	subscription := billing.Subscription{
		ID: s.ID, CustomerID: holder.ID, Status: string(s.Status), Description: few(products),
		DefaultMethod: subscriptionDefault(s), PeriodEnd: s.CurrentPeriodEnd, CancelAt: s.CancelAt,
		Amount: billing.Money{Currency: string(s.Currency)}, Automatic: automatic(s),
	}
	if s.TrialSettings != nil && s.TrialSettings.EndBehavior != nil {
		subscription.TrialMissing = string(s.TrialSettings.EndBehavior.MissingPaymentMethod)
	}
	if subscription.Description == "" {
		subscription.Description = s.Description
	}
	if s.Items == nil {
		return subscription
	}
	for _, item := range s.Items.Data {
		if item.Price == nil {
			continue
		}
		if subscription.Interval == "" && item.Price.Recurring != nil {
			subscription.Interval = string(item.Price.Recurring.Interval)
		}
		if subscription.Description == "" {
			subscription.Description = item.Price.Nickname
		}
		subscription.Amount.Minor += itemAmount(item)
	}
	discount := s.Discount
	if discount == nil {
		discount = holder.Discount
	}
	subscription.Amount.Minor = discounted(subscription.Amount, discount, s.CurrentPeriodEnd)
	return subscription
}

// discounted is what is left of a renewal at the instant when its discount still holds then. That of the subscription
// itself counts before its customer's.
func discounted(full billing.Money, d *stripeDiscount, at int64) int64 {
	if d == nil || d.Coupon == nil || d.End > 0 && d.End <= at {
		return full.Minor
	}
	off := int64(math.Round(float64(full.Minor) * d.Coupon.PercentOff / 100))
	if d.Coupon.AmountOff > 0 && string(d.Coupon.Currency) == full.Currency {
		off = d.Coupon.AmountOff
	}
	return max(full.Minor-off, 0)
}

// automatic reports whether the next renewal is charged by itself. A pause of collection that ends before it does not
// count.
func automatic(s *stripeSubscription) bool {
	if s.CollectionMethod != stripe.SubscriptionCollectionMethodChargeAutomatically {
		return false
	}
	return s.PauseCollection == nil || s.PauseCollection.ResumesAt > 0 && s.PauseCollection.ResumesAt <= s.CurrentPeriodEnd
}

// itemAmount is what one item costs at its next renewal as far as its price tells: metered and tiered prices
// are known only when the invoice is made, and count as nothing.
func itemAmount(item stripeItem) int64 {
	quantity := item.Quantity
	t := item.Price.TransformQuantity
	if t != nil && t.DivideBy > 0 {
		full := quantity / t.DivideBy
		if quantity%t.DivideBy > 0 && t.Round == stripe.PriceTransformQuantityRoundUp {
			full++
		}
		quantity = full
	}
	if item.Price.UnitAmount != 0 {
		return item.Price.UnitAmount * quantity
	}
	return int64(math.Round(item.Price.UnitAmountDecimal * float64(quantity)))
}

// Stripe writes a line as "1 × Studio plan (at €29.00 / month)", in the customer's language when it knows it.
var (
	single   = regexp.MustCompile(`^1 [×x] `)
	unitCost = regexp.MustCompile(` \((?:at [^()]*|[^()]*\d[^()]* / [^()]*)\)$`)
)

func plainLine(description string) string {
	plain := unitCost.ReplaceAllString(single.ReplaceAllString(strings.TrimSpace(description), ""), "")
	return strings.TrimSpace(plain)
}

// few names what there is in one short line: the first two different names, and how many more there are.
func few(names []string) string {
	var different []string
	for _, name := range names {
		if name != "" && !slices.Contains(different, name) {
			different = append(different, name)
		}
	}
	if len(different) <= 2 {
		return strings.Join(different, ", ")
	}
	return strings.Join(different[:2], ", ") + " +" + strconv.Itoa(len(different)-2)
}
