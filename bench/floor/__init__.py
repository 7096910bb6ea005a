"""The floor: the least that keeps a webhook's promise. One INSERT, one commit, no middleware, the same web server."""

TABLE = """CREATE TABLE event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, subject varchar(128) NOT NULL,
    status varchar(16) NOT NULL, payload jsonb NOT NULL, received_at timestamptz NOT NULL, UNIQUE (subject, status))"""
