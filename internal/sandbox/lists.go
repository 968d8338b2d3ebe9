package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// listing is a list call: all candidates in the order they came in, drawn newest first, a page at a time.
type listing struct {
	url  string
	ids  []string
	keep func(id string) bool
	draw func(id string) object
	// kind names the objects in a refusal about a cursor.
	kind string
}

// page answers limit (1 to 100, 10 by default), starting_after and ending_before as Stripe does.
func (l listing) page(p *params) (object, error) {
	limit, refused := limitOf(p)
	if refused != nil {
		return nil, refused
	}
	after, before := p.text("starting_after"), p.text("ending_before")
	if after != "" && before != "" {
		return nil, invalidRequest("starting_after", "parameters_exclusive", "You may only specify one of these parameters: starting_after, ending_before.")
	}
	var found []string
	for _, id := range slices.Backward(l.ids) {
		if id == after || id == before || l.keep == nil || l.keep(id) {
			found = append(found, id)
		}
	}
	cursor := after + before
	at := slices.Index(found, cursor)
	if cursor != "" && at < 0 {
		param := "starting_after"
		if before != "" {
			param = "ending_before"
		}
		failed := missing(l.kind, cursor, param)
		failed.Status = http.StatusBadRequest
		return nil, failed
	}
	page, more := found, false
	switch {
	case after != "":
		page = found[at+1:]
		more = len(page) > limit
		page = page[:min(len(page), limit)]
	case before != "":
		page = found[:at]
		more = len(page) > limit
		page = page[max(0, len(page)-limit):]
	default:
		more = len(page) > limit
		page = page[:min(len(page), limit)]
	}
	data := []any{}
	for _, id := range page {
		data = append(data, l.draw(id))
	}
	return object{"object": "list", "data": data, "has_more": more, "url": l.url}, nil
}

// limitOf is how many a page has: 1 to 100, 10 by default.
func limitOf(p *params) (int, *apiError) {
	limit := p.number("limit", 10)
	if limit >= 1 && limit <= 100 {
		return int(limit), nil
	}
	bound := "less than or equal to 100"
	if limit < 1 {
		bound = "greater than or equal to 1"
	}
	failed := invalidRequest("limit", "", "This value must be "+bound+".")
	failed.before = true
	return 0, failed
}

// wholeList is a list inside another object.
func wholeList(url string, data []any) object {
	return object{"object": "list", "data": data, "has_more": false, "url": url}
}

// expandAll replaces ids by the objects they name along each path.
func (s *Server) expandAll(o object, paths []string) *apiError {
	for _, path := range paths {
		failed := s.expand(o, strings.Split(path, "."), path)
		if failed != nil {
			return failed
		}
	}
	return nil
}

func (s *Server) expand(o object, steps []string, path string) *apiError {
	if len(steps) == 0 {
		return nil
	}
	name := steps[0]
	value, ok := o[name]
	if !ok {
		value = s.includable(o, name)
		if value == nil {
			return nil
		}
		o[name] = value
	}
	if value == nil {
		return nil
	}
	switch inner := value.(type) {
	case string:
		if len(steps) == 1 && !looksLikeID(inner) {
			return invalidRequest("expand", "", "This property cannot be expanded ("+path+").")
		}
		found, ok := s.objectByID(inner)
		if !ok {
			return nil
		}
		o[name] = found
		return s.expand(found, steps[1:], path)
	case object:
		return s.expand(inner, steps[1:], path)
	case []any:
		for i, item := range inner {
			switch element := item.(type) {
			case string:
				found, ok := s.objectByID(element)
				if !ok {
					continue
				}
				inner[i] = found
				failed := s.expand(found, steps[1:], path)
				if failed != nil {
					return failed
				}
			case object:
				failed := s.expand(element, steps[1:], path)
				if failed != nil {
					return failed
				}
			}
		}
	}
	return nil
}

func looksLikeID(text string) bool { return strings.Contains(text, "_") }

// includable gives the lists that are part of an object only when asked for.
func (s *Server) includable(o object, name string) any {
	id, _ := o["id"].(string)
	data := []any{}
	switch {
	case o["object"] == "customer" && name == "subscriptions":
		s.memory.Subs.each(func(_ string, sub *subscription) {
			if sub.Customer == id && !sub.ended() {
				data = append(data, s.drawSubscription(sub))
			}
		})
	case o["object"] == "customer" && (name == "sources" || name == "tax_ids"):
	case o["object"] == "charge" && name == "refunds":
		s.memory.Refunds.each(func(_ string, r *refund) {
			if r.Charge == id {
				data = append(data, s.drawRefund(r))
			}
		})
	default:
		return nil
	}
	slices.Reverse(data)
	return wholeList("/v1/"+o["object"].(string)+"s/"+id+"/"+name, data)
}
