-- +goose Up

-- When a customer was erased, 0 while they are not. The row stays, without a name: it is what keeps Stripe's next word of
-- them from bringing them back.
ALTER TABLE customers ADD COLUMN erased_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX customers_erased ON customers (erased_at) WHERE erased_at > 0;

-- +goose Down
DROP INDEX customers_erased;
ALTER TABLE customers DROP COLUMN erased_at;
