-- One text for SQLite and PostgreSQL: ids are text made in Go or by Stripe, instants are BIGINT unix seconds,
-- money is BIGINT minor units beside its currency. What the engines say differently is in engines/. 0 and '' stand
-- for Stripe's null where no rule tells them apart.

-- +goose Up

-- What the installation knows of itself: the sending switch, the mark of a demo.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Billing, as the processor last reported it.
CREATE TABLE customers (
    id                TEXT PRIMARY KEY,
    name              TEXT NOT NULL,
    email             TEXT NOT NULL,
    preferred_locales TEXT NOT NULL,  -- comma-separated, most wanted first
    language          TEXT NOT NULL,  -- chosen on our pages, '' until then
    country           TEXT NOT NULL,
    state             TEXT NOT NULL,
    zone              TEXT NOT NULL,
    default_method    TEXT NOT NULL,
    deleted           BOOLEAN NOT NULL,
    livemode          BOOLEAN NOT NULL,
    created_at        BIGINT NOT NULL,
    synced_at         BIGINT NOT NULL
);
CREATE INDEX customers_email ON customers (lower(email));

CREATE TABLE methods (
    id          TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    type        TEXT NOT NULL,
    brand       TEXT NOT NULL,
    last4       TEXT NOT NULL,
    exp_month   BIGINT NOT NULL,
    exp_year    BIGINT NOT NULL,
    fingerprint TEXT NOT NULL
);
CREATE INDEX methods_customer ON methods (customer_id);

CREATE TABLE subscriptions (
    id             TEXT PRIMARY KEY,
    customer_id    TEXT NOT NULL REFERENCES customers (id),
    status         TEXT NOT NULL,
    description    TEXT NOT NULL,
    period         TEXT NOT NULL,    -- day, week, month, year
    default_method TEXT NOT NULL,
    period_end     BIGINT NOT NULL,
    cancel_at      BIGINT NOT NULL,
    amount         BIGINT NOT NULL,
    currency       TEXT NOT NULL
);
CREATE INDEX subscriptions_customer ON subscriptions (customer_id);

CREATE TABLE invoices (
    id                   TEXT PRIMARY KEY,
    customer_id          TEXT NOT NULL REFERENCES customers (id),
    subscription_id      TEXT NOT NULL,
    number               TEXT NOT NULL,
    status               TEXT NOT NULL,
    collection_method    TEXT NOT NULL,
    billing_reason       TEXT NOT NULL,
    currency             TEXT NOT NULL,
    amount_due           BIGINT NOT NULL,
    amount_paid          BIGINT NOT NULL,
    amount_remaining     BIGINT NOT NULL,
    description          TEXT NOT NULL,
    period_start         BIGINT NOT NULL,
    period_end           BIGINT NOT NULL,
    due_at               BIGINT NOT NULL,
    created_at           BIGINT NOT NULL,
    paid_at              BIGINT NOT NULL,
    paid_out_of_band     BOOLEAN NOT NULL,
    attempted            BOOLEAN NOT NULL,
    attempt_count        BIGINT NOT NULL,
    failed_at            BIGINT NOT NULL,
    first_failed         BIGINT NOT NULL,
    next_attempt_at      BIGINT NOT NULL,
    intent               TEXT NOT NULL,
    intent_status        TEXT NOT NULL,
    method_id            TEXT NOT NULL,
    code                 TEXT NOT NULL,
    decline_code         TEXT NOT NULL,
    advice_code          TEXT NOT NULL,
    network_advice_code  TEXT NOT NULL,
    network_decline_code TEXT NOT NULL,
    disputed             BOOLEAN NOT NULL,
    receipt_number       TEXT NOT NULL,
    synced_at            BIGINT NOT NULL
);
CREATE INDEX invoices_customer ON invoices (customer_id, created_at);
CREATE INDEX invoices_by_hand ON invoices (due_at) WHERE status = 'open' AND collection_method = 'send_invoice';

-- Each press that moves money, written with its idempotency key before Stripe is called.
CREATE TABLE attempts (
    id           TEXT PRIMARY KEY,   -- the idempotency key sent to Stripe
    press        TEXT NOT NULL,      -- the page's press this belongs to; a second click carries the same
    customer_id  TEXT NOT NULL REFERENCES customers (id),
    invoice_id   TEXT NOT NULL,      -- '' for keeping a card
    method_id    TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('charge', 'setup')),
    status       TEXT NOT NULL CHECK (status IN ('started', 'paid', 'processing', 'action', 'declined', 'failed', 'saved')),
    amount       BIGINT NOT NULL,
    currency     TEXT NOT NULL,
    code         TEXT NOT NULL,
    decline_code TEXT NOT NULL,
    reference    TEXT NOT NULL,      -- Stripe's intent
    started_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL,
    UNIQUE (press, invoice_id)
);
CREATE INDEX attempts_customer ON attempts (customer_id, started_at);
CREATE INDEX attempts_started ON attempts (started_at) WHERE status = 'started';
CREATE INDEX attempts_setup ON attempts (reference) WHERE kind = 'setup';

