package demo

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/interest"
	"sollecito/internal/link"
	"sollecito/internal/staff"
)

// scene is one thing that happens in the story before the curtain rises.
type scene struct {
	at      time.Time
	happens func(ctx context.Context) error
}

// seed plays the story from its beginning to curtain: customers join, renewals fail, and between the scenes the real
// program does what time asks. So every case, mail and line of a timeline is one it made itself.
func (d *Demo) seed(ctx context.Context, curtain time.Time) error {
	prices, err := d.offer(ctx)
	if err != nil {
		return fmt.Errorf("offer the plans: %w", err)
	}
	err = d.plan(ctx)
	if err != nil {
		return err
	}
	players := cast()
	roles := make([]role, len(players))
	var scenes []scene
	for i, p := range players {
		scenes = append(scenes, d.script(p, &roles[i], prices[p.plan], curtain)...)
	}
	slices.SortStableFunc(scenes, func(a, b scene) int { return a.at.Compare(b.at) })
	for _, s := range scenes {
		err = d.approach(ctx, s.at)
		if err != nil {
			return err
		}
		err = s.happens(ctx)
		if err != nil {
			return err
		}
	}
	err = d.walk(ctx, curtain)
	if err != nil {
		return err
	}
	err = d.hire(ctx)
	if err != nil {
		return err
	}
	err = d.mintLinks(ctx, roles)
	if err != nil {
		return err
	}
	d.memory.raise(roles)
	return d.keepWithClock(ctx)
}

// opening is the instant at which the story has to begin for its earliest scene to be ahead.
func opening(curtain time.Time) time.Time {
	first := slices.MinFunc(cast(), func(a, b player) int { return a.joinedAt(curtain).Compare(b.joinedAt(curtain)) })
	return first.joinedAt(curtain).Add(-time.Hour)
}

// offer makes the products and prices at the stand-in and answers the prices' ids.
func (d *Demo) offer(ctx context.Context) (map[plan]string, error) {
	products, prices := map[string]string{}, map[plan]string{}
	for _, p := range []plan{studioEUR, teamEUR, studioUSD, studioJPY, studioNOK, agencyUSD} {
		_, known := products[p.product]
		if !known {
			id, err := d.stripe.make(ctx, "/v1/products", form{"name": p.product})
			if err != nil {
				return nil, err
			}
			products[p.product] = id
		}
		id, err := d.stripe.make(ctx, "/v1/prices", form{
			"product": products[p.product], "currency": p.currency, "unit_amount": strconv.FormatInt(p.amount, 10), "recurring[interval]": "month",
		})
		if err != nil {
			return nil, err
		}
		prices[p] = id
	}
	return prices, nil
}

// script is a player's part. What they are called at the stand-in is written into r as the story goes.
func (d *Demo) script(p player, r *role, price string, curtain time.Time) []scene {
	*r = role{Name: p.name, Email: p.email, Scenario: p.scenario, Story: p.story}
	played := &part{role: r}
	scenes := []scene{{p.joinedAt(curtain), func(ctx context.Context) error { return d.join(ctx, p, played, price, curtain) }}}
	if p.failed > 0 {
		scenes = append(scenes, scene{curtain.Add(-p.failed), func(context.Context) error {
			var err error
			played.invoice, err = d.sandbox.FailRenewal(r.ID, p.code)
			r.Invoice = played.invoice
			return err
		}})
	}
	for _, e := range p.extras {
		scenes = append(scenes, scene{curtain.Add(-e.made), func(ctx context.Context) error { return d.bill(ctx, r.ID, e) }})
	}
	if p.paid > 0 {
		scenes = append(scenes, scene{curtain.Add(-p.paid), func(context.Context) error { return d.sandbox.Pay(played.invoice, false) }})
	}
	for _, t := range p.turns {
		scenes = append(scenes, scene{curtain.Add(-t.ago), func(ctx context.Context) error { return t.happens(d, ctx, played) }})
	}
	return scenes
}

