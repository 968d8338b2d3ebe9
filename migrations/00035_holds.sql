-- +goose Up

-- How often each customer was held by somebody who may have changed something of theirs. What was decided of them aside
-- stands while this number does.
CREATE TABLE holds (
    customer_id TEXT PRIMARY KEY,
    times       BIGINT NOT NULL
);

-- +goose Down
DROP TABLE holds;