-- What Stripe told us: one row per event id, written before the 2xx. The body is not kept: what it shows is old on
-- arrival and read again, and it holds client secrets and personal data we have no use for.
CREATE TABLE events (
    id           TEXT PRIMARY KEY,
    type         TEXT NOT NULL,
    object_type  TEXT NOT NULL,
    object_id    TEXT NOT NULL,
    customer_id  TEXT NOT NULL,
    api_version  TEXT NOT NULL,
    livemode     BOOLEAN NOT NULL,
    created_at   BIGINT NOT NULL,
    received_at  BIGINT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('received', 'processed', 'ignored', 'parked')),
    attempts     BIGINT NOT NULL,
    next_try_at  BIGINT NOT NULL,
    reason       TEXT NOT NULL,
    processed_at BIGINT NOT NULL
);
CREATE INDEX events_waiting ON events (next_try_at) WHERE status = 'received';
CREATE INDEX events_unprocessed ON events (customer_id) WHERE status = 'received';
CREATE INDEX events_customer ON events (customer_id, type);

-- Cases.
CREATE TABLE cases (
    id               TEXT PRIMARY KEY,
    customer_id      TEXT NOT NULL REFERENCES customers (id),
    campaign         TEXT NOT NULL,
    campaign_version BIGINT NOT NULL,
    status           TEXT NOT NULL CHECK (status IN ('open', 'recovered', 'exhausted', 'canceled')),
    access           TEXT NOT NULL CHECK (access IN ('full', 'grace', 'restricted', 'suspended')),
    step             BIGINT NOT NULL,    -- steps taken
    opened_at        BIGINT NOT NULL,
    opened_day       TEXT NOT NULL,      -- the customer's local date of opening, day 0
    rested_days      BIGINT NOT NULL,    -- local days that do not count, by pause or outage
    resting_since    BIGINT NOT NULL,    -- when the first of the pauses now active began, 0 when none is
    next_step_at     BIGINT,             -- null while the case rests or has ended
    consequence_at   BIGINT NOT NULL,    -- announced to the customer; never moves earlier
    closed_at        BIGINT NOT NULL
);
CREATE UNIQUE INDEX cases_one_open ON cases (customer_id) WHERE status = 'open';
CREATE INDEX cases_due ON cases (next_step_at) WHERE status = 'open' AND next_step_at IS NOT NULL;
CREATE INDEX cases_customer ON cases (customer_id, opened_at);
CREATE INDEX cases_closed ON cases (status, closed_at) WHERE closed_at > 0;

CREATE TABLE case_invoices (
    case_id    TEXT NOT NULL REFERENCES cases (id),
    invoice_id TEXT NOT NULL REFERENCES invoices (id),
    joined_at  BIGINT NOT NULL,
    left_at    BIGINT NOT NULL,
    PRIMARY KEY (case_id, invoice_id)
);
CREATE INDEX case_invoices_invoice ON case_invoices (invoice_id);

CREATE TABLE pauses (
    id       TEXT PRIMARY KEY,
    case_id  TEXT NOT NULL REFERENCES cases (id),
    reason   TEXT NOT NULL CHECK (reason IN ('staff', 'conversation', 'dispute', 'processing', 'claim', 'promise', 'consent', 'imported')),
    note     TEXT NOT NULL,
    actor    TEXT NOT NULL,
    since    BIGINT NOT NULL,
    until    BIGINT NOT NULL,      -- 0: until somebody ends it
    ended_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX pauses_one_active ON pauses (case_id, reason) WHERE ended_at = 0;
CREATE INDEX pauses_case ON pauses (case_id, since);
CREATE INDEX pauses_until ON pauses (until) WHERE ended_at = 0 AND until > 0;

-- What happened in a case and why, for the timeline. Written in the transaction of the fact.
CREATE TABLE case_log (
    id      TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES cases (id),
    at      BIGINT NOT NULL,
    what    TEXT NOT NULL,
    why     TEXT NOT NULL,
    actor   TEXT NOT NULL
);
CREATE INDEX case_log_case ON case_log (case_id, at);

-- Every message that leaves or is shown, said at most once.
CREATE TABLE notices (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,     -- reminder, settled, fresh_link, reply, staff
    channel     TEXT NOT NULL CHECK (channel IN ('email', 'app')),
    customer_id TEXT NOT NULL,     -- '' when it goes to staff about nobody
    case_id     TEXT NOT NULL,
    step        TEXT NOT NULL,     -- the campaign's key of the step; for other kinds what makes it one of its kind
    subject_id  TEXT NOT NULL,     -- the message or thing it tells of
    recipient   TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('queued', 'sending', 'sent', 'uncertain', 'failed', 'skipped')),
    reason      TEXT NOT NULL,
    counts      BOOLEAN NOT NULL,  -- against the gap and the cap of the contact policy
    attempts    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,   -- not before
    lease_until BIGINT NOT NULL,
    settled_at  BIGINT NOT NULL,   -- when the status became final
    message_id  TEXT NOT NULL,
    dated       BIGINT NOT NULL,   -- the Date header; kept over tries
    subject     TEXT NOT NULL,
    copy        TEXT NOT NULL,     -- as sent, the token cut out
    UNIQUE (kind, case_id, step, channel, subject_id)
);
CREATE INDEX notices_due ON notices (due_at) WHERE status = 'queued' AND channel = 'email';
CREATE INDEX notices_sending ON notices (lease_until) WHERE status = 'sending';
CREATE INDEX notices_customer ON notices (customer_id, created_at);
CREATE INDEX notices_case ON notices (case_id, created_at);

