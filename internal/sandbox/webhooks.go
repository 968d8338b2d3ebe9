package sandbox

import (
	"net/url"
	"slices"
	"strings"
)

func (s *Server) drawEndpoint(e *endpoint) object {
	return object{
		"id": e.ID, "object": "webhook_endpoint", "api_version": textOrNull(e.APIVersion), "application": nil, "created": e.Created,
		"description": textOrNull(e.Description), "enabled_events": textList(e.Events), "livemode": false,
		"metadata": textMap(e.Metadata), "status": e.Status, "url": e.URL,
	}
}

// createEndpoint registers a receiver, in this process or another. Only this answer carries the signing secret.
func (s *Server) createEndpoint(op *operation, p *params) (object, error) {
	refused := p.notSimulated("connect")
	if refused != nil {
		return nil, refused
	}
	made := &endpoint{ID: s.longID("we_"), Status: "enabled", Created: op.at, APIVersion: p.text("api_version"), Metadata: map[string]string{}}
	refused = readEndpoint(made, p)
	if refused != nil {
		return nil, refused
	}
	if len(made.Events) == 0 {
		return nil, missingParam("enabled_events")
	}
	if made.APIVersion != "" && !versionForm.MatchString(made.APIVersion) {
		return nil, invalidRequest("api_version", "", "Invalid API version: "+made.APIVersion)
	}
	s.memory.Endpoints.add(made.ID, made)
	o := s.drawEndpoint(made)
	o["secret"] = s.memory.Secret
	return o, nil
}

func readEndpoint(e *endpoint, p *params) *apiError {
	if p.has("url") {
		address, err := url.Parse(p.text("url"))
		if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
			return invalidRequest("url", "url_invalid", "Invalid URL: An explicit scheme (such as https) must be provided.")
		}
		e.URL = p.text("url")
	}
	if p.has("enabled_events") {
		e.Events = p.texts("enabled_events")
	}
	p.set("description", &e.Description)
	e.Metadata = p.mergeMetadata(e.Metadata)
	if p.has("disabled") {
		e.Status = "enabled"
		if p.truth("disabled", false) {
			e.Status = "disabled"
		}
	}
	if slices.Contains(e.Events, "") || strings.Contains(strings.Join(e.Events, " "), "*") && len(e.Events) > 1 {
		return invalidRequest("enabled_events", "", "enabled_events must be a list of event types, or the one entry *.")
	}
	return nil
}

func (s *Server) endpointByID(p *params) (*endpoint, *apiError) {
	found, ok := s.memory.Endpoints.get(p.path["webhook_endpoint"])
	if !ok {
		return nil, missing("webhook endpoint", p.path["webhook_endpoint"], "webhook_endpoint")
	}
	return found, nil
}

func (s *Server) getEndpoint(_ *operation, p *params) (object, error) {
	found, refused := s.endpointByID(p)
	if refused != nil {
		return nil, refused
	}
	return s.drawEndpoint(found), nil
}

func (s *Server) updateEndpoint(_ *operation, p *params) (object, error) {
	found, refused := s.endpointByID(p)
	if refused != nil {
		return nil, refused
	}
	changed := *found
	refused = readEndpoint(&changed, p)
	if refused != nil {
		return nil, refused
	}
	*found = changed
	return s.drawEndpoint(found), nil
}

func (s *Server) deleteEndpoint(_ *operation, p *params) (object, error) {
	found, refused := s.endpointByID(p)
	if refused != nil {
		return nil, refused
	}
	s.memory.Endpoints.remove(found.ID)
	s.memory.Deliveries = slices.DeleteFunc(s.memory.Deliveries, func(d *delivery) bool { return d.Endpoint == found.ID && !d.inFlight })
	return object{"id": found.ID, "object": "webhook_endpoint", "deleted": true}, nil
}

func (s *Server) listEndpoints(_ *operation, p *params) (object, error) {
	return listing{
		url: "/v1/webhook_endpoints", ids: s.memory.Endpoints.Order, kind: "webhook endpoint",
		draw: func(id string) object {
			e, _ := s.memory.Endpoints.get(id)
			return s.drawEndpoint(e)
		},
	}.page(p)
}
