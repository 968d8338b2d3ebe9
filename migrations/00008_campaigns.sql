-- +goose Up

-- Every version of every campaign, as its document was applied. Versions are added and never changed: a case keeps
-- the one it began with.
CREATE TABLE campaigns (
    name       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    document   TEXT NOT NULL,
    applied_at BIGINT NOT NULL,
    actor      TEXT NOT NULL,
    PRIMARY KEY (name, version)
);

-- The order in which campaigns are asked whether a new case is theirs.
CREATE TABLE campaign_order (
    name     TEXT PRIMARY KEY,
    position BIGINT NOT NULL
);

-- A case in the holdout gets no campaign messages, so that what they bring can be measured.
ALTER TABLE cases ADD COLUMN holdout BOOLEAN NOT NULL DEFAULT false;

-- What the merchant says of a customer for us: the metadata whose keys begin with sollecito_, as a JSON object, '' for none.
ALTER TABLE customers ADD COLUMN metadata TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE customers DROP COLUMN metadata;
ALTER TABLE cases DROP COLUMN holdout;
DROP TABLE campaign_order;
DROP TABLE campaigns;
