-- +goose Up

-- Of a customer's events only those that tell of a failure are ever looked for by customer once they are processed:
-- the others need no place in an index that every webhook has to write.
DROP INDEX events_customer;
CREATE INDEX events_told ON events (customer_id) WHERE type IN ('invoice.payment_failed', 'invoice.payment_action_required');

-- +goose Down
DROP INDEX events_told;
CREATE INDEX events_customer ON events (customer_id, type);
