-- +goose Up

-- Where the merchant's app wants to be told what happens. Instants are unix seconds; those of the secrets are real time, the
-- others business time.
CREATE TABLE webhook_endpoints (
    id             TEXT PRIMARY KEY,
    address        TEXT NOT NULL,
    events         TEXT NOT NULL,                    -- the types it is told, with commas between
    secret         TEXT NOT NULL,                    -- sealed
    old_secret     TEXT NOT NULL DEFAULT '',         -- sealed; signs beside the new one until old_until
    old_until      BIGINT NOT NULL DEFAULT 0,
    created_at     BIGINT NOT NULL,
    disabled_at    BIGINT NOT NULL DEFAULT 0,
    disabled_why   TEXT NOT NULL DEFAULT '',
    failing_since  BIGINT NOT NULL DEFAULT 0         -- the first failure after the last success, 0 for none
);

-- What is to be told to one of them, and what became of it. An endpoint that is removed leaves nothing to be told; a fact never
-- waits for one that is just going, so that there is no foreign key.
CREATE TABLE webhook_deliveries (
    id          TEXT PRIMARY KEY,
    message_id  TEXT NOT NULL,                       -- the webhook-id: the same for all endpoints and every try
    endpoint_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,                       -- '' for a test
    type        TEXT NOT NULL,
    body        TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts    BIGINT NOT NULL DEFAULT 0,           -- since it was first to go, or was ordered again
    code        BIGINT NOT NULL DEFAULT 0,           -- the last answer's, 0 for none
    reason      TEXT NOT NULL DEFAULT '',            -- why the last try failed, in our words
    created_at  BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    tried_at    BIGINT NOT NULL DEFAULT 0,
    settled_at  BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0            -- real time; while somebody delivers it
);
CREATE UNIQUE INDEX webhook_deliveries_once ON webhook_deliveries (endpoint_id, message_id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, due_at) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_recent ON webhook_deliveries (endpoint_id, created_at, id);
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (endpoint_id) WHERE status = 'failed';
CREATE INDEX webhook_deliveries_customer ON webhook_deliveries (customer_id);
CREATE INDEX webhook_deliveries_old ON webhook_deliveries (created_at);

-- +goose Down
DROP TABLE webhook_deliveries;
DROP TABLE webhook_endpoints;
