-- The one row that `/db` counts up. `lock_contention` holds its row lock, so that ordinary calls wait for it.
CREATE TABLE visits (
    id    integer PRIMARY KEY CHECK (id = 1),
    count bigint  NOT NULL DEFAULT 0
);
INSERT INTO visits (id) VALUES (1);
