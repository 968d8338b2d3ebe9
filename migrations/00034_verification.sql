-- +goose Up

-- Reminders rest while the small deposits that prove a bank account are on their way. The two engines change a check in
-- no common way, so that the table is written anew.
CREATE TABLE pauses_anew (
    id       TEXT PRIMARY KEY,
    case_id  TEXT NOT NULL REFERENCES cases (id),
    reason   TEXT NOT NULL CHECK (reason IN ('staff', 'conversation', 'dispute', 'processing', 'verification', 'claim', 'promise', 'consent', 'imported')),
    note     TEXT NOT NULL,
    actor    TEXT NOT NULL,
    since    BIGINT NOT NULL,
    until    BIGINT NOT NULL,
    ended_at BIGINT NOT NULL
);
INSERT INTO pauses_anew (id, case_id, reason, note, actor, since, until, ended_at)
    SELECT id, case_id, reason, note, actor, since, until, ended_at FROM pauses;
DROP TABLE pauses;
ALTER TABLE pauses_anew RENAME TO pauses;
CREATE UNIQUE INDEX pauses_one_active ON pauses (case_id, reason) WHERE ended_at = 0;
CREATE INDEX pauses_case ON pauses (case_id, since);
CREATE INDEX pauses_until ON pauses (until) WHERE ended_at = 0 AND until > 0;

-- +goose Down
CREATE TABLE pauses_anew (
    id       TEXT PRIMARY KEY,
    case_id  TEXT NOT NULL REFERENCES cases (id),
    reason   TEXT NOT NULL CHECK (reason IN ('staff', 'conversation', 'dispute', 'processing', 'claim', 'promise', 'consent', 'imported')),
    note     TEXT NOT NULL,
    actor    TEXT NOT NULL,
    since    BIGINT NOT NULL,
    until    BIGINT NOT NULL,
    ended_at BIGINT NOT NULL
);
INSERT INTO pauses_anew (id, case_id, reason, note, actor, since, until, ended_at)
    SELECT id, case_id, CASE WHEN reason = 'verification' THEN 'claim' ELSE reason END, note, actor, since, until, ended_at FROM pauses
    WHERE reason <> 'verification' OR NOT EXISTS (
        SELECT 1 FROM pauses p WHERE p.case_id = pauses.case_id AND p.reason = 'claim' AND p.ended_at = 0);
DROP TABLE pauses;
ALTER TABLE pauses_anew RENAME TO pauses;
CREATE UNIQUE INDEX pauses_one_active ON pauses (case_id, reason) WHERE ended_at = 0;
CREATE INDEX pauses_case ON pauses (case_id, since);
CREATE INDEX pauses_until ON pauses (until) WHERE ended_at = 0 AND until > 0;
