package sandbox

// calls is the whole API, in the order of Stripe's own reference. Names are those of Stripe's text, by which
// contract.json describes their parameters. A GET of a PaymentIntent or SetupIntent, its confirmation, and making a
// payment method are what browsers may do.
func (s *Server) calls() []call {
	private := func(name, resource string, run func(*operation, *params) (object, error)) call {
		return call{name: name, resource: resource, run: run}
	}
	browser := func(name, resource string, run func(*operation, *params) (object, error)) call {
		return call{name: name, resource: resource, run: run, fromBrowser: true}
	}
	return []call{
		private("GET /v1/account", "account", s.getAccount),
		private("GET /v1/balance", "balance", s.getBalance),
		private("GET /v1/balance_transactions/{id}", "balance_transaction", s.getTransaction),

		private("GET /v1/charges", "charge", s.listCharges),
		private("GET /v1/charges/search", "charge", s.searchCharges),
		private("GET /v1/charges/{charge}", "charge", s.getCharge),
		private("POST /v1/charges/{charge}", "charge", s.updateCharge),
		private("GET /v1/refunds", "refund", s.listRefunds),
		private("POST /v1/refunds", "refund", s.createRefund),
		private("GET /v1/refunds/{refund}", "refund", s.getRefund),
		private("GET /v1/disputes", "dispute", s.listDisputes),
		private("GET /v1/disputes/{dispute}", "dispute", s.getDispute),
		private("POST /v1/disputes/{dispute}", "dispute", s.updateDispute),
		private("POST /v1/disputes/{dispute}/close", "dispute", s.acceptDispute),

		private("GET /v1/customers", "customer", s.listCustomers),
		private("GET /v1/customers/search", "customer", s.searchCustomers),
		private("POST /v1/customers", "customer", s.createCustomer),
		private("GET /v1/customers/{customer}", "customer", s.getCustomer),
		private("POST /v1/customers/{customer}", "customer", s.updateCustomer),
		private("DELETE /v1/customers/{customer}", "customer", s.deleteCustomer),
		private("GET /v1/customers/{customer}/payment_methods", "payment_method", s.listCustomerMethods),
		private("GET /v1/customers/{customer}/payment_methods/{payment_method}", "payment_method", s.getCustomerMethod),

		private("GET /v1/payment_methods", "payment_method", s.listMethods),
		browser("POST /v1/payment_methods", "payment_method", s.createMethod),
		private("GET /v1/payment_methods/{payment_method}", "payment_method", s.getMethod),
		private("POST /v1/payment_methods/{payment_method}", "payment_method", s.updateMethod),
		private("POST /v1/payment_methods/{payment_method}/attach", "payment_method", s.attachMethod),
		private("POST /v1/payment_methods/{payment_method}/detach", "payment_method", s.detachMethod),

		private("GET /v1/payment_intents", "payment_intent", s.listIntents),
		private("GET /v1/payment_intents/search", "payment_intent", s.searchIntents),
		private("POST /v1/payment_intents", "payment_intent", s.createIntent),
		browser("GET /v1/payment_intents/{intent}", "payment_intent", s.getIntent),
		private("POST /v1/payment_intents/{intent}", "payment_intent", s.updateIntent),
		browser("POST /v1/payment_intents/{intent}/confirm", "payment_intent", s.confirmIntent),
		private("POST /v1/payment_intents/{intent}/cancel", "payment_intent", s.cancelIntent),
		private("GET /v1/setup_intents", "setup_intent", s.listSetups),
		private("POST /v1/setup_intents", "setup_intent", s.createSetup),
		browser("GET /v1/setup_intents/{intent}", "setup_intent", s.getSetup),
		private("POST /v1/setup_intents/{intent}", "setup_intent", s.updateSetup),
		browser("POST /v1/setup_intents/{intent}/confirm", "setup_intent", s.confirmSetup),
		private("POST /v1/setup_intents/{intent}/cancel", "setup_intent", s.cancelSetup),
		private("GET /v1/setup_attempts", "setup_attempt", s.listAttempts),
		private("GET /v1/mandates/{mandate}", "mandate", s.getMandate),

		private("GET /v1/products", "product", s.listProducts),
		private("GET /v1/products/search", "product", s.searchProducts),
		private("POST /v1/products", "product", s.createProduct),
		private("GET /v1/products/{id}", "product", s.getProduct),
		private("POST /v1/products/{id}", "product", s.updateProduct),
		private("GET /v1/prices", "price", s.listPrices),
		private("GET /v1/prices/search", "price", s.searchPrices),
		private("POST /v1/prices", "price", s.createPrice),
		private("GET /v1/prices/{price}", "price", s.getPrice),
		private("POST /v1/prices/{price}", "price", s.updatePrice),

		private("GET /v1/subscriptions", "subscription", s.listSubscriptions),
		private("GET /v1/subscriptions/search", "subscription", s.searchSubscriptions),
		private("POST /v1/subscriptions", "subscription", s.createSubscription),
		private("GET /v1/subscriptions/{subscription_exposed_id}", "subscription", s.getSubscription),
		private("POST /v1/subscriptions/{subscription_exposed_id}", "subscription", s.updateSubscription),
		private("DELETE /v1/subscriptions/{subscription_exposed_id}", "subscription", s.cancelSubscription),
		private("POST /v1/subscriptions/{subscription}/resume", "subscription", s.resumeSubscription),
		private("GET /v1/subscription_items", "subscription_item", s.listSubscriptionItems),

		private("GET /v1/invoiceitems", "invoiceitem", s.listInvoiceItems),
		private("POST /v1/invoiceitems", "invoiceitem", s.createInvoiceItem),
		private("GET /v1/invoiceitems/{invoiceitem}", "invoiceitem", s.getInvoiceItem),
		private("POST /v1/invoiceitems/{invoiceitem}", "invoiceitem", s.updateInvoiceItem),
		private("DELETE /v1/invoiceitems/{invoiceitem}", "invoiceitem", s.deleteInvoiceItem),
		private("GET /v1/invoices", "invoice", s.listInvoices),
		private("GET /v1/invoices/search", "invoice", s.searchInvoices),
		private("POST /v1/invoices", "invoice", s.createInvoice),
		private("GET /v1/invoices/upcoming", "invoice", s.upcomingInvoice),
		private("GET /v1/invoices/{invoice}", "invoice", s.getInvoice),
		private("POST /v1/invoices/{invoice}", "invoice", s.updateInvoice),
		private("DELETE /v1/invoices/{invoice}", "invoice", s.deleteInvoice),
		private("GET /v1/invoices/{invoice}/lines", "line_item", s.listLines),
		private("POST /v1/invoices/{invoice}/finalize", "invoice", s.finalizeInvoice),
		private("POST /v1/invoices/{invoice}/pay", "invoice", s.payInvoice),
		private("POST /v1/invoices/{invoice}/send", "invoice", s.sendInvoice),
		private("POST /v1/invoices/{invoice}/void", "invoice", s.voidInvoice),
		private("POST /v1/invoices/{invoice}/mark_uncollectible", "invoice", s.markUncollectible),
		private("GET /v1/credit_notes", "credit_note", s.listCredits),
		private("POST /v1/credit_notes", "credit_note", s.createCredit),
		private("GET /v1/credit_notes/{id}", "credit_note", s.getCredit),
		private("POST /v1/credit_notes/{id}", "credit_note", s.updateCredit),
		private("POST /v1/credit_notes/{id}/void", "credit_note", s.voidCredit),

		private("POST /v1/billing_portal/sessions", "billing_portal.session", s.createPortalSession),
		private("GET /v1/checkout/sessions", "checkout.session", s.listCheckouts),
		private("POST /v1/checkout/sessions", "checkout.session", s.createCheckout),
		private("GET /v1/checkout/sessions/{session}", "checkout.session", s.getCheckout),
		private("POST /v1/checkout/sessions/{session}/expire", "checkout.session", s.expireCheckout),

		private("GET /v1/events", "event", s.listEvents),
		private("GET /v1/events/{id}", "event", s.getEvent),
		private("GET /v1/webhook_endpoints", "webhook_endpoint", s.listEndpoints),
		private("POST /v1/webhook_endpoints", "webhook_endpoint", s.createEndpoint),
		private("GET /v1/webhook_endpoints/{webhook_endpoint}", "webhook_endpoint", s.getEndpoint),
		private("POST /v1/webhook_endpoints/{webhook_endpoint}", "webhook_endpoint", s.updateEndpoint),
		private("DELETE /v1/webhook_endpoints/{webhook_endpoint}", "webhook_endpoint", s.deleteEndpoint),

		private("GET /v1/test_helpers/test_clocks", "test_helpers.test_clock", s.listClocks),
		private("POST /v1/test_helpers/test_clocks", "test_helpers.test_clock", s.createClock),
		private("GET /v1/test_helpers/test_clocks/{test_clock}", "test_helpers.test_clock", s.getClock),
		private("DELETE /v1/test_helpers/test_clocks/{test_clock}", "test_helpers.test_clock", s.deleteClock),
		private("POST /v1/test_helpers/test_clocks/{test_clock}/advance", "test_helpers.test_clock", s.advanceClock),
	}
}
