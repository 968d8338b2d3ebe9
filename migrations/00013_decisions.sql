-- +goose Up

-- What the engine decided about a case and why, in codes that pages turn into words. One row per step, channel and
-- reason: deciding the same again moves at and until and counts. What became of a message is kept with its notice.
CREATE TABLE decisions (
    case_id TEXT NOT NULL REFERENCES cases (id),
    step    TEXT NOT NULL,     -- the campaign's key of the step, '' when it is about the whole case
    channel TEXT NOT NULL,     -- '' when it is about all of them
    what    TEXT NOT NULL CHECK (what IN ('chosen', 'taken', 'put_off', 'passed_over')),
    reason  TEXT NOT NULL,
    details TEXT NOT NULL,     -- what the sentence names, as a JSON object
    since   BIGINT NOT NULL,   -- when it was decided first
    at      BIGINT NOT NULL,   -- and last
    until   BIGINT NOT NULL,   -- of put_off: when it is looked at again, 0 when nobody can say
    times   BIGINT NOT NULL,
    PRIMARY KEY (case_id, step, channel, what, reason)
);

-- Which variant of its campaign a case walks, '' for none. Given at its opening, like the version.
ALTER TABLE cases ADD COLUMN variant TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE cases DROP COLUMN variant;
DROP TABLE decisions;
