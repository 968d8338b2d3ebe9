-- +goose Up

-- Late interest that a member of staff has confirmed, with the paper as they saw it. Nothing is asked of Stripe by it.
CREATE TABLE late_interest (
    id             TEXT PRIMARY KEY,
    customer_id    TEXT NOT NULL REFERENCES customers (id),
    invoice_id     TEXT NOT NULL REFERENCES invoices (id),
    status         TEXT NOT NULL CHECK (status IN ('confirmed', 'withdrawn')),
    country        TEXT NOT NULL,   -- whose law
    currency       TEXT NOT NULL,
    interest       BIGINT NOT NULL, -- minor units of currency
    fixed          BIGINT NOT NULL, -- minor units of fixed_currency
    fixed_currency TEXT NOT NULL,
    document       TEXT NOT NULL,   -- the breakdown, word for word
    confirmed_by   TEXT NOT NULL,
    confirmed_at   BIGINT NOT NULL,
    withdrawn_by   TEXT NOT NULL,
    withdrawn_at   BIGINT NOT NULL,
    reason         TEXT NOT NULL    -- why it was withdrawn
);
CREATE UNIQUE INDEX late_interest_invoice ON late_interest (invoice_id) WHERE status = 'confirmed';
CREATE INDEX late_interest_customer ON late_interest (customer_id);

-- +goose Down
DROP TABLE late_interest;
