-- +goose Up

-- Cases that are due are found by their instant. Since cases_status came (00036) SQLite took that one for it, and went through
-- all open cases at each tick.
DROP INDEX cases_due;
CREATE INDEX cases_due ON cases (status, next_step_at) WHERE status = 'open' AND next_step_at IS NOT NULL;

-- +goose Down
DROP INDEX cases_due;
CREATE INDEX cases_due ON cases (next_step_at) WHERE status = 'open' AND next_step_at IS NOT NULL;
