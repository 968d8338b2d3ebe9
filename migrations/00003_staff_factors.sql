-- +goose Up

-- The second factor: the seed sealed under a key that is not in the database, and the last time step a code of it
-- was used in, so that each code is good once.
ALTER TABLE staff ADD COLUMN factor TEXT NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN factor_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE staff ADD COLUMN factor_step BIGINT NOT NULL DEFAULT 0;
ALTER TABLE staff ADD COLUMN signed_in_at BIGINT NOT NULL DEFAULT 0;

-- How far a session has come in: password (one factor only), codes (both; the recovery codes are still to be kept),
-- full. draft is what the session's member is shown until they have kept it, sealed. A session from before this
-- migration has proven a password and no more.
ALTER TABLE staff_sessions ADD COLUMN standing TEXT NOT NULL DEFAULT 'password';
ALTER TABLE staff_sessions ADD COLUMN confirmed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE staff_sessions ADD COLUMN draft TEXT NOT NULL DEFAULT '';

CREATE TABLE staff_recovery (
    hash     TEXT PRIMARY KEY,
    staff_id TEXT NOT NULL REFERENCES staff (id),
    used_at  BIGINT NOT NULL
);
CREATE INDEX staff_recovery_staff ON staff_recovery (staff_id);

-- Browsers in which a member has signed in with both factors.
CREATE TABLE staff_devices (
    hash       TEXT NOT NULL,
    staff_id   TEXT NOT NULL REFERENCES staff (id),
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    PRIMARY KEY (staff_id, hash)
);

-- What a member is told of by mail about their own account.
CREATE TABLE staff_alerts (
    id       TEXT PRIMARY KEY,
    staff_id TEXT NOT NULL REFERENCES staff (id),
    what     TEXT NOT NULL,
    at       BIGINT NOT NULL,
    ip       TEXT NOT NULL,
    agent    TEXT NOT NULL
);
CREATE INDEX staff_alerts_staff ON staff_alerts (staff_id, at);

-- +goose Down
DROP TABLE staff_alerts;
DROP TABLE staff_devices;
DROP TABLE staff_recovery;
ALTER TABLE staff_sessions DROP COLUMN draft;
ALTER TABLE staff_sessions DROP COLUMN confirmed_at;
ALTER TABLE staff_sessions DROP COLUMN standing;
ALTER TABLE staff DROP COLUMN signed_in_at;
ALTER TABLE staff DROP COLUMN factor_step;
ALTER TABLE staff DROP COLUMN factor_at;
ALTER TABLE staff DROP COLUMN factor;
