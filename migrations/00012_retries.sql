-- Every try on every card, whoever made it, so that budgets over rolling windows can be kept; and our own retries.

-- +goose Up

-- attempts held the customer's own presses alone. Tries that Stripe made or was asked for elsewhere are read from its
-- charges: their id and press are the charge's.
ALTER TABLE attempts ADD COLUMN initiator TEXT NOT NULL DEFAULT 'customer';  -- customer, stripe, schedule, new_card, promise, staff
ALTER TABLE attempts ADD COLUMN card TEXT NOT NULL DEFAULT '';               -- the card's fingerprint, else its method's id
ALTER TABLE attempts ADD COLUMN network TEXT NOT NULL DEFAULT '';            -- visa, mastercard, …; '' for what is no card
ALTER TABLE attempts ADD COLUMN charge TEXT NOT NULL DEFAULT '';             -- Stripe's charge, '' when none is known
ALTER TABLE attempts ADD COLUMN advice_code TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN network_advice_code TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN network_decline_code TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX attempts_charge ON attempts (charge) WHERE charge <> '';
CREATE INDEX attempts_card ON attempts (card, started_at);

-- The method an invoice names as its own, which Stripe charges before any other.
ALTER TABLE invoices ADD COLUMN own_method TEXT NOT NULL DEFAULT '';

-- A card that came into use while something was overdue: what is open is charged with it, once per invoice.
CREATE TABLE new_cards (
    customer_id TEXT NOT NULL REFERENCES customers (id),
    method_id   TEXT NOT NULL,
    seen_at     BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,   -- when it is looked at next, 0 when it is done with
    why         TEXT NOT NULL,     -- how it ended, or what it waits for
    PRIMARY KEY (customer_id, method_id, seen_at)
);
CREATE INDEX new_cards_due ON new_cards (due_at) WHERE due_at > 0;

-- Our own retries of one invoice in one case, where its campaign has some.
CREATE TABLE retries (
    case_id    TEXT NOT NULL REFERENCES cases (id),
    invoice_id TEXT NOT NULL REFERENCES invoices (id),
    number     BIGINT NOT NULL,    -- of the next one, from 1
    due_at     BIGINT NOT NULL,    -- when it is looked at, 0 when none is left
    not_before BIGINT NOT NULL,    -- put off until then by a rule, 0 by none
    why        TEXT NOT NULL,      -- what it waits for, or why the last one did not run
    PRIMARY KEY (case_id, invoice_id)
);
CREATE INDEX retries_due ON retries (due_at) WHERE due_at > 0;

-- +goose Down
DROP TABLE retries;
DROP TABLE new_cards;
ALTER TABLE invoices DROP COLUMN own_method;
DROP INDEX attempts_card;
DROP INDEX attempts_charge;
ALTER TABLE attempts DROP COLUMN network_decline_code;
ALTER TABLE attempts DROP COLUMN network_advice_code;
ALTER TABLE attempts DROP COLUMN advice_code;
ALTER TABLE attempts DROP COLUMN charge;
ALTER TABLE attempts DROP COLUMN network;
ALTER TABLE attempts DROP COLUMN card;
ALTER TABLE attempts DROP COLUMN initiator;
