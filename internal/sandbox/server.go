package sandbox

import (
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// apiVersion is the only version of Stripe's objects that the stand-in draws.
const apiVersion = "2023-10-16"

// Options make a Server.
type Options struct {
	// Now is the base clock: the time of everything that is not attached to a test clock. Nil is the real time.
	Now func() time.Time
	// Logger gets one line per fault; nil is silence. No secrets and no bodies are logged.
	Logger *slog.Logger
	// Seed makes every id and secret the same in each run; empty makes them unforeseeable.
	Seed string
	// PublicURL is the address under which browsers and receivers reach this server, without a slash at the end.
	PublicURL string
	// AutoTick does due work and delivers webhooks by the real timer. Without it RunDue and DeliverWebhooks do.
	AutoTick bool
	// MerchantName is the account's name on invoices and in the bank's dialogue; "" is "Sandbox".
	MerchantName string
	// AfterLastRetry is what becomes of a subscription when the last automatic retry failed: "past_due" (the
	// default, it stays as it is), "unpaid" or "canceled". At Stripe this is a setting of the account.
	AfterLastRetry string
}

// Server is one Stripe account in test mode. It is safe for use by many goroutines.
type Server struct {
	now        func() time.Time
	log        *slog.Logger
	merchant   string
	afterRetry string
	contract   *contract
	handler    http.Handler
	receivers  *http.Client
	browser    browserState

	// mu guards everything below. No network call is made while it is held.
	mu        sync.Mutex
	memory    memory
	publicURL string
	outage    outage
	underWay  map[string]bool // idempotency keys of calls being answered
	round     uint64          // counts synchronous deliveries, so that a late one waits for the next

	woken  chan struct{}
	closed chan struct{}
	once   sync.Once
	loops  sync.WaitGroup
}

// New makes an account with nothing in it. Close ends what it started.
func New(options Options) *Server {
	s := &Server{
		now: options.Now, log: options.Logger, merchant: options.MerchantName, afterRetry: options.AfterLastRetry,
		publicURL: options.PublicURL, underWay: map[string]bool{},
		woken: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.merchant == "" {
		s.merchant = "Sandbox"
	}
	if s.afterRetry == "" {
		s.afterRetry = "past_due"
	}
	s.memory.Seed = options.Seed
	if s.memory.Seed == "" {
		s.memory.Seed = randomSeed()
	}
	s.memory.Secret = "whsec_" + s.token(32)
	s.memory.Idempotent = map[string]*storedAnswer{}
	s.memory.Forced = map[string]forcedDecline{}
	s.receivers = newReceiverClient()
	read, err := readContract()
	if err != nil {
		// The extract is compiled in; the package's own tests read it.
		panic(err)
	}
	s.contract = read
	s.handler = s.routes()
	if options.AutoTick {
		s.loops.Add(2)
		go s.tick()
		go s.deliverForever()
	}
	return s
}

// SetPublicURL says where this server is reached, once its listener is open. It must have no slash at the end.
func (s *Server) SetPublicURL(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.publicURL = address
}

// Handler serves everything: the API below /v1, the sandbox's own calls, the browser script and the hosted pages.
func (s *Server) Handler() http.Handler { return s.handler }

// Close stops the timer and the deliveries and waits for them. A second call does nothing.
func (s *Server) Close() {
	s.once.Do(func() { close(s.closed) })
	s.loops.Wait()
	s.receivers.CloseIdleConnections()
}

// WebhookSecret signs what is delivered to every receiver.
func (s *Server) WebhookSecret() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory.Secret
}

// SecretKey is a key the API accepts; every other one that begins with sk_test_ does as well.
func (s *Server) SecretKey() string { return "sk_test_sandbox000000000000000000" }

// PublishableKey is the one for browsers.
func (s *Server) PublishableKey() string { return "pk_test_sandbox000000000000000000" }

// timeOf is the present instant by a test clock, or by the base clock for "".
func (s *Server) timeOf(clock string) int64 {
	found, ok := s.memory.Clocks.get(clock)
	if ok {
		return found.Frozen
	}
	return s.now().Unix()
}

// clockOf is the test clock of a customer, "" for the base clock.
func (s *Server) clockOf(customerID string) string {
	found, ok := s.memory.Customers.get(customerID)
	if !ok {
		return ""
	}
	return found.Clock
}

// wake tells the loops that there may be something new to do.
func (s *Server) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}
