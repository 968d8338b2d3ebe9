-- +goose Up

-- Dates customers set: to be charged, or to pay by themselves. An active one is a pause of its case.
CREATE TABLE promises (
    id          TEXT PRIMARY KEY,   -- also the press of its charges, so that it charges each invoice once
    case_id     TEXT NOT NULL REFERENCES cases (id),
    customer_id TEXT NOT NULL REFERENCES customers (id),
    press       TEXT NOT NULL UNIQUE, -- of the form it was made with; a second click carries the same
    kind        TEXT NOT NULL CHECK (kind IN ('charge', 'self')),
    day         TEXT NOT NULL,      -- the customer's local date, as 2006-01-02
    due_at      BIGINT NOT NULL,    -- when it is charged, or when the day has passed
    look_at     BIGINT NOT NULL,    -- when it is looked at next; due_at until Stripe kept silent
    method_id   TEXT NOT NULL,      -- to be charged; '' for self
    status      TEXT NOT NULL CHECK (status IN ('active', 'kept', 'broken', 'withdrawn')),
    actor       TEXT NOT NULL,      -- customer, or the member of staff
    made_at     BIGINT NOT NULL,
    charged_at  BIGINT NOT NULL,    -- when charging began; from then on it cannot be withdrawn
    ended_at    BIGINT NOT NULL,
    ended_by    TEXT NOT NULL,
    why         TEXT NOT NULL       -- the sentence staff read of its end
);
CREATE UNIQUE INDEX promises_one_active ON promises (case_id) WHERE status = 'active';
CREATE INDEX promises_case ON promises (case_id, made_at);
CREATE INDEX promises_customer ON promises (customer_id, made_at);
CREATE INDEX promises_due ON promises (look_at) WHERE status = 'active';

-- What a promise is about, as it was shown when it was made.
CREATE TABLE promise_invoices (
    promise_id TEXT NOT NULL REFERENCES promises (id),
    invoice_id TEXT NOT NULL REFERENCES invoices (id),
    amount     BIGINT NOT NULL,
    currency   TEXT NOT NULL,
    PRIMARY KEY (promise_id, invoice_id)
);

-- What customers asked for that only a person can do: to end their plan.
CREATE TABLE wishes (
    id          TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    kind        TEXT NOT NULL CHECK (kind IN ('cancel')),
    status      TEXT NOT NULL CHECK (status IN ('open', 'withdrawn', 'done')),
    made_at     BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL,
    ended_by    TEXT NOT NULL       -- customer, or the member of staff
);
CREATE UNIQUE INDEX wishes_one_open ON wishes (customer_id, kind) WHERE status = 'open';

-- +goose Down
DROP TABLE wishes;
DROP TABLE promise_invoices;
DROP TABLE promises;
