package sandbox

import (
	"encoding/json"
	"slices"
	"strings"
)

// storedEvent is one event with its object as it was then.
type storedEvent struct {
	ID, Type, RequestID, Key string
	Created                  int64
	Object                   json.RawMessage
	Previous                 json.RawMessage `json:",omitempty"`
}

// storeEvent keeps an event and lays it out for every receiver that listens for its type.
func (s *Server) storeEvent(op *operation, kind string, about, previous object) {
	shot, err := json.Marshal(about)
	if err != nil {
		s.log.Error("an event could not be written", "type", kind, "error", err)
		return
	}
	e := &storedEvent{
		ID: s.longID("evt_"), Type: kind, Created: op.at, Object: shot, RequestID: op.request.ID, Key: op.request.Key,
	}
	if previous != nil {
		e.Previous, err = json.Marshal(previous)
		if err != nil {
			s.log.Error("an event could not be written", "type", kind, "error", err)
			return
		}
	}
	s.memory.Events.add(e.ID, e)
	s.memory.Endpoints.each(func(id string, receiver *endpoint) {
		if receiver.Status == "enabled" && (slices.Contains(receiver.Events, "*") || slices.Contains(receiver.Events, kind)) {
			s.memory.Deliveries = append(s.memory.Deliveries, &delivery{Event: e.ID, Endpoint: id})
		}
	})
}

// drawEvent draws an event as told at a version; "" is the account's own.
func (s *Server) drawEvent(e *storedEvent, version string) object {
	if version == "" {
		version = apiVersion
	}
	data := object{"object": e.Object}
	if e.Previous != nil {
		data["previous_attributes"] = e.Previous
	}
	waiting, _ := s.deliveryState(e.ID)
	return object{
		"id": e.ID, "object": "event", "api_version": version, "created": e.Created, "data": data, "livemode": false,
		"pending_webhooks": waiting, "type": e.Type,
		"request": object{"id": textOrNull(e.RequestID), "idempotency_key": textOrNull(e.Key)},
	}
}

// deliveryState counts the receivers that have not taken an event yet.
func (s *Server) deliveryState(eventID string) (waiting int, delivered bool) {
	delivered = true
	for _, d := range s.memory.Deliveries {
		if d.Event != eventID || d.Copy {
			continue
		}
		if !d.Done {
			delivered = false
			if !d.GivenUp {
				waiting++
			}
		}
	}
	return waiting, delivered
}

func (s *Server) getEvent(_ *operation, p *params) (object, error) {
	found, ok := s.memory.Events.get(p.path["id"])
	if !ok {
		return nil, missing("event", p.path["id"], "id")
	}
	return s.drawEvent(found, ""), nil
}

func (s *Server) listEvents(_ *operation, p *params) (object, error) {
	types := p.texts("types")
	if len(types) > 20 {
		return nil, invalidRequest("types", "", "You may only specify up to 20 event types.")
	}
	if len(types) > 0 && p.has("type") {
		return nil, invalidRequest("type", "parameters_exclusive", "You may only specify one of these parameters: type, types.")
	}
	undelivered := map[string]bool{}
	if p.has("delivery_success") {
		for _, d := range s.memory.Deliveries {
			if !d.Done && !d.Copy {
				undelivered[d.Event] = true
			}
		}
	}
	return listing{
		url: "/v1/events", ids: s.memory.Events.Order, kind: "event",
		keep: func(id string) bool {
			e, _ := s.memory.Events.get(id)
			if p.has("delivery_success") && p.truth("delivery_success", true) == undelivered[id] {
				return false
			}
			if len(types) > 0 && !slices.Contains(types, e.Type) {
				return false
			}
			return kindMatches(p.text("type"), e.Type) && p.inRange("created", e.Created)
		},
		draw: func(id string) object {
			e, _ := s.memory.Events.get(id)
			return s.drawEvent(e, "")
		},
	}.page(p)
}

// kindMatches knows Stripe's wildcard at the end: "invoice.*".
func kindMatches(pattern, kind string) bool {
	begin, open := strings.CutSuffix(pattern, "*")
	return pattern == "" || pattern == kind || open && strings.HasPrefix(kind, begin)
}
