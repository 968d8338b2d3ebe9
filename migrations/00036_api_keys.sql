-- +goose Up

-- Keys with which the merchant's own programs ask below /api/v1. Of each only the SHA-256 is kept, and its first characters,
-- by which people tell it from others. Instants are of the real clock.
CREATE TABLE api_keys (
    id        TEXT PRIMARY KEY,
    hash      TEXT NOT NULL UNIQUE,
    beginning TEXT NOT NULL,
    name      TEXT NOT NULL,
    made_by   TEXT NOT NULL, -- a member of staff
    made_at   BIGINT NOT NULL,
    used_at   BIGINT NOT NULL DEFAULT 0, -- to the minute
    ended_by  TEXT NOT NULL DEFAULT '',
    ended_at  BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE ended_at = 0;

-- A list of cases by their status goes by id, which is the order they were made in.
CREATE INDEX cases_status ON cases (status, id);

-- +goose Down
DROP INDEX cases_status;
DROP TABLE api_keys;