// join makes the customer with a card that works and their subscription, which is charged at once.
func (d *Demo) join(ctx context.Context, p player, r *part, price string, curtain time.Time) error {
	customer := form{
		"name": p.name, "email": p.email, "preferred_locales[0]": p.locale,
		"address[line1]": p.line1, "address[city]": p.city, "address[postal_code]": p.postcode, "address[country]": p.nation,
	}
	if p.campaign != "" {
		customer["metadata[sollecito_demo]"] = p.campaign
	}
	if p.contacts != "" {
		customer["metadata[billing_contacts]"] = p.contacts
	}
	if p.business {
		customer["metadata["+interest.CustomerType+"]"] = "business"
	}
	var err error
	r.ID, err = d.stripe.make(ctx, "/v1/customers", customer)
	if err != nil {
		return fmt.Errorf("%s joins: %w", p.name, err)
	}
	expiry := p.cardExpiry(curtain)
	r.card, err = d.stripe.make(ctx, "/v1/payment_methods", form{
		"type": "card", "card[number]": "4242424242424242", "card[cvc]": "123", "billing_details[name]": p.name,
		"card[exp_month]": strconv.Itoa(int(expiry.Month())), "card[exp_year]": strconv.Itoa(expiry.Year()),
	})
	if err != nil {
		return fmt.Errorf("%s types a card: %w", p.name, err)
	}
	_, err = d.stripe.make(ctx, "/v1/payment_methods/"+r.card+"/attach", form{"customer": r.ID})
	if err != nil {
		return fmt.Errorf("%s keeps a card: %w", p.name, err)
	}
	_, err = d.stripe.make(ctx, "/v1/customers/"+r.ID, form{"invoice_settings[default_payment_method]": r.card})
	if err != nil {
		return fmt.Errorf("%s keeps a card: %w", p.name, err)
	}
	_, err = d.stripe.make(ctx, "/v1/subscriptions", form{"customer": r.ID, "items[0][price]": price})
	if err != nil {
		return fmt.Errorf("%s subscribes: %w", p.name, err)
	}
	return nil
}

// bill sends a one-off invoice that is charged to a second card, which the bank declines; renewals stay with the
// first.
func (d *Demo) bill(ctx context.Context, customer string, e extra) error {
	card, err := d.stripe.make(ctx, "/v1/payment_methods/pm_card_chargeCustomerFail/attach", form{"customer": customer})
	if err != nil {
		return fmt.Errorf("bill %s: %w", e.what, err)
	}
	invoice, err := d.stripe.make(ctx, "/v1/invoices", form{
		"customer": customer, "currency": e.currency, "auto_advance": "true", "default_payment_method": card,
		"pending_invoice_items_behavior": "exclude",
	})
	if err != nil {
		return fmt.Errorf("bill %s: %w", e.what, err)
	}
	_, err = d.stripe.make(ctx, "/v1/invoiceitems", form{
		"customer": customer, "invoice": invoice, "currency": e.currency, "amount": strconv.FormatInt(e.amount, 10), "description": e.what,
	})
	if err != nil {
		return fmt.Errorf("bill %s: %w", e.what, err)
	}
	return nil
}

// hire puts the one member of staff on the list whom visitors may be, with a password and a second factor that the
// stage tells, so that the real way in can be tried too.
func (d *Demo) hire(ctx context.Context) error {
	_, err := d.portal.Members.Add(ctx, staffEmail, staffName, staff.Admin)
	if err != nil {
		return err
	}
	members, err := d.portal.Members.List(ctx)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.Email != staffEmail {
			continue
		}
		secret, err := d.portal.Members.Equip(ctx, m.ID, staffPassword)
		if err != nil {
			return err
		}
		d.memory.setStaff(m.ID, secret)
	}
	return nil
}

// mintLinks gives each customer a link of their own, as a mail would carry it. It lives by the same rule.
func (d *Demo) mintLinks(ctx context.Context, roles []role) error {
	return d.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		for i := range roles {
			who, err := billing.FindCustomer(ctx, tx, roles[i].ID)
			if err != nil {
				return fmt.Errorf("%s is not known to the portal: %w", roles[i].Name, err)
			}
			roles[i].Token, err = link.Issue(ctx, tx, link.Link{
				CustomerID: who.ID, Language: d.portal.Web.Catalog.Match(who.PreferredLocales...).Tag(), IssuedAt: d.clock.Now().Unix(),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
