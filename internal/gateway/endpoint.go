package gateway

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhookendpoint"

	"sollecito/internal/fault"
)

// ListenTo names the event types we ask Stripe for. invoice.paid covers payment out of band too, which
// invoice.payment_succeeded does not; invoice.updated is where a moved next attempt shows; customer.updated
// carries a changed address.
var ListenTo = []string{
	"invoice.payment_failed", "invoice.payment_action_required", "invoice.finalization_failed",
	"invoice.paid", "invoice.voided", "invoice.marked_uncollectible", "invoice.updated",
	"credit_note.created", "credit_note.updated", "credit_note.voided",
	"customer.subscription.updated", "customer.subscription.deleted", "customer.updated", "customer.deleted",
	"setup_intent.succeeded", "setup_intent.setup_failed",
	"payment_intent.processing", "payment_intent.succeeded", "payment_intent.payment_failed",
	"payment_intent.requires_action", "payment_intent.canceled",
	"payment_method.attached", "payment_method.detached", "payment_method.automatically_updated",
	"mandate.updated", "checkout.session.completed",
	"charge.dispute.created", "charge.dispute.closed", "charge.refunded",
	"customer.subscription.created", "invoice.upcoming", "customer.source.expiring",
}

// Foretells reports whether an event type is only of use to who speaks before anything has failed.
func Foretells(eventType string) bool {
	return slices.Contains([]string{"customer.subscription.created", "invoice.upcoming", "customer.source.expiring"}, eventType)
}

// EnsureEndpoint sees to it that Stripe sends our events to the address, at the version we read. It answers the
// new endpoint's signing secret, or "" when one of this address stood already (Stripe tells a secret once); an
// endpoint that listens to too little is widened. Errors: fault.Unavailable, which is ErrPermission too where the key may not
// do that.
func (c *Client) EnsureEndpoint(ctx context.Context, url string) (string, error) {
	endpoints := webhookendpoint.Client{B: c.backend, Key: c.key}
	pages := endpoints.List(&stripe.WebhookEndpointListParams{ListParams: listing(ctx)})
	for pages.Next() {
		standing := pages.WebhookEndpoint()
		if standing.URL == url {
			return "", c.widen(ctx, standing)
		}
	}
	err := pages.Err()
	if err != nil {
		return "", refused("list webhook endpoints", err)
	}
	made, err := endpoints.New(&stripe.WebhookEndpointParams{
		Params:        ordering(ctx, freshKey("endpoint")),
		URL:           stripe.String(url),
		APIVersion:    stripe.String(APIVersion),
		EnabledEvents: stripe.StringSlice(ListenTo),
		Description:   stripe.String("Sollecito"),
	})
	if err != nil {
		return "", refused("create a webhook endpoint", err)
	}
	return made.Secret, nil
}

// widen adds to a standing endpoint the events it does not send yet.
func (c *Client) widen(ctx context.Context, standing *stripe.WebhookEndpoint) error {
	if slices.Contains(standing.EnabledEvents, "*") {
		return nil
	}
	events := slices.Clone(standing.EnabledEvents)
	for _, name := range ListenTo {
		if !slices.Contains(events, name) {
			events = append(events, name)
		}
	}
	if len(events) == len(standing.EnabledEvents) {
		return nil
	}
	_, err := webhookendpoint.Client{B: c.backend, Key: c.key}.Update(standing.ID, &stripe.WebhookEndpointParams{
		Params: ordering(ctx, freshKey("endpoint")), EnabledEvents: stripe.StringSlice(events),
	})
	return refused("widen webhook endpoint "+standing.ID, err)
}

// mostTypes is how many event types Stripe takes in one listing.
const mostTypes = 20

// Happened visits the events of our types created at or after since (unix seconds), a page at a time, delivered or
// not: an event that was made while no endpoint stood counts as delivered at Stripe. Of each only what names it is
// passed on, since a listed event is in the shape of the day it was made. The newest of a type come first; an error
// of visit ends it and is answered. It begins after what visit was told with an earlier page, or with "" at the first.
// Stripe keeps thirty days. Errors of Stripe: fault.NotFound when it does not know after any more, fault.Unavailable, which is
// ErrPermission too where the key may not read events.
func (c *Client) Happened(ctx context.Context, since int64, after string, visit func(page []Event, after string) error) error {
	groups := slices.Collect(slices.Chunk(ListenTo, mostTypes))
	group, last, err := amongEvents(after)
	if err != nil {
		return err
	}
	for group < len(groups) {
		page, more, err := c.eventPage(ctx, since, groups[group], last)
		if err != nil {
			return err
		}
		if len(page) > 0 {
			last = page[len(page)-1].ID
		}
		if !more {
			group, last = group+1, ""
		}
		if len(page) == 0 {
			continue
		}
		err = visit(page, fmt.Sprintf("%d %s", group, last))
		if err != nil {
			return err
		}
	}
	return nil
}

// eventPage reads up to 100 events of some types, from the one after on.
func (c *Client) eventPage(ctx context.Context, since int64, types []string, after string) (page []Event, more bool, err error) {
	which := query{}.number("created[gte]", since)
	for n, name := range types {
		which = which.with(fmt.Sprintf("types[%d]", n), name)
	}
	p, err := pageAfter[stripeEvent](ctx, c, "/v1/events", which, after)
	if err != nil {
		return nil, false, refused("list events", err)
	}
	for _, e := range p.Data {
		page = append(page, listedEvent(e))
	}
	return page, p.HasMore && len(page) > 0, nil
}

// amongEvents takes apart what a visitor was told: a group of types and an event of it, "" for its beginning.
func amongEvents(after string) (group int, last string, err error) {
	if after == "" {
		return 0, "", nil
	}
	number, last, _ := strings.Cut(after, " ")
	group, err = strconv.Atoi(number)
	if err != nil || group < 0 {
		return 0, "", fault.New(fault.NotFound, "%q is no place among events.", after)
	}
	return group, last, nil
}

func listedEvent(e stripeEvent) Event {
	listed := Event{ID: e.ID, Type: e.Type, APIVersion: e.APIVersion, Account: e.Account, Livemode: e.Livemode, Created: e.Created}
	if e.Data == nil {
		listed.Unreadable = "it carries no object"
		return listed
	}
	var object eventObject
	lenient(e.Data.Object, &object)
	listed.ObjectType, listed.ObjectID, listed.Customer = word(object.Object), word(object.ID), holder(object.Customer)
	if listed.Customer == "" {
		listed.Customer = holder(e.Data.Previous["customer"])
	}
	if listed.ObjectType == "customer" {
		listed.Customer = listed.ObjectID
	}
	return listed
}
