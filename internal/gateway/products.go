package gateway

import (
	"context"
	"sync"
	"time"

	"github.com/stripe/stripe-go/v76"

	"sollecito/internal/fault"
)

// productNames remembers what products are called. A list of subscriptions cannot carry them (Stripe expands
// four levels, the name stands on the fifth), a merchant has few and renames them rarely.
type productNames struct {
	now   func() time.Time
	mu    sync.Mutex
	known map[string]knownName
}

type knownName struct {
	name string
	at   time.Time
}

const (
	nameKept     = time.Hour // and longer while Stripe does not answer
	mostProducts = 5000      // forget all beyond that rather than grow without end
)

func newProductNames(now func() time.Time) *productNames {
	return &productNames{now: now, known: make(map[string]knownName)}
}

// get answers a name, whether it is known, and whether it was read lately.
func (p *productNames) get(id string) (name string, known, lately bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept, known := p.known[id]
	age := p.now().Sub(kept.at)
	return kept.name, known, known && age >= 0 && age < nameKept
}

func (p *productNames) put(id, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= mostProducts {
		clear(p.known)
	}
	p.known[id] = knownName{name: name, at: p.now()}
}

// productsOf answers the names of a subscription's products in the order of its items, and completes the items
// where Stripe sent only the first of them.
func (c *Client) productsOf(ctx context.Context, s *stripeSubscription) ([]string, error) {
	if s.Items == nil {
		return nil, nil
	}
	if s.Items.HasMore {
		all, err := everything(ctx, c, "/v1/subscription_items", query{}.with("subscription", s.ID), func(i stripeItem) string { return i.ID })
		if err != nil {
			return nil, failed("list items of "+s.ID, err)
		}
		s.Items.Data, s.Items.HasMore = all, false
	}
	var names []string
	for _, item := range s.Items.Data {
		if item.Price == nil || item.Price.Product == nil {
			continue
		}
		name, err := c.productName(ctx, item.Price.Product.ID)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

func (c *Client) productName(ctx context.Context, id string) (string, error) {
	name, known, lately := c.products.get(id)
	if lately {
		return name, nil
	}
	var p struct {
		Name string `json:"name"`
	}
	err := c.ask(ctx, stripe.FormatURLPath("/v1/products/%s", id), query{}, &p)
	err = failed("read product "+id, err)
	switch {
	case err == nil:
		name = p.Name
	case fault.Is(err, fault.NotFound):
		name = ""
	case known:
		return name, nil // no reason to fail a whole page of customers
	default:
		return "", err
	}
	c.products.put(id, name) // a deleted product has no name, and will not get one
	return name, nil
}
