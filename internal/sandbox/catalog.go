package sandbox

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

func (s *Server) drawProduct(p *product) object {
	return object{
		"id": p.ID, "object": "product", "active": p.Active, "created": p.Created, "default_price": textOrNull(p.DefaultPrice),
		"description": textOrNull(p.Description), "features": []any{}, "images": textList(p.Images), "livemode": false,
		"metadata": textMap(p.Metadata), "name": p.Name, "package_dimensions": nil, "shippable": nil,
		"statement_descriptor": textOrNull(p.StatementDescriptor), "tax_code": nil, "unit_label": textOrNull(p.UnitLabel),
		"updated": p.Updated, "url": textOrNull(p.URL),
	}
}

func (s *Server) drawPrice(p *price) object {
	o := object{
		"id": p.ID, "object": "price", "active": p.Active, "billing_scheme": "per_unit", "created": p.Created,
		"currency": p.Currency, "custom_unit_amount": nil, "livemode": false, "lookup_key": textOrNull(p.LookupKey),
		"metadata": textMap(p.Metadata), "nickname": textOrNull(p.Nickname), "product": p.Product, "recurring": nil,
		"tax_behavior": p.TaxBehavior, "tiers_mode": nil, "transform_quantity": nil, "type": "one_time",
		"unit_amount": p.Amount, "unit_amount_decimal": p.Decimal,
	}
	if strings.Contains(p.Decimal, ".") {
		o["unit_amount"] = nil
	}
	if p.Interval != "" {
		o["type"] = "recurring"
		o["recurring"] = object{"aggregate_usage": nil, "interval": p.Interval, "interval_count": p.IntervalCount, "usage_type": "licensed"}
	}
	return o
}

func (s *Server) createProduct(op *operation, p *params) (object, error) {
	id := p.or("id", s.shortID("prod_"))
	_, known := s.memory.Products.get(id)
	if known {
		return nil, invalidRequest("id", "resource_already_exists", "Product already exists.")
	}
	made := &product{ID: id, Active: p.truth("active", true), Created: op.at, Metadata: map[string]string{}}
	s.readProduct(made, p, op.at)
	s.memory.Products.add(id, made)
	op.make("product.created", id)
	if p.has("default_price_data") {
		from := &params{path: p.path, form: p.find("default_price_data")}
		made.DefaultPrice = s.newPrice(op, from, id).ID
	}
	return s.drawProduct(made), nil
}

func (s *Server) readProduct(made *product, p *params, at int64) {
	p.set("name", &made.Name)
	p.set("description", &made.Description)
	p.set("unit_label", &made.UnitLabel)
	p.set("statement_descriptor", &made.StatementDescriptor)
	p.set("url", &made.URL)
	p.set("default_price", &made.DefaultPrice)
	made.Active = p.truth("active", made.Active)
	if p.has("images") {
		made.Images = p.texts("images")
	}
	made.Metadata = p.mergeMetadata(made.Metadata)
	made.Updated = at
}

func (s *Server) productByID(id string) (*product, *apiError) {
	found, ok := s.memory.Products.get(id)
	if !ok {
		return nil, missing("product", id, "id")
	}
	return found, nil
}

func (s *Server) getProduct(_ *operation, p *params) (object, error) {
	found, refused := s.productByID(p.path["id"])
	if refused != nil {
		return nil, refused
	}
	return s.drawProduct(found), nil
}

func (s *Server) updateProduct(op *operation, p *params) (object, error) {
	found, refused := s.productByID(p.path["id"])
	if refused != nil {
		return nil, refused
	}
	op.touch(found.ID)
	s.readProduct(found, p, op.at)
	return s.drawProduct(found), nil
}

func (s *Server) listProducts(_ *operation, p *params) (object, error) {
	return listing{
		url: "/v1/products", ids: s.memory.Products.Order, kind: "product",
		keep: func(id string) bool {
			found, _ := s.memory.Products.get(id)
			return p.is("active", strconv.FormatBool(found.Active)) && p.inRange("created", found.Created)
		},
		draw: func(id string) object {
			found, _ := s.memory.Products.get(id)
			return s.drawProduct(found)
		},
	}.page(p)
}

