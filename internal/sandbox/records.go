package sandbox

// The records are what the stand-in remembers; render*.go draws them as Stripe's objects. Instants are unix seconds
// and 0 stands for null, amounts are in the currency's smallest unit, an empty text stands for null.

type postalAddress struct {
	City, Country, Line1, Line2, PostalCode, State string
}

type customer struct {
	ID, Email, Name, Phone, Description, Currency string
	Address                                       *postalAddress
	Shipping                                      *shippingDetails
	Created, Balance                              int64
	Delinquent, Deleted                           bool
	Prefix                                        string
	Sequence                                      int64
	DefaultMethod, Footer                         string
	Locales                                       []string
	Metadata                                      map[string]string
	TaxExempt, Clock                              string
}

type shippingDetails struct {
	Name, Phone string
	Address     postalAddress
}

// method is a payment method. Number is the published test number (or account number) that decides how it behaves.
type method struct {
	ID, Customer, Type, Number string
	ExpMonth, ExpYear          int64
	CVC, Fingerprint           string
	Created                    int64
	Billing                    billingDetails
	Metadata                   map[string]string
	// SetUp is true once a SetupIntent or a payment kept it for use without its owner.
	SetUp bool
	// Detached methods can be read, and used never again.
	Detached bool
	// Redisplayed texts of bank accounts.
	HolderType, AccountType string
	// Typed accounts of US banks are proven by small deposits; those of the published names were proven before.
	Typed bool
}

type billingDetails struct {
	Address            *postalAddress
	Email, Name, Phone string
}

type product struct {
	ID, Name, Description, DefaultPrice, UnitLabel, StatementDescriptor, URL string
	Active                                                                   bool
	Created, Updated                                                         int64
	Images                                                                   []string
	Metadata                                                                 map[string]string
}

type price struct {
	ID, Product, Currency, Nickname, LookupKey, TaxBehavior string
	Active                                                  bool
	Created, Amount                                         int64
	Decimal                                                 string
	// Interval is "" for a one-time price.
	Interval      string
	IntervalCount int64
	Metadata      map[string]string
}

type subscriptionItem struct {
	ID, Price string
	Quantity  int64
	Created   int64
	Metadata  map[string]string
}

type collectionPause struct {
	Behavior  string
	ResumesAt int64
}

type subscription struct {
	ID, Customer, Status, Currency, Description        string
	Created, StartDate, Anchor, PeriodStart, PeriodEnd int64
	Items                                              []subscriptionItem
	CollectionMethod                                   string
	DaysUntilDue                                       int64
	DefaultMethod, LatestInvoice, PendingSetup         string
	CancelAt, CanceledAt, EndedAt                      int64
	CancelAtPeriodEnd                                  bool
	CancelComment, CancelFeedback, CancelReason        string
	Pause                                              *collectionPause
	SaveDefault                                        string
	MethodTypes                                        []string
	TrialStart, TrialEnd                               int64
	TrialMissing                                       string
	// ExpiresAt ends an incomplete subscription, 23 hours after it began.
	ExpiresAt int64
	Metadata  map[string]string
}

type line struct {
	ID, Type, Currency, Description             string
	Amount, Quantity                            int64
	Price, Subscription, SubscriptionItem, Item string
	Start, End                                  int64
	Proration                                   bool
	Metadata                                    map[string]string
}

type invoiceItem struct {
	ID, Customer, Currency, Description, Invoice, Price, Subscription string
	UnitAmount, Quantity, Date, Start, End                            int64
	Proration                                                         bool
	Metadata                                                          map[string]string
}

type invoice struct {
	ID, Customer, Subscription, Status, Number, Currency                    string
	BillingReason, CollectionMethod, Description, Footer, Statement         string
	Created, DueDate, PeriodStart, PeriodEnd, FinalizesAt, NextAttempt      int64
	AttemptCount                                                            int64
	Attempted, AutoAdvance, PaidOutOfBand                                   bool
	Lines                                                                   []line
	AmountPaid, CreditedBefore, CreditedAfter, StartingBalance, BalanceUsed int64
	EndingBalance                                                           *int64
	Intent, Charge, DefaultMethod                                           string
	MethodTypes                                                             []string
	Metadata, SubscriptionMetadata                                          map[string]string
	FinalizedAt, PaidAt, VoidedAt, UncollectibleAt, DeliveredAt             int64
	HostedToken                                                             string
	// Automatic counts the attempts made by the schedule, which decides when the next one is.
	Automatic int64
	// Overdue is set once the due date of an invoice to be paid by the customer was noticed to have passed.
	Overdue bool
	// Holder is the customer as it was when the invoice was finalized.
	Holder *invoiceHolder
}

