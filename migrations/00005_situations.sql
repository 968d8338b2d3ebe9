-- What a billing situation needs beyond the invoice itself.

-- +goose Up

-- Payments that a customer's bank takes back or asks about. The invoice stays paid at Stripe, so nothing but this
-- tells of it.
CREATE TABLE disputes (
    id          TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    invoice_id  TEXT NOT NULL,      -- '' for a payment without an invoice
    status      TEXT NOT NULL,      -- Stripe's word
    reason      TEXT NOT NULL,      -- Stripe's word
    amount      BIGINT NOT NULL,
    currency    TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    synced_at   BIGINT NOT NULL
);
CREATE INDEX disputes_customer ON disputes (customer_id, created_at);

-- When the card networks or the bank sent new details for a method we knew; 0 when they never did.
ALTER TABLE methods ADD COLUMN renewed_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE methods DROP COLUMN renewed_at;
DROP TABLE disputes;
