-- +goose Up

-- Codes mailed to the address on file, with which a customer proves that they read its mail. A code itself is stored
-- nowhere: only its keyed hash, from the moment its letter is written. All instants are in real time.
CREATE TABLE proofs (
    id          TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    session     TEXT NOT NULL,    -- hash of the session that asked: it alone may use the code
    purpose     TEXT NOT NULL,    -- the one act it is for
    subject     TEXT NOT NULL,    -- what the act is about, such as a payment method's id
    hash        TEXT NOT NULL,    -- '' until its letter is written
    asked_at    BIGINT NOT NULL,
    written_at  BIGINT NOT NULL,  -- 0 until its letter is written
    tries       BIGINT NOT NULL,  -- wrong ones
    ended_at    BIGINT NOT NULL   -- used, or a newer one took its place; 0 while it may be used
);
CREATE INDEX proofs_session ON proofs (session) WHERE ended_at = 0;
CREATE INDEX proofs_age ON proofs (asked_at);

-- What customers ordered to be taken off: written before Stripe is asked, so that it is seen through.
CREATE TABLE removals (
    id          TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    method_id   TEXT NOT NULL,
    successor   TEXT NOT NULL,    -- the method that takes its place, '' when it had none
    status      TEXT NOT NULL CHECK (status IN ('ordered', 'done', 'failed')),
    ordered_at  BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX removals_one_at_a_time ON removals (method_id) WHERE status = 'ordered';
CREATE INDEX removals_customer ON removals (customer_id, ordered_at);
CREATE INDEX removals_ordered ON removals (ordered_at) WHERE status = 'ordered';

-- A method that was taken off is kept, for the receipts that name it, and never offered again.
ALTER TABLE methods ADD COLUMN removed_at BIGINT NOT NULL DEFAULT 0;

-- A card that somebody else typed to pay an invoice is nobody's on file: it is kept as what the charge was made with.
ALTER TABLE methods ADD COLUMN guest BOOLEAN NOT NULL DEFAULT false;

-- Such cards, from before they are typed until they were taken off again.
CREATE TABLE guest_cards (
    press       TEXT PRIMARY KEY,  -- of the page it was typed on
    customer_id TEXT NOT NULL REFERENCES customers (id),
    invoice_id  TEXT NOT NULL,
    method_id   TEXT NOT NULL,     -- '' until it was typed
    started_at  BIGINT NOT NULL,
    gone_at     BIGINT NOT NULL    -- 0 until it was taken off, or never came
);
CREATE INDEX guest_cards_here ON guest_cards (started_at) WHERE gone_at = 0;

-- A link may open less than the customer's pages: the payment of one invoice, for whoever they ask to pay it.
ALTER TABLE links ADD COLUMN invoice_id TEXT NOT NULL DEFAULT '';  -- '' opens the customer's pages

-- Invoices are also asked for by the number that stands in a mail.
CREATE INDEX invoices_number ON invoices (lower(number));

-- +goose Down
DROP INDEX invoices_number;
ALTER TABLE links DROP COLUMN invoice_id;
DROP TABLE guest_cards;
ALTER TABLE methods DROP COLUMN guest;
ALTER TABLE methods DROP COLUMN removed_at;
DROP TABLE removals;
DROP TABLE proofs;
