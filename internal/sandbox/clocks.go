package sandbox

func (s *Server) drawClock(c *testClock) object {
	return object{
		"id": c.ID, "object": "test_helpers.test_clock", "created": c.Created, "deletes_after": c.Deletes,
		"frozen_time": c.Frozen, "livemode": false, "name": textOrNull(c.Name), "status": c.Status,
	}
}

func (s *Server) createClock(op *operation, p *params) (object, error) {
	frozen := p.number("frozen_time", 0)
	if frozen <= 0 {
		return nil, invalidRequest("frozen_time", "", "Invalid timestamp: must be an integer Unix timestamp.")
	}
	c := &testClock{ID: s.longID("clock_"), Name: p.text("name"), Status: "ready", Created: op.at, Frozen: frozen, Deletes: op.at + 30*day}
	s.memory.Clocks.add(c.ID, c)
	op.make("test_helpers.test_clock.created", c.ID)
	return s.drawClock(c), nil
}

func (s *Server) clockByID(p *params) (*testClock, *apiError) {
	found, ok := s.memory.Clocks.get(p.path["test_clock"])
	if !ok {
		return nil, missing("test clock", p.path["test_clock"], "test_clock")
	}
	return found, nil
}

func (s *Server) getClock(_ *operation, p *params) (object, error) {
	c, refused := s.clockByID(p)
	if refused != nil {
		return nil, refused
	}
	return s.drawClock(c), nil
}

// advanceClock answers "advancing" as Stripe does. The work is done before the next call is answered, so a caller that
// asks again finds "ready" and everything in place.
func (s *Server) advanceClock(op *operation, p *params) (object, error) {
	c, refused := s.clockByID(p)
	if refused != nil {
		return nil, refused
	}
	target := p.number("frozen_time", 0)
	if target <= c.Frozen {
		return nil, invalidRequest("frozen_time", "", "The frozen_time must be in the future of the test clock's current frozen_time.")
	}
	if target > c.Frozen+s.furthest(c) {
		return nil, invalidRequest("frozen_time", "", "You cannot advance a test clock by more than two intervals of the shortest subscription attached to it at once.")
	}
	c.Status = "advancing"
	op.emit("test_helpers.test_clock.advancing", c.ID)
	op.flush()
	answer := s.drawClock(c)
	for {
		next, ok := s.nextDueOn(c.ID)
		if !ok || next.at > target {
			break
		}
		// What happens at this instant must see the clock at it.
		c.Frozen = max(c.Frozen, next.at)
		step := s.operationAt(next.at, requestOrigin{})
		next.do(step)
		step.flush()
	}
	c.Frozen, c.Status = target, "ready"
	op.at = target
	op.emit("test_helpers.test_clock.ready", c.ID)
	return answer, nil
}

// furthest is how far a clock may go at once: two intervals of the shortest subscription on it, or two years.
func (s *Server) furthest(c *testClock) int64 {
	limit := 2 * 366 * day
	s.memory.Subs.each(func(_ string, sub *subscription) {
		if s.clockOf(sub.Customer) != c.ID || sub.ended() {
			return
		}
		priced, ok := s.memory.Prices.get(sub.Items[0].Price)
		if ok {
			limit = min(limit, 2*wholePeriod(c.Frozen, priced.Interval, priced.IntervalCount)+3*day)
		}
	})
	return limit
}

// deleteClock takes the clock's customers with it, as Stripe does.
func (s *Server) deleteClock(op *operation, p *params) (object, error) {
	c, refused := s.clockByID(p)
	if refused != nil {
		return nil, refused
	}
	op.at = c.Frozen
	for _, id := range s.memory.Customers.Order {
		owner, _ := s.memory.Customers.get(id)
		if owner.Clock == c.ID && !owner.Deleted {
			s.removeCustomer(op, owner)
		}
	}
	shot := s.drawClock(c)
	s.memory.Clocks.remove(c.ID)
	s.storeEvent(op, "test_helpers.test_clock.deleted", shot, nil)
	return object{"id": c.ID, "object": "test_helpers.test_clock", "deleted": true}, nil
}

func (s *Server) listClocks(_ *operation, p *params) (object, error) {
	return listing{
		url: "/v1/test_helpers/test_clocks", ids: s.memory.Clocks.Order, kind: "test clock",
		draw: func(id string) object {
			c, _ := s.memory.Clocks.get(id)
			return s.drawClock(c)
		},
	}.page(p)
}
