-- +goose Up

-- What a browser was handed to confirm a card with: it may do so at Stripe directly, as often as it likes, and not come
-- back to us. Whose tries these are, and from which network, so that cards declined there count as if they had been tried
-- here. Kept for two days, as the limits are.
CREATE TABLE confirmations (
    intent  TEXT PRIMARY KEY,   -- Stripe's setup or payment intent
    tryer   TEXT NOT NULL,      -- who the tries are counted by: a customer, or a link that was handed on
    place   TEXT NOT NULL,      -- the network it was handed to
    at      BIGINT NOT NULL,    -- unix seconds of real time
    told    BIGINT NOT NULL,    -- declines that Stripe's events told of
    counted BIGINT NOT NULL     -- declines that were counted, whoever told first
);
CREATE INDEX confirmations_age ON confirmations (at);

-- +goose Down
DROP TABLE confirmations;
