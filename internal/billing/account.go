package billing

// Account is everything the processor said about one customer in one reading: the customer, their ways to pay,
// their subscriptions, and their invoices. Invoices holds every open one and may hold others; what it lacks
// stays as it was stored.
type Account struct {
	Customer      Customer
	Methods       []Method
	Subscriptions []Subscription
	Invoices      []Invoice
}