type invoiceHolder struct {
	Email, Name, Phone, TaxExempt string
	Address                       *postalAddress
	Shipping                      *shippingDetails
}

// failure is why an attempt did not go through.
type failure struct {
	Type, Code, DeclineCode, Message, Charge, Method string
	// MethodShot is the payment method as it was, since a detached one may be gone when the failure is read.
	MethodShot object
}

type intent struct {
	ID, Secret, Customer, Invoice, Status, Currency, Method, Description, ReceiptEmail, FutureUsage string
	Amount, Received, Created, CanceledAt                                                           int64
	CancelReason, LatestCharge, ReturnURL, CaptureMethod, ConfirmationMethod                        string
	Types                                                                                           []string
	Automatic, NoRedirects                                                                          bool
	LastError                                                                                       *failure
	// Action is the state of an authentication under way; nil when none is asked for.
	Action *authentication
	// SettlesAt is when a bank debit under way succeeds or fails.
	SettlesAt int64
	Metadata  map[string]string
}

// authentication is what the customer's bank has been asked to confirm.
type authentication struct {
	ID        string
	ReturnURL string
	// Deposits is the token of the page on which the amounts of small deposits are typed; "" where the bank asks at once.
	Deposits string
	Arrives  int64
}

type setup struct {
	ID, Secret, Customer, Status, Method, Usage, Description, CancelReason, LatestAttempt, Mandate, ReturnURL string
	Created                                                                                                   int64
	Types                                                                                                     []string
	Automatic, NoRedirects                                                                                    bool
	LastError                                                                                                 *failure
	Action                                                                                                    *authentication
	Metadata                                                                                                  map[string]string
	// Verification is how an account at a bank in the United States is proven; "" is automatic.
	Verification string
	// Session is the Checkout session that this setup belongs to, if any.
	Session string
}

type setupAttempt struct {
	ID, Setup, Method, Customer, Status, Usage string
	Created                                    int64
	Error                                      *failure
	Authenticated                              bool
}

type mandate struct {
	ID, Method, Status string
	Created            int64
}

type charge struct {
	ID, Customer, Invoice, Intent, Method, Status, Currency, Description  string
	Amount, Created, Refunded                                             int64
	Disputed, Authenticated                                               bool
	FailureCode, FailureMessage                                           string
	NetworkStatus, OutcomeType, Reason, Seller, Transaction, ReceiptEmail string
	Billing                                                               billingDetails
	Shot                                                                  method
	Metadata                                                              map[string]string
}

type refund struct {
	ID, Charge, Intent, Currency, Reason, Status, Transaction string
	Amount, Created                                           int64
	Metadata                                                  map[string]string
}

type dispute struct {
	ID, Charge, Intent, Currency, Reason, Status, Transaction string
	Amount, Created, DueBy                                    int64
	Submissions                                               int64
	Evidence                                                  map[string]string
	Metadata                                                  map[string]string
}

type creditNote struct {
	ID, Invoice, Customer, Currency, Number, Memo, Reason, Status, Type, Refund string
	Amount, OutOfBand, Created, VoidedAt, ToBalance                             int64
	Lines                                                                       []creditLine
	Metadata                                                                    map[string]string
}

type creditLine struct {
	ID, InvoiceLine, Description, Type string
	Amount, Quantity                   int64
}

type transaction struct {
	ID, Type, Source, Currency, Description, Category string
	Amount, Fee, Created                              int64
}

type testClock struct {
	ID, Name, Status         string
	Created, Frozen, Deletes int64
}

type endpoint struct {
	ID, URL, Description, APIVersion, Status string
	Events                                   []string
	Created                                  int64
	Metadata                                 map[string]string
}

type portalSession struct {
	ID, Customer, ReturnURL, Locale, Flow, AfterURL, Token string
	Created                                                int64
}

type checkoutSession struct {
	ID, Customer, Status, SuccessURL, CancelURL, Currency, Setup, Reference, Token, Locale string
	Created, ExpiresAt                                                                     int64
	Types                                                                                  []string
	Metadata                                                                               map[string]string
}
