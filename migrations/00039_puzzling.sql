-- +goose Up

-- Whether an open case is about a charge that failed by a mistake on the merchant's side, or for a reason nobody has a rule for.
-- Every page of staff counts those, among all open cases.
ALTER TABLE cases ADD COLUMN puzzling BOOLEAN NOT NULL DEFAULT false;
CREATE INDEX cases_puzzling ON cases (opened_at) WHERE status = 'open' AND puzzling;

-- +goose Down
DROP INDEX cases_puzzling;
ALTER TABLE cases DROP COLUMN puzzling;