func (s *Server) createPrice(op *operation, p *params) (object, error) {
	refused := p.notSimulated("tiers", "tiers_mode", "transform_quantity", "custom_unit_amount", "currency_options", "recurring.aggregate_usage")
	if refused != nil {
		return nil, refused
	}
	if p.text("recurring.usage_type") == "metered" || p.text("billing_scheme") == "tiered" {
		return nil, invalidRequest("", "", "The sandbox does not simulate metered or tiered prices.")
	}
	owner := p.text("product")
	if owner == "" && !p.has("product_data") {
		return nil, missingParam("product")
	}
	if !p.has("unit_amount") && !p.has("unit_amount_decimal") {
		return nil, missingParam("unit_amount")
	}
	if owner != "" {
		_, ok := s.memory.Products.get(owner)
		if !ok {
			return nil, missingIn("product", "product", owner)
		}
	}
	if owner == "" {
		made := &product{ID: s.shortID("prod_"), Active: true, Created: op.at, Metadata: map[string]string{}}
		s.readProduct(made, &params{form: p.find("product_data")}, op.at)
		s.memory.Products.add(made.ID, made)
		op.make("product.created", made.ID)
		owner = made.ID
	}
	return s.drawPrice(s.newPrice(op, p, owner)), nil
}

// newPrice makes a price from the parameters of a price or of inline price_data.
func (s *Server) newPrice(op *operation, p *params, owner string) *price {
	made := &price{
		ID: s.longID("price_"), Product: owner, Currency: strings.ToLower(p.text("currency")), Nickname: p.text("nickname"),
		LookupKey: p.text("lookup_key"), TaxBehavior: p.or("tax_behavior", "unspecified"), Active: p.truth("active", true),
		Created: op.at, Amount: p.number("unit_amount", 0), Interval: p.text("recurring.interval"),
		IntervalCount: p.number("recurring.interval_count", 1), Metadata: p.mergeMetadata(nil),
	}
	made.Decimal = strconv.FormatInt(made.Amount, 10)
	if p.has("unit_amount_decimal") {
		made.Decimal = p.text("unit_amount_decimal")
		made.Amount = rounded(made.Decimal, 1)
	}
	s.memory.Prices.add(made.ID, made)
	op.make("price.created", made.ID)
	return made
}

// rounded multiplies a decimal amount and rounds half away from zero, without floating point.
func rounded(decimal string, quantity int64) int64 {
	value, ok := new(big.Rat).SetString(decimal)
	if !ok {
		return 0
	}
	value.Mul(value, new(big.Rat).SetInt64(quantity))
	text := value.FloatString(0)
	whole, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return whole
}

func (s *Server) priceByID(id, param string) (*price, *apiError) {
	found, ok := s.memory.Prices.get(id)
	if !ok {
		failed := missing("price", id, "price")
		if param != "" {
			failed = missingIn(param, "price", id)
		}
		return nil, failed
	}
	return found, nil
}

func (s *Server) getPrice(_ *operation, p *params) (object, error) {
	found, refused := s.priceByID(p.path["price"], "")
	if refused != nil {
		return nil, refused
	}
	return s.drawPrice(found), nil
}

func (s *Server) updatePrice(op *operation, p *params) (object, error) {
	found, refused := s.priceByID(p.path["price"], "")
	if refused != nil {
		return nil, refused
	}
	op.touch(found.ID)
	found.Active = p.truth("active", found.Active)
	p.set("nickname", &found.Nickname)
	p.set("lookup_key", &found.LookupKey)
	p.set("tax_behavior", &found.TaxBehavior)
	found.Metadata = p.mergeMetadata(found.Metadata)
	return s.drawPrice(found), nil
}

func (s *Server) listPrices(_ *operation, p *params) (object, error) {
	keys := p.texts("lookup_keys")
	return listing{
		url: "/v1/prices", ids: s.memory.Prices.Order, kind: "price",
		keep: func(id string) bool {
			found, _ := s.memory.Prices.get(id)
			kind := "one_time"
			if found.Interval != "" {
				kind = "recurring"
			}
			wanted := len(keys) == 0
			for _, key := range keys {
				wanted = wanted || key == found.LookupKey
			}
			return wanted && p.is("product", found.Product) && p.is("currency", found.Currency) && p.is("type", kind) &&
				p.is("active", strconv.FormatBool(found.Active)) && p.inRange("created", found.Created)
		},
		draw: func(id string) object {
			found, _ := s.memory.Prices.get(id)
			return s.drawPrice(found)
		},
	}.page(p)
}

// lineText is how Stripe words a line of a subscription: "1 × Studio plan (at €29.00 / month)".
func (s *Server) lineText(p *price, quantity int64) string {
	name := p.Product
	found, ok := s.memory.Products.get(p.Product)
	if ok {
		name = found.Name
	}
	every := p.Interval
	if p.IntervalCount > 1 {
		every = fmt.Sprintf("every %d %ss", p.IntervalCount, p.Interval)
	}
	return fmt.Sprintf("%d × %s (at %s / %s)", quantity, name, pageAmount(p.Amount, p.Currency), every)
}
