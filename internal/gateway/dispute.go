package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/dispute"

	"sollecito/internal/billing"
)

// Dispute reads one dispute with whose payment it is about. CustomerID is "" for a payment of nobody's. Errors:
// fault.NotFound, fault.Unavailable, which is ErrPermission too where the key may not read disputes.
func (c *Client) Dispute(ctx context.Context, id string) (billing.Dispute, error) {
	params := &stripe.DisputeParams{Params: reading(ctx)}
	params.AddExpand("charge")
	d, err := dispute.Client{B: c.backend, Key: c.key}.Get(id, params)
	if err != nil {
		return billing.Dispute{}, refused("read dispute "+id, err)
	}
	return c.translateDispute(ctx, d)
}

// Disputes reads up to 100 of all customers' disputes that began at since or later, the newest first, from the one after
// on ("" for the first), and answers whether there are more. Errors: fault.NotFound when Stripe does not know after,
// fault.Unavailable, which is ErrPermission too where the key may not read disputes.
func (c *Client) Disputes(ctx context.Context, since time.Time, after string) (page []billing.Dispute, more bool, err error) {
	list := listing(ctx)
	list.Single = true
	if after != "" {
		list.StartingAfter = stripe.String(after)
	}
	params := &stripe.DisputeListParams{ListParams: list, CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: since.Unix()}}
	params.AddExpand("data.charge")
	pages := dispute.Client{B: c.backend, Key: c.key}.List(params)
	for pages.Next() {
		d, err := c.translateDispute(ctx, pages.Dispute())
		if err != nil {
			return nil, false, err
		}
		page = append(page, d)
	}
	if pages.Err() != nil {
		return nil, false, refused(fmt.Sprintf("list disputes since %s", since.UTC().Format(time.DateOnly)), pages.Err())
	}
	return page, pages.DisputeList().HasMore && len(page) > 0, nil
}

func (c *Client) translateDispute(ctx context.Context, d *stripe.Dispute) (billing.Dispute, error) {
	translated := billing.Dispute{
		ID: d.ID, Status: string(d.Status), Reason: string(d.Reason), CreatedAt: d.Created, SyncedAt: c.now().Unix(),
		Amount: billing.Money{Minor: d.Amount, Currency: string(d.Currency)},
	}
	ch, err := c.charged(ctx, d.Charge)
	if err != nil {
		return billing.Dispute{}, err
	}
	owner := ofCharge(ch)
	if owner != nil {
		translated.CustomerID = owner.ID
	}
	if ch != nil && ch.Invoice != nil {
		translated.InvoiceID = ch.Invoice.ID
	}
	return translated, nil
}
