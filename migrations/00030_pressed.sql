-- +goose Up
-- How many declines of an intent were heard in answer to a press or a question of ours. Stripe's events tell of the same
-- ones, before or after: as many are counted as the larger of the two says.
ALTER TABLE confirmations ADD COLUMN pressed BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE confirmations DROP COLUMN pressed;
