-- +goose Up

-- Addresses nothing is mailed to, and why. A lifted one stays for the story.
CREATE TABLE suppressions (
    id          TEXT PRIMARY KEY,
    address     TEXT NOT NULL,    -- as outbox.Normal has it
    spelled     TEXT NOT NULL,    -- as it stood on the mail, lower case by the engine's own rule
    reason      TEXT NOT NULL CHECK (reason IN ('hard', 'soft', 'complaint')),
    words       TEXT NOT NULL,    -- the sentence staff read
    notice_id   TEXT NOT NULL,    -- the mail that came back
    customer_id TEXT NOT NULL,
    since       BIGINT NOT NULL,
    lifted_at   BIGINT NOT NULL,  -- 0 while it holds
    lifted_by   TEXT NOT NULL
);
CREATE UNIQUE INDEX suppressions_one_active ON suppressions (address) WHERE lifted_at = 0;
CREATE INDEX suppressions_spelled ON suppressions (spelled) WHERE lifted_at = 0;

-- What came back of our mails: one row per mail and kind, however often it is told.
CREATE TABLE bounces (
    id          TEXT PRIMARY KEY,
    notice_id   TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    address     TEXT NOT NULL,    -- as outbox.Normal has it
    kind        TEXT NOT NULL CHECK (kind IN ('hard', 'soft', 'blocked', 'complaint')),
    code        TEXT NOT NULL,    -- the enhanced status, else the SMTP code, '' when none was told
    words       TEXT NOT NULL,    -- the other server's own
    at          BIGINT NOT NULL,
    UNIQUE (notice_id, kind)
);
CREATE INDEX bounces_customer ON bounces (customer_id, at);
CREATE INDEX bounces_address ON bounces (address, at) WHERE kind = 'soft';

-- Mails that came in under one of our tokens: durable before the 250, or before the mailbox lets go of them. The
-- mail itself is forgotten once it has had its effect.
CREATE TABLE arrivals (
    id          TEXT PRIMARY KEY,
    mark        TEXT NOT NULL UNIQUE,  -- of token, Message-ID and body: the same mail brought twice is one
    way         TEXT NOT NULL CHECK (way IN ('bounce', 'reply', 'complaint')),
    notice_id   TEXT NOT NULL,         -- the mail it answers, as its token says
    customer_id TEXT NOT NULL,         -- '' until it was looked at
    sender      TEXT NOT NULL,         -- of the envelope, '' for the empty one
    raw         TEXT NOT NULL,         -- base64, '' once it had its effect
    status      TEXT NOT NULL CHECK (status IN ('received', 'processed', 'ignored', 'parked')),
    outcome     TEXT NOT NULL,         -- what it turned out to be: bounce, complaint, reply, automatic, …
    reason      TEXT NOT NULL,         -- the sentence staff read
    attempts    BIGINT NOT NULL,
    next_try_at BIGINT NOT NULL,       -- real time
    received_at BIGINT NOT NULL,       -- business time
    settled_at  BIGINT NOT NULL
);
CREATE INDEX arrivals_waiting ON arrivals (next_try_at) WHERE status = 'received';
CREATE INDEX arrivals_customer ON arrivals (customer_id, received_at);

-- Further addresses of a customer's billing contacts, comma-separated, the first to be written to first.
ALTER TABLE customers ADD COLUMN contacts TEXT NOT NULL DEFAULT '';

-- Messages that came by mail: from where, when that is not the address on file, and the mail's own id.
ALTER TABLE messages ADD COLUMN sender TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN mail_id TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE messages DROP COLUMN mail_id;
ALTER TABLE messages DROP COLUMN sender;
ALTER TABLE customers DROP COLUMN contacts;
DROP TABLE arrivals;
DROP TABLE bounces;
DROP TABLE suppressions;