-- Links and the sessions they open. Tokens are stored as SHA-256 only.
CREATE TABLE links (
    id          TEXT PRIMARY KEY,
    hash        TEXT NOT NULL UNIQUE,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    notice_id   TEXT NOT NULL,
    language    TEXT NOT NULL,
    issued_at   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,  -- 0: by the rule of issue and due date; else a short life, in real time
    spent_at    BIGINT NOT NULL,
    revoked_at  BIGINT NOT NULL
);
CREATE INDEX links_customer ON links (customer_id);
CREATE INDEX links_notice ON links (notice_id);

CREATE TABLE customer_sessions (
    hash        TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    link_id     TEXT NOT NULL,
    data        TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL
);
CREATE INDEX customer_sessions_age ON customer_sessions (created_at);

-- Support.
CREATE TABLE conversations (
    id          TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    status      TEXT NOT NULL CHECK (status IN ('waiting', 'answered', 'closed')),
    opened_at   BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE INDEX conversations_customer ON conversations (customer_id);
CREATE INDEX conversations_status ON conversations (status, updated_at);

CREATE TABLE messages (
    id              TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations (id),
    author          TEXT NOT NULL CHECK (author IN ('customer', 'staff')),
    staff_id        TEXT NOT NULL,
    name            TEXT NOT NULL,   -- of the member of staff, as the customer reads it
    body            TEXT NOT NULL,
    at              BIGINT NOT NULL
);
CREATE INDEX messages_conversation ON messages (conversation_id, at);

-- Staff.
CREATE TABLE staff (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('viewer', 'agent', 'manager', 'admin')),
    password      TEXT NOT NULL,     -- argon2id in PHC form, '' until enrolled
    enrol_hash    TEXT NOT NULL,
    enrol_until   BIGINT NOT NULL,
    disabled_at   BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);

-- Failed sign-ins, for addresses we know and those we don't alike, so that waiting tells nobody which is which.
CREATE TABLE staff_failures (
    hash         TEXT PRIMARY KEY,  -- of the address typed and, from a known device, of where from
    failures     BIGINT NOT NULL,
    locked_until BIGINT NOT NULL    -- in milliseconds: the first wait is a single second
);

CREATE TABLE staff_sessions (
    hash       TEXT PRIMARY KEY,
    staff_id   TEXT NOT NULL REFERENCES staff (id),
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL,
    ip         TEXT NOT NULL,
    agent      TEXT NOT NULL
);
CREATE INDEX staff_sessions_staff ON staff_sessions (staff_id);

-- Who did what. Append-only; pseudonyms and ids, no names of customers.
CREATE TABLE audit (
    seq     BIGINT PRIMARY KEY,
    at      BIGINT NOT NULL,
    actor   TEXT NOT NULL,
    role    TEXT NOT NULL,
    action  TEXT NOT NULL,
    object  TEXT NOT NULL,
    detail  TEXT NOT NULL,
    ip      TEXT NOT NULL,
    request TEXT NOT NULL,
    hash    TEXT NOT NULL    -- of this row and the hash before it
);

-- What one caller may do how often: a counter per key and window.
CREATE TABLE limits (
    name     TEXT NOT NULL,
    window_at BIGINT NOT NULL,
    used     BIGINT NOT NULL,
    PRIMARY KEY (name, window_at)
);
CREATE INDEX limits_age ON limits (window_at);

-- The banner's snoozes, kept here so that they follow the user across devices.
CREATE TABLE snoozes (
    customer_id TEXT PRIMARY KEY REFERENCES customers (id),
    until       BIGINT NOT NULL
);

-- +goose Down
DROP TABLE snoozes;
DROP TABLE limits;
DROP TABLE audit;
DROP TABLE staff_sessions;
DROP TABLE staff_failures;
DROP TABLE staff;
DROP TABLE messages;
DROP TABLE conversations;
DROP TABLE customer_sessions;
DROP TABLE links;
DROP TABLE notices;
DROP TABLE case_log;
DROP TABLE pauses;
DROP TABLE case_invoices;
DROP TABLE cases;
DROP TABLE events;
DROP TABLE attempts;
DROP TABLE invoices;
DROP TABLE subscriptions;
DROP TABLE methods;
DROP TABLE customers;
DROP TABLE settings;
