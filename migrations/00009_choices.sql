-- +goose Up

-- What customers decided about our reminders. Versions are added and never changed; a customer's newest one stands.
CREATE TABLE contact_choices (
    customer_id TEXT NOT NULL,
    version     BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    no_mail     BOOLEAN NOT NULL,  -- no reminders by mail
    no_app      BOOLEAN NOT NULL,  -- none in the merchant's app either
    hours_from  BIGINT NOT NULL,   -- hours of their day they asked for; 0 and 0 for any that the merchant allows
    hours_to    BIGINT NOT NULL,
    source      TEXT NOT NULL CHECK (source IN ('page', 'one_click', 'reply', 'staff')),
    words       TEXT NOT NULL,     -- what they said or pressed
    actor       TEXT NOT NULL,     -- the member of staff who wrote it down, '' for the customer
    PRIMARY KEY (customer_id, version)
);

-- The tokens in mails with which mail programs stop reminders by one press; kept as SHA-256 only. They open nothing
-- and never expire: who was written to may always say stop.
CREATE TABLE stop_tokens (
    hash        TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    notice_id   TEXT NOT NULL,     -- the mail that carries it
    issued_at   BIGINT NOT NULL
);
CREATE INDEX stop_tokens_notice ON stop_tokens (notice_id);

-- +goose Down
DROP TABLE stop_tokens;
DROP TABLE contact_choices;
