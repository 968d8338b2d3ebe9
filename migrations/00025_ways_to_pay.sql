-- +goose Up

-- What an invoice's payment takes at Stripe (card, sepa_debit, …), with a comma between; '' when that was not told.
ALTER TABLE invoices ADD COLUMN takes TEXT NOT NULL DEFAULT '';
-- When its latest charge was made, 0 when none is known: a bank debit's answer is expected some days after it.
ALTER TABLE invoices ADD COLUMN charged_at BIGINT NOT NULL DEFAULT 0;
-- Of what was paid for it: given back the way it came, and when that was last done; and by credit notes made after it
-- was paid, which may say the same money once more.
ALTER TABLE invoices ADD COLUMN refunded BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invoices ADD COLUMN refunded_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invoices ADD COLUMN credited BIGINT NOT NULL DEFAULT 0;

-- What a customer agreed to with the press that keeps a way to pay: the words they were shown, and when. One whose
-- method never came stays without it.
CREATE TABLE mandates (
    press       TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    kind        TEXT NOT NULL,     -- card or debit, as chosen in the browser
    language    TEXT NOT NULL,
    words       TEXT NOT NULL,
    version     TEXT NOT NULL,     -- the same for everybody who was shown the same words
    given_at    BIGINT NOT NULL,
    method_id   TEXT NOT NULL,     -- '' until it was kept
    reference   TEXT NOT NULL      -- the mandate's name at Stripe, '' for a card
);
CREATE INDEX mandates_customer ON mandates (customer_id, given_at);

-- +goose Down
DROP TABLE mandates;
ALTER TABLE invoices DROP COLUMN credited;
ALTER TABLE invoices DROP COLUMN refunded_at;
ALTER TABLE invoices DROP COLUMN refunded;
ALTER TABLE invoices DROP COLUMN charged_at;
ALTER TABLE invoices DROP COLUMN takes;
