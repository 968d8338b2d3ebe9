package sandbox_test

import (
	"bytes"
	"context"
	"net/url"
	"slices"
	"testing"

	stripe "github.com/stripe/stripe-go/v76"

	"sollecito/internal/sandbox"
)

func TestRefusedWebhooksStayUndeliveredUntilTaken(t *testing.T) {
	w := newWorld(t)
	endpoint := w.listen()
	w.mu.Lock()
	w.refuse = 1
	w.mu.Unlock()
	w.customer("", "")
	expect(t, "heard", len(w.heard()), 0)
	missed := &stripe.EventListParams{DeliverySuccess: stripe.Bool(false), Types: stripe.StringSlice([]string{"customer.created"})}
	all := w.client.Events.List(missed)
	expect(t, "found by delivery_success", all.Next(), true)
	event := all.Event()
	expect(t, "pending", event.PendingWebhooks, int64(1))
	expect(t, "version", event.APIVersion, "2023-10-16")
	_, err := w.client.WebhookEndpoints.Del(endpoint.ID, nil)
	must(t, err)
	w.customer("", "")
	expect(t, "a deleted receiver hears nothing", len(w.heard()), 0)
}

func TestUpdatesTellWhatWas(t *testing.T) {
	w := newWorld(t)
	w.listen()
	ada := w.customer("", "")
	params := &stripe.CustomerParams{Name: stripe.String("Ada Bianchi")}
	params.AddMetadata("case", "7")
	params.SetIdempotencyKey("rename")
	_, err := w.client.Customers.Update(ada.ID, params)
	must(t, err)
	_, err = w.client.Customers.Update(ada.ID, &stripe.CustomerParams{Name: stripe.String("Ada Bianchi")})
	must(t, err)
	must(t, w.server.DeliverWebhooks(context.Background()))
	w.mu.Lock()
	defer w.mu.Unlock()
	expect(t, "one update, since the second changed nothing", len(w.events), 2)
	update := w.events[1]
	expect(t, "before", update.Data.PreviousAttributes["name"], any("Ada Rossi"))
	expect(t, "after", update.Data.Object["name"], any("Ada Bianchi"))
	expect(t, "key", update.Request.IdempotencyKey, "rename")
	_, said := update.Data.PreviousAttributes["email"]
	expect(t, "what did not change is not said", said, false)
}

func TestDeliveriesGoWrongAsAsked(t *testing.T) {
	w := newWorld(t)
	w.listen()
	for mode, want := range map[sandbox.DeliveryMode]int{{Doubled: 100}: 6, {Dropped: 100}: 0, {Shuffled: 100}: 3, {Late: 100}: 0} {
		w.server.SetDelivery(mode)
		for range 3 {
			w.customer("", "")
		}
		expect(t, "heard", len(w.heard()), want)
		if mode.Late > 0 {
			expect(t, "late ones come in the next round", len(w.heard()), 3)
		}
	}
}

func TestOtherVersionsAreToldOnTheEvent(t *testing.T) {
	w := newWorld(t)
	made, err := w.clientWith(nil).WebhookEndpoints.New(&stripe.WebhookEndpointParams{
		URL: stripe.String("http://127.0.0.1:1/hook"), EnabledEvents: stripe.StringSlice([]string{"invoice.paid"}), APIVersion: stripe.String("2024-04-10"),
	})
	must(t, err)
	expect(t, "version", made.APIVersion, "2024-04-10")
	again, err := w.clientWith(nil).WebhookEndpoints.Get(made.ID, nil)
	must(t, err)
	expect(t, "the secret is told once", again.Secret, "")
	_, err = w.clientWith(nil).WebhookEndpoints.New(&stripe.WebhookEndpointParams{
		URL: stripe.String("http://127.0.0.1:1/hook"), EnabledEvents: stripe.StringSlice([]string{"invoice.overdue"}),
	})
	expect(t, "a type of a later version", refusalOf(t, err).HTTPStatusCode, 400)
}

func TestSavedStateGoesOn(t *testing.T) {
	w := newWorld(t)
	ada := w.customer("pm_card_visa", "")
	sub := w.subscribe(ada.ID)
	failed, err := w.server.FailRenewal(ada.ID, "insufficient_funds")
	must(t, err)
	params := &stripe.InvoicePayParams{}
	params.SetIdempotencyKey("before-the-stop")
	_, err = w.client.Invoices.Pay(failed, params)
	expect(t, "declined", refusalOf(t, err).HTTPStatusCode, 402)
	var saved bytes.Buffer
	must(t, w.server.Save(&saved))

	later := newWorld(t)
	must(t, later.server.Load(bytes.NewReader(saved.Bytes())))
	expect(t, "secret", later.server.WebhookSecret(), w.server.WebhookSecret())
	later.pass(0)
	_, err = later.client.Invoices.Pay(failed, params)
	expect(t, "replayed", refusalOf(t, err).LastResponse.Header.Get("Idempotent-Replayed"), "true")
	_, err = later.client.Invoices.Pay(failed, &stripe.InvoicePayParams{})
	expect(t, "the forced decline holds", refusalOf(t, err).DeclineCode, stripe.DeclineCodeInsufficientFunds)
	expect(t, "subscription", later.subscription(sub.ID).Status, stripe.SubscriptionStatusPastDue)
	fresh := later.customer("", "")
	expect(t, "ids go on", fresh.ID != ada.ID, true)
	expect(t, "garbage is refused", later.server.Load(bytes.NewReader([]byte("{}"))) != nil, true)
	expect(t, "and changes nothing", later.subscription(sub.ID).ID, sub.ID)
}

func TestDeletedCustomerEndsEverything(t *testing.T) {
	w := newWorld(t)
	w.listen()
	ada := w.customer("pm_card_visa", "")
	sub := w.subscribe(ada.ID)
	_, err := w.client.Subscriptions.Cancel(sub.ID, nil)
	must(t, err)
	_, err = w.client.Customers.Del(ada.ID, nil)
	must(t, err)
	heard := w.heard()
	expect(t, "the last is the deletion", heard[len(heard)-1], "customer.deleted")
	expect(t, "the subscription ended before", slices.Contains(heard, "customer.subscription.deleted"), true)
	_, err = w.client.PaymentMethods.Attach("pm_card_visa", &stripe.PaymentMethodAttachParams{Customer: stripe.String(ada.ID)})
	expect(t, "a deleted customer takes nothing", refusalOf(t, err).Code, stripe.ErrorCodeResourceMissing)
	gone, err := w.client.Customers.Get(ada.ID, nil)
	must(t, err)
	expect(t, "deleted", gone.Deleted, true)
	status, _ := w.form(w.server.SecretKey(), "GET", "/v1/customers", url.Values{})
	expect(t, "list", status, 200)
}
